"""A model server whose passrole cannot reach its database is prepared when it can."""

import asyncio
from pathlib import Path

import pytest
from tests.store import chosen
from tests.worker.conftest import FakeDoor
from tests.worker.failing_writes import make_quick
from tests.worker.jobs.conftest import ACCOUNT, REGION, ROLE, session

from passrole.config import Config
from passrole.faults import Fault, Internal, Outage
from passrole.runtimes.jobs import Jobs
from passrole.runtimes.model_servers import ModelServers
from passrole.services.sagemaker.hosting.records import Endpoint, Hosted, Variant
from passrole.worker.hosting.instance import HostedInstance, Means
from passrole.worker.jobs.layers import Layers

CONTAINER = {"Image": "x/sagemaker-scikit-learn:1", "ModelDataUrl": "s3://b/model.tar.gz"}
VARIANT: Variant = {
    "name": "v",
    "request": {},
    "model": "m",
    "containers": [CONTAINER],
    "role_arn": ROLE,
    "is_isolated": False,
    "weight": 1.0,
    "weight_wanted": 1.0,
    "count": 1,
    "count_wanted": 1,
}


@pytest.fixture
def door() -> FakeDoor:
    door = FakeDoor()
    door.prepare("AssumeRole", session())
    door.prepare("ListObjectsV2", Fault("NoSuchBucket", "The specified bucket does not exist."))
    return door


def test_its_calls_wait_for_the_database(
    door: FakeDoor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandboxed: None
) -> None:
    make_quick(monkeypatch)
    door.prepare("AssumeRole", Outage(), Outage(), session())
    door.prepare("ListObjectsV2", Outage(), *door.answers["ListObjectsV2"])
    assert "The specified bucket does not exist." in _failure(door, tmp_path)
    assert len(door.called("sts:AssumeRole")) == 3


def test_its_calls_wait_for_the_objects(
    door: FakeDoor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandboxed: None
) -> None:
    """As where the S3 endpoint is started again, or this server alone does not reach it for a moment."""
    make_quick(monkeypatch)
    away = Fault("ServiceUnavailable", "Service is unable to handle request.", status=503, sender=False)
    door.prepare("ListObjectsV2", away, away, *door.answers["ListObjectsV2"])
    assert "The specified bucket does not exist." in _failure(door, tmp_path)
    assert len(door.called("s3:ListObjectsV2")) == 3
    door.prepare("ListObjectsV2", away)
    assert "internal error" in _failure(door, tmp_path)


def test_another_failure_of_passrole_itself_ends_it(
    door: FakeDoor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandboxed: None
) -> None:
    make_quick(monkeypatch)
    door.prepare("AssumeRole", Internal())
    assert "internal" in _failure(door, tmp_path)


def _failure(door: FakeDoor, folder: Path) -> str:
    """Why the endpoint's first instance was given up."""

    async def opened() -> str | None:
        store, config, jobs = chosen.opened(folder / "data"), Config(data=folder / "data"), Jobs()
        means = Means(store, door, lambda: 1000.0, config, jobs, ModelServers(), Layers(config, jobs))
        endpoint = Endpoint("e", ACCOUNT, REGION, 1000.0, 1000.0)
        instance = HostedInstance(endpoint, Hosted("i-0", 1, VARIANT, 0), means, lambda: None)
        try:
            async with asyncio.timeout(30):
                await instance.run()
            return instance.failure
        finally:
            await jobs.close()
            await store.close()

    failure = asyncio.run(opened())
    assert failure is not None
    return failure
