"""The two journeys that ARCHITECTURE.md tells are the ways that calls really take."""

import asyncio
import base64
import io
import json
import sys
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from passrole import app
from passrole.config import Config
from passrole.gateway import Gateway

ROOT = Path(__file__).parents[2]
SOURCE = str(ROOT / "src" / "passrole") + "/"
PORT = 4566


def told(journey: str) -> list[str]:
    """The modules that a paragraph of ARCHITECTURE.md names, in its order."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    paragraph = text.partition(f"**{journey}.**")[2].partition("\n\n")[0]
    return [word for word in paragraph.split("`")[1::2] if "/" in word]


@contextmanager
def traced() -> Iterator[list[str]]:
    """Modules of passrole in the order in which their functions are called, in every thread."""
    modules: list[str] = []

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(SOURCE):
            modules.append(frame.f_code.co_filename.removeprefix(SOURCE).removesuffix(".py"))

    threading.setprofile(note)  # for threads that start from now on: the store's writer among them
    sys.setprofile(note)
    try:
        yield modules
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


class Client:
    """Calls the gateway in this process, as a signed request would reach it."""

    def __init__(self, gateway: Gateway, access: app.Access) -> None:
        self._gateway = gateway
        self._credentials = Credentials(access.access_key_id, access.secret_access_key)
        self._region = access.region

    async def sagemaker(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        headers = {"x-amz-target": f"SageMaker.{operation}", "content-type": "application/x-amz-json-1.1"}
        return await self.send("POST", "/", headers, parameters, "sagemaker")

    async def lambda_(self, path: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return await self.send("POST", path, {"content-type": "application/json"}, parameters, "lambda")

    async def send(
        self, method: str, path: str, headers: Mapping[str, str], parameters: Mapping[str, Any], service: str
    ) -> dict[str, Any]:
        body = json.dumps(parameters).encode()
        request = AWSRequest(method, f"http://127.0.0.1:{PORT}{path}", dict(headers), body)
        request.headers["host"] = f"127.0.0.1:{PORT}"
        SigV4Auth(self._credentials, service, self._region).add_auth(request)
        scope = {
            "type": "http",
            "method": method,
            "scheme": "http",
            "raw_path": path.encode(),
            "path": path,
            "query_string": b"",
            "client": ("127.0.0.1", 1),
            "headers": [(name.lower().encode(), value.encode()) for name, value in request.headers.items()],
        }
        sent: list[Mapping[str, Any]] = []

        async def receive() -> Mapping[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: Mapping[str, Any]) -> None:
            sent.append(message)

        await self._gateway(scope, receive, send)
        answer: dict[str, Any] = json.loads(sent[1]["body"])
        assert sent[0]["status"] < 300, answer
        return answer


async def journey(config: Config) -> tuple[list[str], list[str]]:
    """What was called while an execution was started, and from its start to its end."""
    with traced() as modules:
        async with app.opened(config) as gateway:
            access = app.access(config)
            assert access is not None
            client = Client(gateway, access)
            await created(client, access)
            modules.clear()
            start = {"PipelineName": "p", "ClientRequestToken": "t" * 32}
            execution = await client.sagemaker("StartPipelineExecution", start)
            until_started = list(modules)
            assert await ended(client, execution) == "Succeeded"
            return until_started, list(modules)


async def ended(client: Client, execution: Mapping[str, Any]) -> str:
    """The status with which an execution ended."""
    for _ in range(1000):
        status: str = (await client.sagemaker("DescribePipelineExecution", execution))[
            "PipelineExecutionStatus"
        ]
        if status != "Executing":
            return status
        await asyncio.sleep(0.01)
    raise AssertionError("the execution did not end")


async def created(client: Client, access: app.Access) -> None:
    """A function and a pipeline of one step that invokes it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("main.py", "def handler(event, context):\n    return event\n")
    function = {
        "FunctionName": "a-sagemaker",
        "Role": access.lambda_role_arn,
        "Runtime": f"python3.{sys.version_info.minor}",
        "Handler": "main.handler",
        "Code": {"ZipFile": base64.b64encode(archive.getvalue()).decode()},
    }
    arn: str = (await client.lambda_("/2015-03-31/functions", function))["FunctionArn"]
    step = {"Name": "S", "Type": "Lambda", "FunctionArn": arn, "Arguments": {"n": 1}, "OutputParameters": []}
    definition = json.dumps({"Version": "2020-12-01", "Steps": [step]})
    pipeline = {"PipelineName": "p", "RoleArn": access.role_arn, "PipelineDefinition": definition}
    await client.sagemaker("CreatePipeline", {**pipeline, "ClientRequestToken": "c" * 32})


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str]]:
    return asyncio.run(journey(Config(data=tmp_path_factory.mktemp("journey") / "data")))


@pytest.mark.parametrize("index, name", [(0, "StartPipelineExecution"), (1, "A Lambda step")])
def test_a_journey_is_told_as_it_is_taken(taken: tuple[list[str], list[str]], index: int, name: str) -> None:
    modules = iter(taken[index])
    way = told(name)
    assert len(way) > 8
    missed = next((module for module in way if module not in modules), None)
    assert missed is None, f"the code does not pass `{missed}` where ARCHITECTURE.md says"
