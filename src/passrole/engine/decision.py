"""What a decision is, and the draft it grows from."""

from dataclasses import dataclass, field

from passrole.engine.commands import Command
from passrole.engine.facts import Fact
from passrole.engine.state import State, apply


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from a fact: what to journal, what to do, and the state after both.

    `facts` begins with the input fact. Where that was old news, `facts` and `commands` are empty and
    `state` is the one that was asked.
    """

    facts: tuple[Fact, ...]
    commands: tuple[Command, ...]
    state: State


@dataclass(slots=True)
class Draft:
    """A decision in the making; owns its `state`."""

    state: State
    facts: list[Fact] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)

    def record(self, fact: Fact) -> None:
        """Add a fact, which takes effect at once: what is decided next already knows it."""
        self.facts.append(fact)
        apply(self.state, fact)

    def ask(self, command: Command) -> None:
        """Add something to be done."""
        self.commands.append(command)

    def finish(self) -> Decision:
        """The decision as it stands."""
        return Decision(tuple(self.facts), tuple(self.commands), self.state)
