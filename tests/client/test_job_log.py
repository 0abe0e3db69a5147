"""The logs of a job's instances, read on from look to look."""

from typing import Any

import pytest
from tests.conftest import Server, new_name

from passrole.client.job_log import JobLog

GROUP = "/aws/sagemaker/TrainingJobs"


class Streams:
    """Writes what programs printed, as the worker does."""

    def __init__(self, server: Server) -> None:
        self.logs: Any = server.client("logs")
        if not self.logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]:
            self.logs.create_log_group(logGroupName=GROUP)

    def make(self, job: str, *instances: str) -> None:
        for each in instances:
            self.logs.create_log_stream(logGroupName=GROUP, logStreamName=f"{job}/{each}-17")

    def put(self, job: str, instance: str, *lines: tuple[float, str]) -> None:
        at = int(self.logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"][0]["creationTime"])
        events = [{"timestamp": at + int(seconds * 1000), "message": text} for seconds, text in lines]
        self.logs.put_log_events(logGroupName=GROUP, logStreamName=f"{job}/{instance}-17", logEvents=events)


@pytest.fixture(scope="module")
def streams(server: Server) -> Streams:
    return Streams(server)


def told(log: JobLog) -> list[tuple[str, str]]:
    return [(each.instance, each.text) for each in log.more()]


def test_each_look_brings_what_is_new_of_all_instances_by_time(streams: Streams) -> None:
    job, other = new_name("job"), new_name("other")
    log = JobLog(streams.logs, "Training", job, 2)
    assert told(log) == [], "nothing was printed yet"
    streams.make(job, "algo-1")
    streams.make(f"{job}-2", "algo-1")
    streams.put(job, "algo-1", (1, "a"), (3, "c"))
    streams.put(f"{job}-2", "algo-1", (1, other))
    assert told(log) == [("algo-1", "a"), ("algo-1", "c")]
    assert told(log) == []
    streams.make(job, "algo-2")
    streams.put(job, "algo-2", (2, "b"), (5, "e"))
    streams.put(job, "algo-1", (3, "c"), (4, "d"))
    assert told(log) == [("algo-2", "b"), ("algo-1", "c"), ("algo-1", "d"), ("algo-2", "e")]
    assert told(log) == []


def test_a_log_of_many_pages_comes_whole_and_no_line_is_another(streams: Streams) -> None:
    job = new_name("job")
    streams.make(job, "algo-1")
    for start in range(0, 12_000, 6_000):
        streams.put(job, "algo-1", *((1, str(number)) for number in range(start, start + 6_000)))
    lines = JobLog(streams.logs, "Training", job, 1).more()
    assert [each.text for each in lines] == [str(number) for number in range(12_000)]
    assert len({each.id for each in lines}) == 12_000


def test_the_tail_is_the_end_and_then_what_follows_it(streams: Streams) -> None:
    job = new_name("job")
    log = JobLog(streams.logs, "Training", job, 1, tail=2)
    streams.make(job, "algo-1")
    assert told(log) == []
    streams.put(job, "algo-1", *((number, str(number)) for number in range(5)))
    assert told(log) == [("algo-1", "3"), ("algo-1", "4")]
    streams.put(job, "algo-1", *((number, str(number)) for number in range(5, 9)))
    assert told(log) == [("algo-1", str(number)) for number in range(5, 9)]


def test_a_role_that_may_not_write_logs_has_none(streams: Streams) -> None:
    assert told(JobLog(streams.logs, "Nothing", new_name("job"), 1)) == []
