"""How much of a job's data has come or gone, while it comes and goes."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.worker.jobs.conftest import ACCOUNT, REGION, Bench, Scenario
from tests.worker.jobs.test_run import CHANNEL

from passrole.runtimes import jobs, transfer
from passrole.worker.jobs.s3 import CHUNK_BYTES

Run = Callable[[Scenario], None]


@pytest.fixture(autouse=True)
def all_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "SECONDS_MIN", 0.0)
    monkeypatch.setattr(transfer, "BYTES_MIN", 100)


def told(bench: Bench) -> Mapping[str, Any]:
    folder = jobs.job_folder(bench.data, "training-job", f"{ACCOUNT}/{REGION}/a")
    return transfer.parsed(jobs.read_output(folder, transfer.FILE, 0, 1_000))


async def is_told(bench: Bench, phase: str, bytes_: int) -> bool:
    found = told(bench)
    return (found.get("Phase"), found.get("Bytes")) == (phase, bytes_)


def test_a_download_tells_its_pieces_and_a_stop_ends_it(run_bench: Run) -> None:
    size = 2 * CHUNK_BYTES + 1

    async def never(_parameters: Mapping[str, Any]) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def scenario(bench: Bench) -> None:
        listed = {"Contents": [{"Key": "in/a", "Size": size}], "IsTruncated": False}
        bench.door.prepare("ListObjectsV2", listed)
        first = {"Body": b"x", "ETag": '"1"', "ContentRange": f"bytes 0-0/{size}", "LastModified": 1.0}
        bench.door.prepare("GetObject", first, {**first, "Body": b"x" * CHUNK_BYTES}, never)
        await bench.start("echo never", **CHANNEL)
        await eventually_async(lambda: is_told(bench, "Downloading", CHUNK_BYTES))
        assert told(bench)["ExpectedBytes"] == size
        await bench.stop()
        await bench.ended()
        assert told(bench) == {}

    run_bench(scenario)


def test_an_upload_tells_the_size_of_the_archive_and_ends_with_it(run_bench: Run) -> None:
    async def scenario(bench: Bench) -> None:
        go_on = bench.door.hold("PutObject", {})
        await bench.start("head -c 5000 /dev/urandom > /opt/ml/model/weights")
        await eventually_async(lambda: is_told(bench, "Uploading", 0))
        assert told(bench)["ExpectedBytes"] > 5000
        go_on.set()
        assert (await bench.ended()).status == "Completed"
        assert told(bench) == {}

    run_bench(scenario)
