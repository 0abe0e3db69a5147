"""No sandbox: a program runs as any process of its user does, and is kept from nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from passrole.runtimes.sandbox.world import World


@dataclass(frozen=True)
class Plain:
    """See interface.Sandbox. Shows no mounts: for programs that need none."""

    name: str = "none"
    confines: bool = False
    shows: bool = False
    remark: str = ""

    def command(self, world: World, program: Sequence[str], *, tied: bool) -> list[str]:  # noqa: ARG002
        """See interface.Sandbox."""
        return list(program)
