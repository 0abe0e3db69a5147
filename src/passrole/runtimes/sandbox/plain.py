"""No sandbox: a program runs as any process of its user does, and is kept from nothing."""

from collections.abc import Sequence

from passrole.runtimes.sandbox.world import World


class Plain:
    """See interface.Sandbox. Shows no mounts: for programs that need none."""

    name = "none"
    confines = False

    def command(self, world: World, program: Sequence[str], *, tied: bool) -> list[str]:  # noqa: ARG002
        """See interface.Sandbox."""
        return list(program)
