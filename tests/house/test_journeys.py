"""The four journeys that ARCHITECTURE.md tells are the ways that calls really take.

A journey is told in legs, with `== commit ==` between them. One task must pass the modules of a leg in their
order; what other tasks do meanwhile, a client that polls for instance, does not count.
"""

import asyncio
import base64
import io
import json
import sys
import urllib.parse
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.conftest import trusting
from tests.eventually import eventually_async
from tests.house.trace import ROOT, Trace, traced
from tests.policies import allowing

from passrole import app
from passrole.config import Config
from passrole.gateway import Gateway

PORT = 4566
START, LAMBDA, EMR, JOB = "StartPipelineExecution", "A Lambda step", "An EMR step", "A Processing step"
FALSE_CLAIMS = [
    # journey   after this module              it is told to pass this one
    (START,     "history/outbox",              "worker/loop"),
    (START,     "wire/sigv4",                  "services/sagemaker/pipelines"),
    (LAMBDA,    "engine/resolve",              "runtimes/functions"),
    (LAMBDA,    "worker/effects",              "gateway/asgi"),
    (LAMBDA,    "worker/calls",                "wire/sigv4"),
    (LAMBDA,    "runtimes/functions",          "services/sagemaker/executions"),
    (EMR,       "worker/job_steps/emr",        "gateway/asgi"),
    (EMR,       "runtimes/jobs",               "runtimes/functions"),
    (EMR,       "history/jobs",                "runtimes/jobs"),
    (JOB,       "worker/effects",              "worker/jobs/run"),
    (JOB,       "worker/jobs/run",             "worker/job_monitor"),
]  # fmt: skip


