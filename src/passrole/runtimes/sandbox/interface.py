"""What every kind of sandbox does."""

from collections.abc import Hashable, Sequence
from typing import Protocol

from passrole.runtimes.sandbox.world import World


class Sandbox(Hashable, Protocol):
    """One kind of sandbox, as a value."""

    @property
    def name(self) -> str:
        """What settings and `doctor` call it."""

    @property
    def confines(self) -> bool:
        """Whether a program is kept from what its world does not show."""

    @property
    def shows(self) -> bool:
        """Whether a program finds the work folder of its world at its path."""

    @property
    def remark(self) -> str:
        """What `doctor` adds of it; it begins with a mark of punctuation, or is empty."""

    def command(self, world: World, program: Sequence[str], *, tied: bool) -> list[str]:
        """The command line that runs `program` in `world`; its exit code is the program's, 128 and the
        signal's number more where a signal ended it.

        The environment of that command line reaches the program, and acts on the sandbox itself, which is not
        confined: nothing in it may come from outside, such as LD_PRELOAD, and it holds no secret.
        `tied`: everything inside dies at once with the process that starts it: the server, or the shell that
        stands over a job and outlives the server. Without it a daemon may outlive the program.
        """
