"""The sweep takes what is over, and nothing else."""

from typing import Any

from passrole.services.sqs import sweep


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
