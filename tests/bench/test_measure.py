"""Times: medians, and a wait that ends."""

import pytest
from bench.measure import median_of, p50, per_call, wait_until


def test_one_interrupted_round_changes_no_median() -> None:
    rounds = iter([1.0, 900.0, 2.0])
    assert median_of(3, lambda: next(rounds)) == 2.0


def test_calls_are_made_as_often_as_asked_and_the_warm_up_before() -> None:
    calls: list[int] = []
    p50(5, lambda: calls.append(1), warm_up=2)
    assert len(calls) == 7
    per_call(5, lambda: calls.append(1), rounds=2)
    assert len(calls) == 7 + 5 * 3


def test_waiting_ends_and_says_what_did_not_come() -> None:
    answers = iter([False, False, True])
    wait_until(lambda: next(answers), "the third answer", pause=0)
    with pytest.raises(TimeoutError, match="the end did not come within 0 s"):
        wait_until(lambda: False, "the end", within=0, pause=0)
