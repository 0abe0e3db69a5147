"""Tenures outlive loops of the library, and patience is for silence."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("pgqueuer", reason="no pgqueuer here: install the extra `postgres`")
from pgqueuer.domain.models import Job

from passrole.worker.lease_jobs import SILENCE_SECONDS, Silence
from passrole.worker.tenures import Tenures


def job(shard: int, loop: int = 1) -> Job:
    """What lends the shard to a loop of the library."""
    then = datetime(2026, 11, 30, tzinfo=UTC)
    fields: dict[str, Any] = dict.fromkeys(("created", "updated", "heartbeat", "execute_after"), then)
    lent: dict[str, Any] = {"queue_manager_id": uuid.UUID(int=loop), "headers": None}
    lent |= {"id": shard + 1, "priority": 0, "status": "picked", "entrypoint": "shard"}
    return Job(payload=b"%d" % shard, **fields, **lent)


class Held:
    """Tenures of the shards 0 to 3, and what was dropped of them."""

    def __init__(self) -> None:
        self.dropped: list[int] = []
        self.tenures = Tenures(self.dropped.append)
        self.tenures.retaken([])
        self.each = [self.tenures.take_up(job(shard)) for shard in range(4)]

    def lose(self) -> None:
        """The loop ends: each handler leaves its tenure kept."""
        self.tenures.interrupt()
        for each in self.each:
            assert each is not None
            assert each.woken.is_set()
            each.is_kept = True
            self.tenures.lay_down(each)


def test_a_tenure_has_one_handler() -> None:
    assert Held().tenures.take_up(job(2)) is None


def test_kept_tenures_go_on_where_they_are_still_lent() -> None:
    held = Held()
    held.lose()
    assert (held.tenures.shards, held.dropped) == ([0, 1, 2, 3], [])
    interrupted = [held.tenures.are_interrupted]
    held.tenures.retaken([job(1, 2), job(3, 2)])
    assert [*interrupted, held.tenures.are_interrupted] == [True, False]
    assert (held.tenures.shards, held.dropped, held.tenures.kept) == (
        [1, 3],
        [0, 2],
        frozenset({1, 3}),
    )
    again = held.tenures.take_up(job(1, 2))
    assert again is held.each[1]
    assert again is not None
    assert not again.woken.is_set()
    assert held.tenures.kept == {3}


def test_one_that_is_over_while_it_is_kept_is_given_back_by_its_next_handler() -> None:
    held = Held()
    held.lose()
    held.tenures.end([1])
    assert held.dropped == []
    again = held.tenures.take_up(job(1, 2))
    assert again is not None
    assert again.is_over
    assert again.woken.is_set()


def test_one_that_is_lost_while_it_is_kept_is_dropped_at_once() -> None:
    held = Held()
    held.lose()
    held.tenures.end_at_once([1, 40])
    assert (held.dropped, held.tenures.shards) == ([1], [0, 2, 3])
    held.tenures.end_at_once()
    assert held.tenures.none_held.is_set()


def test_one_that_is_lost_otherwise_has_a_handler_for_that() -> None:
    held = Held()
    held.tenures.end_at_once([1])
    assert held.dropped == []
    assert held.each[1] is not None
    assert held.each[1].is_over


OFTEN, SELDOM, AWAY = 2.0, SILENCE_SECONDS + 0.5, 60.0


class Heard:
    """What `may_take` says each time, and that PostgreSQL answers then; patient no more at the beginning."""

    def __init__(self) -> None:
        self.now = 0.0
        self.silence = Silence(lambda: self.now)
        self.after([OFTEN] * 6)

    def after(self, pauses: list[float]) -> str:
        said = ""
        for seconds in pauses:
            self.now += seconds
            said += "y" if self.silence.may_take() else "n"
            self.silence.heard()
        return said


@pytest.mark.parametrize(
    ("pauses", "may_take"),
    [
        ([OFTEN] * 4, "yyyy"),
        ([OFTEN, SELDOM, *[OFTEN] * 6], "ynnnnnny"),  # patient for 11 seconds
        ([AWAY, *[OFTEN] * 4, AWAY, *[OFTEN] * 6], "nnnnn" + "nnnnnny"),  # and again, where it is away again
        ([SELDOM] * 6, "nnnynn"),  # who is slow for ever takes something now and then
    ],
    ids=["who hears often", "after a silence", "two outages", "who hears seldom"],
)
def test_patience_follows_a_silence(pauses: list[float], may_take: str) -> None:
    assert Heard().after(pauses) == may_take


def test_it_begins_with_patience() -> None:
    """PostgreSQL may have been away for everybody just before."""
    now = 0.0
    silence = Silence(lambda: now)
    assert not silence.may_take()


def test_a_lost_connection_is_a_silence() -> None:
    """However soon there is another one."""
    heard = Heard()
    heard.silence.lost()
    assert heard.after([0.1, *[OFTEN] * 6]) == "nnnnnny"


def test_what_is_another_ones_is_not_offered_again() -> None:
    held = Held()
    first = held.each[0]
    assert first is not None
    held.tenures.lose(first)
    held.tenures.lay_down(first)
    assert [held.tenures.is_over(job(shard)) for shard in (0, 40)] == [False, True]
    held.tenures.take_up(job(0, 2))
    assert held.tenures.is_over(job(0, 2)), "it is lent to this server again"
