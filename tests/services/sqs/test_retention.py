"""The sweep takes what is over, and nothing else."""

from typing import Any

import pytest

from passrole.services.sqs import correct_future_times, sweep
from passrole.store.share import Share


def test_a_sweep_takes_expired_messages_of_queues_that_nobody_reads(sqs: Any) -> None:
    short, long = sqs.queue("short", MessageRetentionPeriod="60"), sqs.queue("long")
    for url in (short, long):
        sqs.send(url, "a")
    sqs.later(60)
    sqs.send(short, "young")
    assert sqs.run(sweep(sqs.store, sqs.context.clock)) == 1
    assert sqs.bodies(short) == ["young"]
    assert sqs.bodies(long) == ["a"]


def test_a_sweep_forgets_deduplication_ids_and_deleted_names_in_time(sqs: Any) -> None:
    url, gone = sqs.fifo(), sqs.queue("gone")
    sqs.send(url, "a", "g")
    sqs.delete_queue(queue_url=gone)
    sqs.later(59)
    sqs.run(sweep(sqs.store, sqs.context.clock))
    assert sqs.refusal(lambda: sqs.queue("gone"))[0] == "QueueDeletedRecently"
    sqs.later(241)
    sqs.run(sweep(sqs.store, sqs.context.clock))
    tables = ("SELECT * FROM deduplications", "SELECT * FROM documents WHERE kind = 'queue-deleted'")
    assert [sqs.run(sqs.store.read(lambda tx, sql=sql: tx.all(sql))) for sql in tables] == [[], []]


@pytest.mark.parametrize("kind", ["queue", "fifo"])
def test_a_clock_that_was_set_back_before_a_start_hides_no_message(sqs: Any, kind: str) -> None:
    url = getattr(sqs, kind)()
    for body, group in (("held", "g"), ("new", "h")):
        sqs.send(url, body, group)
    assert sqs.bodies(url, 1) == ["held"]
    sqs.later(-86_400)
    sqs.restart()
    sqs.run(correct_future_times(sqs.store, sqs.context.clock))
    assert sqs.bodies(url) == ["new"]
    sqs.later(30)
    assert sorted(sqs.bodies(url)) == ["held", "new"]


def test_a_server_whose_clock_is_behind_gives_nobody_what_another_one_has_received(
    sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = sqs.queue()
    sqs.send(url, "held")
    assert sqs.bodies(url, 1) == ["held"]
    sqs.later(-5)
    monkeypatch.setattr(Share, "is_whole", False)
    sqs.run(correct_future_times(sqs.store, sqs.context.clock))
    sqs.later(31)
    assert sqs.bodies(url) == []
    sqs.later(5)
    assert sqs.bodies(url) == ["held"]
