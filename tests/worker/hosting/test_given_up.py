"""A model server that one of several servers has given up, while its endpoint came in service at another."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.store import chosen
from tests.worker.conftest import FakeDoor
from tests.worker.hosting.test_outages import VARIANT
from tests.worker.jobs.conftest import ACCOUNT, REGION, session

from passrole.config import Config
from passrole.faults import Fault
from passrole.runtimes.jobs import Jobs
from passrole.runtimes.model_servers import ModelServers
from passrole.services.sagemaker.hosting import states
from passrole.services.sagemaker.hosting.records import ENDPOINTS, IN_SERVICE, Endpoint, Fleet
from passrole.store import Tx
from passrole.worker import supervisor
from passrole.worker.hosting.controller import EndpointController
from passrole.worker.hosting.instance import Means
from passrole.worker.jobs.layers import Layers
from passrole.worker.supervisor import Supervisor

FLEET: Fleet = {"number": 1, "config": "c", "began": 1000.0, "variants": [VARIANT]}
ENDPOINT = Endpoint("e", ACCOUNT, REGION, 1000.0, 1000.0, coming=FLEET, fleets=1)


def test_it_is_begun_anew_with_the_back_off_of_what_serves(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    sandboxed: None,
) -> None:
    monkeypatch.setattr(supervisor, "RESTART_SECONDS", 3600.0)
    monkeypatch.setattr(supervisor, "RESTART_SECONDS_MAX", 3600.0)
    failed, told = states.failed, []

    def too_late(tx: Tx, key: str, number: int, reason: str, at: float) -> None:
        told.append(reason)
        states.arrived(tx, key, number, at)  # as another server wrote a moment before
        failed(tx, key, number, reason, at)

    monkeypatch.setattr(states, "failed", too_late)
    door = FakeDoor()
    door.prepare("AssumeRole", session())
    door.prepare("ListObjectsV2", Fault("NoSuchBucket", "The specified bucket does not exist."))

    async def scenario() -> None:
        store, config, jobs = chosen.opened(tmp_path / "data"), Config(data=tmp_path / "data"), Jobs()
        means = Means(store, door, lambda: 1000.0, config, jobs, ModelServers(), Layers(config, jobs))
        loops = Supervisor()
        await store.write(lambda tx: states.created(tx, ENDPOINT))
        EndpointController(means).start(loops)
        try:
            await eventually_async(lambda: "again in 3600 s" in caplog.text)
            endpoint: Any = await store.read(lambda tx: ENDPOINTS.get(tx, ENDPOINT.key))
        finally:
            await loops.close()
            await jobs.close()
            await store.close()
        assert (endpoint.status, endpoint.failure_reason) == (IN_SERVICE, None)
        assert len(told) == 1
        assert len(door.called("s3:ListObjectsV2")) == 2

    asyncio.run(scenario())
