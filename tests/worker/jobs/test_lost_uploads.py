"""A job that another server has said is lost uploads nothing more: its retry may have written there."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.worker.failing_writes import make_quick
from tests.worker.jobs.conftest import Bench, Scenario

from passrole import disk
from passrole.faults import Outage
from passrole.services.sagemaker.jobs import states
from passrole.services.sagemaker.jobs.kinds import TRAINING
from passrole.store.share import Share
from passrole.worker.jobs import s3
from passrole.worker.jobs.failures import LOST
from passrole.worker.jobs.synchronised import SynchronisedFolder

Run = Callable[[Scenario], None]
AS_FILES: dict[str, Any] = {"OutputDataConfig": {"S3OutputPath": "s3://b/models", "CompressionType": "NONE"}}
CHECKPOINTS: dict[str, Any] = {"CheckpointConfig": {"S3Uri": "s3://b/checkpoints"}}
PARTS = {
    "CreateMultipartUpload": {"UploadId": "u"},
    "CompleteMultipartUpload": {},
    "AbortMultipartUpload": {},
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    make_quick(monkeypatch)


@pytest.fixture
def lose(monkeypatch: pytest.MonkeyPatch) -> Callable[[Bench], Any]:
    """Another server of the database says that the job is lost."""

    async def lost(bench: Bench) -> None:
        monkeypatch.setattr(Share, "is_whole", False)
        ended = states.ended(TRAINING, await bench.job(), "Failed", 1002.0, failure_reason=LOST)
        await bench.store.write(lambda tx: states.update(tx, TRAINING, ended, 1002.0))

    return lost


async def cleaned(bench: Bench) -> None:
    """Wait until the server has done with the job."""
    await eventually_async(lambda: not bench.runner._held)


def test_its_other_files_stay_here(run_bench: Run, lose: Callable[[Bench], Any]) -> None:
    async def scenario(bench: Bench) -> None:
        go_on = bench.door.hold("PutObject", {})
        await bench.start("for each in 1 2 3; do echo $each > /opt/ml/model/$each; done", **AS_FILES)
        await eventually_async(lambda: bench.door.called("s3:PutObject"))
        await lose(bench)
        before = await bench.job()
        go_on.set()
        await cleaned(bench)
        assert len(bench.door.called("s3:PutObject")) == 1  # which was on its way
        assert await bench.job() == before

    run_bench(scenario)


def test_a_file_that_waits_for_the_database_is_not_sent_when_it_is_back(
    run_bench: Run, lose: Callable[[Bench], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is away for the question first, and then for the call itself."""

    async def scenario(bench: Bench) -> None:
        is_lost = asyncio.Event()

        async def away(_parameters: Any) -> dict[str, Any]:
            await is_lost.wait()
            raise Outage

        bench.door.prepare("PutObject", away, {})
        await bench.start("echo 1 > /opt/ml/model/1", **AS_FILES)
        await eventually_async(lambda: bench.door.called("s3:PutObject"))
        await lose(bench)
        refused = reads_refused(bench, monkeypatch)
        is_lost.set()
        await cleaned(bench)
        assert len(bench.door.called("s3:PutObject")) == 1
        assert refused

    run_bench(scenario)


def test_parts_do_not_become_an_object(
    run_bench: Run, lose: Callable[[Bench], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "CHUNK_BYTES", 8)

    async def scenario(bench: Bench) -> None:
        for operation, answer in PARTS.items():
            bench.door.prepare(operation, answer)
        go_on = bench.door.hold("UploadPart", {"ETag": "e"})
        await bench.start("echo 0123456789 > /opt/ml/model/m", **AS_FILES)
        await eventually_async(lambda: bench.door.called("s3:UploadPart"))
        await lose(bench)
        go_on.set()
        await cleaned(bench)
        assert bench.door.called("s3:CompleteMultipartUpload") == []
        assert len(bench.door.called("s3:AbortMultipartUpload")) == 1

    run_bench(scenario)


def test_checkpoints_of_its_program_stay_here_while_it_still_runs(
    run_bench: Run, lose: Callable[[Bench], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SynchronisedFolder, "seconds", 0.01)
    looked = asyncio.Event()
    bring = SynchronisedFolder.bring

    async def brought(self: SynchronisedFolder, *, is_last: bool = False) -> None:
        await bring(self, is_last=is_last)
        if (self._instance.ml / "checkpoints" / "2").exists():
            looked.set()

    monkeypatch.setattr(SynchronisedFolder, "bring", brought)

    async def scenario(bench: Bench) -> None:
        script = (
            "echo 1 > /opt/ml/checkpoints/1; echo up; until [ -e /opt/ml/model/go ]; do sleep 0.02; done;"
            " echo 2 > /opt/ml/checkpoints/2; sleep 600"
        )
        await bench.start(script, **CHECKPOINTS)
        folder = await bench.printed("up")
        await eventually_async(lambda: bench.door.called("s3:PutObject"))
        await lose(bench)
        (folder.parent / "ml" / "model" / "go").touch()
        await looked.wait()
        keys = {each["Key"] for each in bench.door.called("s3:PutObject")}
        assert keys == {"checkpoints/1"}

    run_bench(scenario)


def reads_refused(bench: Bench, patch: pytest.MonkeyPatch) -> list[str]:
    """The next three reads find no database; what was refused."""
    refused: list[str] = []
    read = bench.store.read

    async def refusing(fn: Callable[[Any], Any]) -> Any:
        if len(refused) < 3:
            refused.append("read")
            raise disk.StoreUnreachable("the database is away")
        return await read(fn)

    patch.setattr(bench.store, "read", refusing)
    return refused
