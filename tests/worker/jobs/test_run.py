"""Jobs that are hard to end, and jobs while the disk is full or S3 is slow."""

import gc
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.eventually import eventually_async, process_ended
from tests.store.without_notices import lose_notices
from tests.worker.failing_writes import FullDisk, make_quick
from tests.worker.jobs.conftest import Bench, Scenario

from passrole.faults import Fault, Internal
from passrole.runtimes import processes
from passrole.worker.jobs import run
from passrole.worker.jobs.failures import LOST
from passrole.worker.jobs.log_stream import EVENTS_MAX
from passrole.worker.jobs.s3 import CHUNK_BYTES

Run = Callable[[Scenario], None]
CHANNEL: dict[str, Any] = {
    "InputDataConfig": [
        {
            "ChannelName": "train",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in/"}},
        }
    ]
}


def test_a_program_that_forks_and_ignores_term_is_killed_whole(
    run_bench: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "GRACE_SECONDS", 0.5)

    async def scenario(bench: Bench) -> None:
        await bench.start("trap '' TERM; (setsid sleep 600 &); sleep 600 & echo up; while :; do wait; done")
        folder = await bench.printed("up")
        members = processes.family(int((folder / "pid").read_text()))
        await bench.stop()
        assert (await bench.ended()).status == "Stopped"

        async def all_ended() -> bool:
            return all(map(process_ended, members))

        await eventually_async(all_ended)
        assert len(members) >= 4

    run_bench(scenario)


def test_a_server_that_ends_beside_a_job_logs_no_traceback(
    run_bench: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.start("echo up; sleep 3")
        await bench.printed("up")
        bench.runner.close()
        await bench.supervisor.close()
        gc.collect()

    run_bench(scenario)
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


def test_a_stop_that_no_notice_tells_of_is_found_in_the_rows(
    run_bench: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_notices(monkeypatch)

    async def scenario(bench: Bench) -> None:
        bench.runner._stopping._clock = time.monotonic  # its looks come by a clock that goes
        await bench.start("echo up; sleep 600")
        await bench.printed("up")
        await bench.stop()
        await bench.until("Stopped")

    run_bench(scenario)


def test_a_job_is_stopped_while_its_inputs_come(run_bench: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.door.prepare("ListObjectsV2", _listed("in/a"))
        bench.door.hold("GetObject", {"Body": b"x"})
        await bench.start("echo never", **CHANNEL)
        await bench.until("Downloading")
        await eventually_async(lambda: _called(bench, "s3:GetObject"))
        await bench.stop()
        job = await bench.ended()
        assert (job.status, job.secondary, job.started) == ("Stopped", "Stopped", None)
        home = bench.data / "jobs" / "training-job" / job.key / "algo-1"
        assert not (home / "run" / "pid").exists()
        await eventually_async(lambda: not (home / "ml").exists())

    run_bench(scenario)


def _listed(key: str, size: int = 1) -> dict[str, Any]:
    return {"Contents": [{"Key": key, "Size": size}], "IsTruncated": False}


async def _called(bench: Bench, operation: str) -> bool:
    return bool(bench.door.called(operation))


def test_a_full_disk_of_the_server_ends_no_job(run_bench: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    make_quick(monkeypatch)

    async def scenario(bench: Bench) -> None:
        disk = FullDisk(bench.store, monkeypatch)
        metric = {"Name": "loss", "Regex": "loss=(.*)"}
        await bench.start("echo up; while [ ! -e go ]; do sleep 0.05; done; echo loss=2", metric=metric)
        folder = await bench.printed("up")
        disk.is_full = True
        (folder.parent / "ml" / "code" / "go").touch()
        await eventually_async(lambda: disk.refused >= 3)
        disk.is_full = False
        job = await bench.ended()
        assert job.status == "Completed", job.failure_reason
        assert [each["Value"] for each in job.results["FinalMetricDataList"]] == [2.0]

    run_bench(scenario)


@pytest.mark.parametrize("operation", ["GetObject", "PutObject"])
def test_a_failure_of_the_server_itself_is_told_as_its_own(run_bench: Run, operation: str) -> None:
    async def scenario(bench: Bench) -> None:
        bench.door.prepare("ListObjectsV2", _listed("in/a"))
        bench.door.prepare("GetObject", {"Body": b"x"})
        bench.door.prepare(operation, Internal())
        await bench.start("echo m > /opt/ml/model/m", **CHANNEL)
        job = await bench.ended()
        assert (job.status, job.failure_reason) == ("Failed", LOST)

    run_bench(scenario)


def test_an_object_that_is_replaced_while_it_comes_fails_the_job(run_bench: Run) -> None:
    changed = Fault("PreconditionFailed", "At least one of the pre-conditions did not hold", status=412)

    async def scenario(bench: Bench) -> None:
        size = CHUNK_BYTES + 1
        bench.door.prepare("ListObjectsV2", _listed("in/a", size))
        first = {"Body": b"x", "ETag": '"1"', "ContentRange": f"bytes 0-0/{size}", "LastModified": 1.0}
        bench.door.prepare("GetObject", first, {**first, "Body": b"x" * CHUNK_BYTES}, changed)
        await bench.start("exit 0", **CHANNEL)
        job = await bench.ended()
        assert job.failure_reason is not None
        assert job.failure_reason.startswith("ClientError: Data download failed:PreconditionFailed (412)")
        assert bench.door.called("s3:GetObject")[-1]["IfMatch"] == '"1"'

    run_bench(scenario)


@pytest.mark.parametrize(
    "key",
    ["in/../../x", "in//etc/x", "in/a/../b", "in/./x", "in/a\0b", f"in/{'n' * 300}", "in/a//b"],
)
def test_a_key_that_is_no_path_below_the_input_fails_the_job(run_bench: Run, key: str) -> None:
    async def scenario(bench: Bench) -> None:
        bench.door.prepare("ListObjectsV2", _listed(key))
        bench.door.prepare("GetObject", {"Body": b"x"})
        await bench.start("exit 0", **CHANNEL)
        job = await bench.ended()
        assert job.failure_reason is not None
        assert job.failure_reason.startswith("ClientError: "), job.failure_reason

    run_bench(scenario)


def test_what_a_program_prints_in_many_short_lines_comes_in_batches(run_bench: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.start("yes | head -n 25000")
        await bench.ended()
        sizes = [len(each["logEvents"]) for each in bench.door.called("logs:PutLogEvents")]
        assert (sum(sizes), max(sizes)) == (25_000, EVENTS_MAX)

    run_bench(scenario)
