"""Model servers that an earlier process of passrole has left, and the controller that finds them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from tests.eventually import eventually_async
from tests.store import chosen
from tests.worker.conftest import FakeDoor
from tests.worker.hosting.test_outages import VARIANT
from tests.worker.jobs.conftest import ACCOUNT, REGION

from passrole.config import Config
from passrole.runtimes.jobs import JobLost, Jobs, JobSpec, is_running
from passrole.runtimes.model_servers import ModelServers
from passrole.services.sagemaker.hosting.records import (
    ENDPOINTS,
    IN_SERVICE,
    Endpoint,
    Fleet,
    Variant,
    hosted_of,
)
from passrole.worker.hosting.controller import EndpointController
from passrole.worker.hosting.instance import Means, home_of
from passrole.worker.jobs.layers import Layers
from passrole.worker.supervisor import Supervisor

WITHOUT_ROLE: Variant = {**VARIANT, "role_arn": None}
FLEET: Fleet = {"number": 1, "config": "c", "began": 1000.0, "variants": [WITHOUT_ROLE]}
ENDPOINT = Endpoint("e", ACCOUNT, REGION, 1000.0, 1000.0, status=IN_SERVICE, fleet=FLEET, fleets=1)


class Node:
    """A data folder with programs, and a controller that is started on it, and perhaps again."""

    def __init__(self, data: Path) -> None:
        self.store, self.config = chosen.opened(data), Config(data=data)
        self.servers, self.now = ModelServers(), 1000.0
        self.loops = Supervisor()
        self._jobs, self._theirs = Jobs(0.0), Jobs(0.0)
        self._programs: list[asyncio.Task[int]] = []

    def home(self, endpoint: Endpoint = ENDPOINT) -> Path:
        """The folder of the container of an endpoint's only instance."""
        assert endpoint.fleet is not None
        (hosted,) = hosted_of(endpoint, endpoint.fleet)
        return home_of(self.config, endpoint.key) / hosted.id / "container-1"

    async def leave(self, command: Sequence[str], endpoint: Endpoint = ENDPOINT) -> Path:
        """Have a program run there, at the place of its socket; the folder that tells of it."""
        home = self.home(endpoint)
        spec = JobSpec(home / "run", home / "ml" / "server", command, {})
        self._programs.append(asyncio.create_task(self._theirs.run(spec)))
        await eventually_async(lambda: is_running(spec.folder))
        return spec.folder

    async def put(self, endpoint: Endpoint) -> None:
        await self.store.write(lambda tx: ENDPOINTS.put(tx, endpoint.key, endpoint))

    async def row(self) -> Endpoint | None:
        return await self.store.read(lambda tx: ENDPOINTS.get(tx, ENDPOINT.key))

    async def is_gone(self) -> bool:
        return await self.row() is None

    def start(self) -> None:
        """As a process of passrole that begins."""
        layers = Layers(self.config, self._jobs)
        means = Means(self.store, FakeDoor(), lambda: self.now, self.config, self._jobs, self.servers, layers)
        self.loops = Supervisor()
        EndpointController(means).start(self.loops)

    def followed(self) -> list[str]:
        """The model servers that have a loop."""
        return [each for each in self.loops.running() if each.startswith("model server ")]

    async def close(self) -> None:
        await self.loops.close()
        await self._theirs.close()
        for each in await asyncio.gather(*self._programs, return_exceptions=True):
            assert isinstance(each, int | JobLost), each
        await self.store.close()


Scenario = Callable[[Node], Awaitable[None]]


@pytest.fixture
def run_node(tmp_path: Path, sandboxed: None) -> Callable[[Scenario], None]:
    """Runs a scenario with a folder of its own."""

    def run(scenario: Scenario) -> None:
        async def opened() -> None:
            node = Node(tmp_path / "data")
            try:
                await scenario(node)
            finally:
                await node.close()

        asyncio.run(opened())

    return run