def legs(journey: str) -> list[list[str]]:
    """The modules that a paragraph of ARCHITECTURE.md names, in its order, a list a leg."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    paragraph = text.partition(f"**{journey}.**")[2].partition("\n\n")[0]
    told = [[word for word in leg.split("`")[1::2] if "/" in word] for leg in paragraph.split("== commit ==")]
    return [leg for leg in told if leg]


class Client:
    """Calls the gateway in this process, as a signed request would reach it."""

    def __init__(self, gateway: Gateway, access: app.Access) -> None:
        self._gateway = gateway
        self._credentials = Credentials(access.access_key_id, access.secret_access_key)
        self._region = access.region

    async def sagemaker(self, operation: str, parameters: Mapping[str, Any]) -> Any:
        return await self._json(f"SageMaker.{operation}", parameters, "sagemaker")

    async def emr(self, operation: str, parameters: Mapping[str, Any]) -> Any:
        return await self._json(f"ElasticMapReduce.{operation}", parameters, "elasticmapreduce")

    async def lambda_(self, path: str, parameters: Mapping[str, Any]) -> Any:
        body = json.dumps(parameters).encode()
        return json.loads(await self._send(path, {"content-type": "application/json"}, body, "lambda"))

    async def iam(self, operation: str, **parameters: str) -> None:
        form = {"Action": operation, "Version": "2010-05-08", **parameters}
        headers = {"content-type": "application/x-www-form-urlencoded"}
        await self._send("/", headers, urllib.parse.urlencode(form).encode(), "iam")

    async def _json(self, target: str, parameters: Mapping[str, Any], service: str) -> Any:
        headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.1"}
        return json.loads(await self._send("/", headers, json.dumps(parameters).encode(), service) or b"{}")

    async def _send(self, path: str, headers: Mapping[str, str], body: bytes, service: str) -> bytes:
        request = AWSRequest("POST", f"http://127.0.0.1:{PORT}{path}", dict(headers), body)
        request.headers["host"] = f"127.0.0.1:{PORT}"
        SigV4Auth(self._credentials, service, self._region).add_auth(request)
        scope = {
            "type": "http",
            "method": "POST",
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

        await asyncio.create_task(self._gateway(scope, receive, send))  # a task a request, as uvicorn does
        answer: bytes = sent[1]["body"]
        assert sent[0]["status"] < 300, answer
        return answer


async def run_to_its_end(client: Client, access: app.Access, trace: Trace, step: dict[str, Any]) -> None:
    """A pipeline of this one step; what made it is not traced."""
    name = f"{step['Type']}-pipeline"
    definition = json.dumps({"Version": "2020-12-01", "Steps": [{"Name": "S", **step}]})
    pipeline = {"PipelineName": name, "RoleArn": access.role_arn, "PipelineDefinition": definition}
    await client.sagemaker("CreatePipeline", {**pipeline, "ClientRequestToken": "c" * 32})
    trace.clear()
    start = {"PipelineName": name, "ClientRequestToken": "t" * 32}
    execution = await client.sagemaker("StartPipelineExecution", start)

    async def over() -> Any:
        answer = await client.sagemaker("DescribePipelineExecution", execution)
        return answer if answer["PipelineExecutionStatus"] != "Executing" else None

    ended = await eventually_async(over)
    assert ended["PipelineExecutionStatus"] == "Succeeded", ended


async def lambda_step(client: Client, access: app.Access) -> dict[str, Any]:
    """A step that invokes a new function."""
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
    arn = (await client.lambda_("/2015-03-31/functions", function))["FunctionArn"]
    return {"Type": "Lambda", "FunctionArn": arn, "Arguments": {"n": 1}, "OutputParameters": []}


async def emr_step(client: Client, access: app.Access) -> dict[str, Any]:
    """A step that runs a program on a new cluster."""
    for name, service in (("emr", "elasticmapreduce.amazonaws.com"), ("ec2", "ec2.amazonaws.com")):
        trust = json.dumps(trusting(service))
        await client.iam("CreateRole", RoleName=name, AssumeRolePolicyDocument=trust)
    policy = json.dumps(allowing("s3:*"))
    await client.iam("PutRolePolicy", RoleName="ec2", PolicyName="p", PolicyDocument=policy)
    await client.iam("CreateInstanceProfile", InstanceProfileName="ec2")
    await client.iam("AddRoleToInstanceProfile", InstanceProfileName="ec2", RoleName="ec2")
    cluster = {
        "Name": "c",
        "Instances": {"KeepJobFlowAliveWhenNoSteps": True},
        "JobFlowRole": "ec2",
        "ServiceRole": "emr",
        "ReleaseLabel": "emr-7.1.0",
    }
    made = (await client.emr("RunJobFlow", cluster))["JobFlowId"]
    config = {"HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["true"]}}
    return {"Type": "EMR", "Arguments": {"ClusterId": made, "StepConfig": config}}


async def processing_step(client: Client, access: app.Access) -> dict[str, Any]:
    """A step that runs a job as the pipeline's own role."""
    policy = json.dumps(allowing("sagemaker:*", "iam:PassRole", "s3:*", "logs:*"))
    role = access.role_arn.rpartition("/")[2]
    await client.iam("PutRolePolicy", RoleName=role, PolicyName="jobs", PolicyDocument=policy)
    arguments = {
        "RoleArn": access.role_arn,
        "AppSpecification": {"ImageUri": "image", "ContainerEntrypoint": ["true"]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
    }
    return {"Type": "Processing", "Arguments": arguments, "CacheConfig": {"Enabled": True}}


STEPS: dict[str, Callable[[Client, app.Access], Any]] = {
    START: lambda_step,
    LAMBDA: lambda_step,
    EMR: emr_step,
    JOB: processing_step,
}


async def replayed(config: Config, journey: str, monkeypatch: pytest.MonkeyPatch) -> Trace:
    with traced(monkeypatch) as trace:
        async with app.opened(config) as (gateway, *_):
            access = app.access(config)
            assert access is not None
            client = Client(gateway, access)
            await run_to_its_end(client, access, trace, await STEPS[journey](client, access))
        return trace


@pytest.fixture(scope="module")
def traces(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Trace]]:
    """What happens on a journey; each is made once."""
    made: dict[str, Trace] = {}

    def of(journey: str) -> Trace:
        if journey == JOB:
            request.getfixturevalue("sandboxed")
        if journey not in made:
            folder = tmp_path_factory.mktemp("journey")
            with pytest.MonkeyPatch.context() as monkeypatch:
                made[journey] = asyncio.run(replayed(Config(data=folder / "data"), journey, monkeypatch))
        return made[journey]

    yield of


@pytest.mark.parametrize("journey", list(STEPS))
def test_a_journey_is_told_as_it_is_taken(traces: Callable[[str], Trace], journey: str) -> None:
    told = legs(journey)
    assert sum(len(leg) for leg in told) > 8
    for leg in told:
        missed = traces(journey).missed(leg)
        assert missed is None, f"no task passes `{missed}` where ARCHITECTURE.md says: {' '.join(leg)}"


@pytest.mark.parametrize("journey, module, claim", FALSE_CLAIMS)
def test_a_false_claim_is_noticed(
    traces: Callable[[str], Trace], journey: str, module: str, claim: str
) -> None:
    (leg,) = [leg for leg in legs(journey) if module in leg][:1]
    place = leg.index(module) + 1
    assert traces(journey).missed([*leg[:place], claim, *leg[place:]]) == claim
