"""What stands for steps of starts that are prepared: for which start, and for how long."""

from collections.abc import Awaitable, Callable

from tests.history.conftest import House

from passrole.history import stubs
from passrole.store import Collection, Tx

Run = Callable[[Callable[[House], Awaitable[None]]], None]
ARN = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/p"
HOUR = stubs.AWAITED_SECONDS_MAX
ROWS = Collection("stubs", stubs.Prepared)


def take(tx: Tx, token: str, at: float = 0.0) -> list[str]:
    return list(stubs.take(tx, ARN, token, at, ()))


def test_each_token_has_its_own_once(house: Run) -> None:
    def act(tx: Tx) -> None:
        for token, step in (("a/b", "A"), ("a", "B"), ("c", "old"), ("c", "C")):
            stubs.prepare(tx, ARN, token, {step: {}}, 0.0)
        assert stubs.names(tx, ARN, 0.0) == {"A", "B", "C"}
        assert [take(tx, token) for token in ("a/b", "a", "c", "a", "d")] == [["A"], ["B"], ["C"], [], []]
        assert stubs.names(tx, ARN, 0.0) == set()

    house(lambda h: h.store.write(act))


def test_what_no_start_came_for_goes_after_an_hour(house: Run) -> None:
    def act(tx: Tx) -> None:
        stubs.prepare(tx, ARN, "a", {"A": {}}, 0.0)
        stubs.prepare(tx, ARN, "b", {"B": {}}, 1.0)
        assert stubs.names(tx, ARN, HOUR + 1.0) == {"B"}
        assert take(tx, "a", HOUR + 1.0) == []
        stubs.prepare(tx, ARN, "c", {"C": {}}, HOUR + 1.0)
        assert {row.token for _, row in ROWS.all(tx)} == {"b", "c"}

    house(lambda h: h.store.write(act))


def test_a_pipeline_s_go_with_it_and_leave_those_of_others(house: Run) -> None:
    def act(tx: Tx) -> None:
        stubs.set_everywhere(tx, {"E": {}})
        ROWS.put(tx, ARN, stubs.Prepared({"A": {}}, "a"))
        stubs.prepare(tx, ARN, "b", {"B": {}}, 0.0)
        stubs.prepare(tx, f"{ARN}2", "c", {"C": {}}, 0.0)
        stubs.delete_all(tx, ARN)
        assert stubs.names(tx, ARN, 0.0) == {"E"}
        assert stubs.names(tx, f"{ARN}2", 0.0) == {"E", "C"}

    house(lambda h: h.store.write(act))


def test_the_one_that_an_earlier_version_kept_counts(house: Run) -> None:
    def act(tx: Tx) -> None:
        ROWS.put(tx, ARN, stubs.Prepared({"A": {}}, "a", 0.0))
        stubs.prepare(tx, ARN, "b", {"B": {}}, 0.0)
        assert stubs.names(tx, ARN, 0.0) == {"A", "B"}
        assert [take(tx, token) for token in ("b", "a", "a")] == [["B"], ["A"], []]
        ROWS.put(tx, ARN, stubs.Prepared({"A": {}}, "a", 0.0))
        stubs.prepare(tx, ARN, "b", {"B": {}}, HOUR + 1.0)
        assert [row.token for _, row in ROWS.all(tx)] == ["b"]

    house(lambda h: h.store.write(act))
