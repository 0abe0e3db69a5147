"""A container of a model is served in a sandbox, found again, and refused in plain words."""

import asyncio
import io
import tarfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.runtimes.programs.served_model import DOUBLE
from tests.worker.conftest import FakeDoor

from passrole.config import Config, ImageRules, Paths
from passrole.policy.request import service_principal
from passrole.runtimes.jobs import Jobs
from passrole.runtimes.ml.environment import Access
from passrole.worker.jobs import serving
from passrole.worker.jobs.failures import JobFailed
from passrole.worker.jobs.instance_run import InstanceRun
from passrole.worker.jobs.programs import Instance
from passrole.worker.jobs.s3 import Objects
from passrole.worker.jobs.serving import ModelServer

SKLEARN = "1.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
CONTAINER = {"Image": SKLEARN, "ModelDataUrl": "s3://b/m/model.tar.gz", "Environment": {"ADDED": "yes"}}
MODEL = {"factor.json": "2", "code/inference.py": DOUBLE.replace("\n    ", "\n")}


class Stand:
    """A model's server over a fake S3 that has its archive."""

    def __init__(self, data: Path, container: Mapping[str, Any], files: Mapping[str, str], **settings: Any):
        archive = _archive(files)
        door = FakeDoor()
        listed = {"Contents": [{"Key": "m/model.tar.gz", "Size": len(archive)}], "IsTruncated": False}
        door.prepare("ListObjectsV2", listed)
        door.prepare("GetObject", {"Body": archive})
        self.objects = Objects(door, service_principal("sagemaker.amazonaws.com", "1"), "us-east-1")
        self.config, self.jobs = Config(data=data, **settings), Jobs()
        self.instance = Instance("algo-1", 0, data.resolve() / "served/algo-1")
        self.container = container
        self.server = self.made(self.jobs)

    def made(self, jobs: Jobs) -> ModelServer:
        """As another process of the server makes it."""
        work = serving.workload(self.container, is_isolated=True)
        return ModelServer(InstanceRun(work, self.instance, self.config, jobs, _access), self.container)

    def printed(self) -> str:
        return (self.instance.run / "stdout").read_text()


async def _access() -> Access:
    return Access("us-east-1", "http://127.0.0.1:1", None)


def _archive(files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def _run(stand: Stand, scenario: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        try:
            await scenario()
        finally:
            stand.server.client.close()
            await stand.jobs.close()

    asyncio.run(run())


def test_a_model_is_served_without_a_network_and_found_again(tmp_path: Path, sandboxed: None) -> None:
    stand = Stand(tmp_path / "data", CONTAINER, MODEL)

    async def scenario() -> None:
        server = stand.server
        await server.prepare(stand.objects)
        running = asyncio.ensure_future(server.run.run())
        await server.until_ready(running)
        answer = await server.client.invoke(b"1,2\n", {"Content-Type": "text/csv"}, seconds_max=30)
        assert answer.body == b"[2.0, 4.0]"

        again = stand.made(Jobs())
        found = asyncio.ensure_future(again.run.run())
        await again.until_ready(found)
        assert (await again.client.invoke(b"[3]", {}, seconds_max=30)).body == b"[6.0]"
        again.client.close()

        async def is_asked() -> bool:
            return await server.run.asked_to_end()

        await eventually_async(is_asked)
        assert (await running, await found) == (0, 0)
        assert stand.printed().count("The model is loaded") == 1

    _run(stand, scenario)


@pytest.mark.parametrize(
    ("container", "files", "reason"),
    [
        (CONTAINER, {"factor.json": "2"}, "ended with exit code 1"),
        (CONTAINER, {"../outside": "x"}, r"model.tar.gz is refused: '../outside' leads out of the folder"),
        ({**CONTAINER, "Mode": "MultiModel"}, MODEL, "does not support containers with Mode MultiModel"),
        (
            {**CONTAINER, "Image": "1.dkr.ecr.us-east-1.amazonaws.com/mine:1"},
            MODEL,
            "has a program of its own",
        ),
    ],
)
def test_what_cannot_be_served_fails_in_words(
    tmp_path: Path, sandboxed: None, container: dict[str, Any], files: dict[str, str], reason: str
) -> None:
    stand = Stand(tmp_path / "data", container, files, containers="none")

    async def scenario() -> None:
        with pytest.raises(JobFailed, match=reason):
            await stand.server.prepare(stand.objects)
            await stand.server.until_ready(asyncio.ensure_future(stand.server.run.run()))

    _run(stand, scenario)


def test_one_that_never_answers_fails_after_its_time(tmp_path: Path, sandboxed: None) -> None:
    waits = {**MODEL, "code/inference.py": "import time\ntime.sleep(600)\n"}
    stand = Stand(tmp_path / "data", CONTAINER, waits)

    async def scenario() -> None:
        await stand.server.prepare(stand.objects)
        running = asyncio.ensure_future(stand.server.run.run())
        with pytest.raises(JobFailed, match="did not pass the ping health check in 1 s"):
            await stand.server.until_ready(running, 1)
        await stand.server.run.end_now()

    _run(stand, scenario)


SERVES = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(sys.argv[1].encode())
http.server.HTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
"""


def test_a_command_of_the_settings_serves_on_a_port_of_its_own(tmp_path: Path, sandboxed: None) -> None:
    (tmp_path / "serves.py").write_text(SERVES)
    rule = ImageRules(f"'*/mine:*=command:python {tmp_path}/serves.py'")
    container = {"Image": "x/mine:1"}
    stand = Stand(
        tmp_path / "data", container, MODEL, images=rule, shared_paths=Paths(str(tmp_path / "serves.py"))
    )

    async def scenario() -> None:
        work = serving.workload(container, is_isolated=False)
        run = InstanceRun(work, stand.instance, stand.config, stand.jobs, _access)
        stand.server = server = ModelServer(run, container)
        await server.prepare(stand.objects)
        running = asyncio.ensure_future(run.run())
        await server.until_ready(running)
        assert (await server.client.ask("GET", "/ping")).body == b"serve"

    _run(stand, scenario)
