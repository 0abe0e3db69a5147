"""Which commands are still to be performed after a while, or after a restart."""

from collections.abc import Callable

import pytest

from passrole.definition import Pipeline
from passrole.engine import State, begin, decide, facts, is_due
from passrole.engine.facts import InputFact

SENT = facts.CallbackSent(at=1, step="c1", attempt=1)
ANSWERED = facts.CallbackAnswered(at=1, step="c1", attempt=1, outcome="success")
STOP = facts.StopRequested(at=1)
CASES: list[tuple[str, list[InputFact], bool]] = [
    ("l1 l2", [], True),
    ("l1 l2", [facts.LambdaReturned(at=1, step="l1", attempt=1, payload="{}")], False),
    ("l1 l2", [STOP], False),
    ("l1 l2 f1<l2>", [facts.LambdaReturned(at=1, step="l2", attempt=1, payload="{}")], False),
    ("c1 l1", [], True),
    ("c1 l1", [SENT], False),
    ("c1 l1", [ANSWERED], False),
    ("c1 l1", [STOP], True),
]


@pytest.mark.parametrize(("steps", "happened", "due"), CASES)
def test_the_first_command_is_due_until_it_is_answered_or_of_no_use(
    pipeline_of: Callable[[str], Pipeline],
    started: Callable[..., facts.ExecutionStarted],
    steps: str,
    happened: list[InputFact],
    due: bool,
) -> None:
    first = decide(begin(pipeline_of(steps)), started())
    state: State = first.state
    for fact in happened:
        state = decide(state, fact).state
    assert is_due(state, first.commands[0]) is due
