"""A real server on loopback for the tests that speak to one, and callers with just the rights they name."""

import atexit
import functools
import io
import itertools
import json
import os
import signal
import sys
import textwrap
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
import hypothesis
import pytest
from botocore.config import Config as ClientConfig
from click.testing import CliRunner, Result
from tests.postgres import Cluster, PostgresMissing, cluster
from tests.server_process import Process
from tests.store import chosen, repeating

from passrole.config import Config
from passrole.runtimes import sandbox
from passrole.runtimes.spark import Spark
from passrole.store import sqlite

# The same examples in every run, so that a red build means a change; `PASSROLE_EXPLORE=1` looks for new ones.
# A busy machine makes them slowly, which is no failure.
UNHURRIED: dict[str, Any] = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("steady", derandomize=True, database=None, **UNHURRIED)
hypothesis.settings.load_profile("default" if os.environ.get("PASSROLE_EXPLORE") else "steady")

Document = Mapping[str, Any]

PROGRAMS: Mapping[str, Sequence[str]] = {
    "": ("-m", "passrole"),
    "postgres": ("-m", "passrole"),
    "repeating": (str(Path(__file__).parent / "store" / "repeating.py"),),
    "without-notices": (str(Path(__file__).parent / "store" / "without_notices.py"),),
}
"""What the server of a test is, by the store that PASSROLE_TEST_STORE asks for (tests/store)."""

if os.environ.get("PASSROLE_TEST_STORE") == "repeating":  # for tests that have a store in this process, too
    sqlite._outcomes = repeating.outcomes

_LONGEST = ("journeys/test_emr_spark.py", "crash/", "journeys/", "needs/", "cli/", "services/sagemaker/")
_APART = ("journeys/test_sdk.py", "journeys/test_pages.py")
"""Files that take many minutes, most of them asleep, and whose tests need nothing of each other."""

OBJECTS_ELSEWHERE = os.environ.get("PASSROLE_TEST_OBJECTS") == "elsewhere"
"""Each server keeps its objects at one of its own, of S3 alone: `make test-elsewhere`."""

own_objects = pytest.mark.skipif(OBJECTS_ELSEWHERE, reason="is about objects in the server's own folder")

SPARK_S3 = "folder"
"""Spark starts faster so; what it does by S3A is tried in journeys/test_emr_s3a.py."""

_numbers = itertools.count(1)
_making_clients = threading.Lock()
_CLIENT = ClientConfig(retries={"total_max_attempts": 1}, read_timeout=120, inject_host_prefix=False)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files that take minutes begin first: with one of them at the end, all wait for its worker.

    Several workers share the tests of _APART, with other files between them, so that few sleep at once.
    """
    if (obstacle := chosen.obstacle()) is not None:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=obstacle))
    items.sort(key=lambda item: _place(_path(item)))
    if hasattr(config, "workerinput"):  # of pytest-xdist
        items[:] = itertools.chain.from_iterable(_units(items))


@pytest.hookimpl(optionalhook=True)  # some environments have no pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """For `--dist loadfile`: what a worker takes is a file, or a test of _APART."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):  # type: ignore[misc]  # it has no types
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return nodeid if file.removeprefix("tests/") in _APART else file

    return Scheduling(config, log)


def _units(items: Sequence[pytest.Item]) -> Iterator[Sequence[pytest.Item]]:
    """What one worker runs at a time: a file, or a test of _APART after each second file."""
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(_path(item), []).append(item)
    apart = iter([[item] for path in _APART for item in files.pop(path, ())])
    for number, unit in enumerate(files.values()):
        yield unit
        yield from itertools.islice(apart, number % 2)
    yield from apart


def _path(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).as_posix()


def _place(path: str) -> int:
    return next((place for place, start in enumerate(_LONGEST) if path.startswith(start)), len(_LONGEST))


class Server:
    """`passrole serve` as a process of its own, on a free port."""

    variables: Mapping[str, str] = {}

    program: Sequence[str] = PROGRAMS[os.environ.get("PASSROLE_TEST_STORE", "")]

    def __init__(self, data: Path, **settings: str) -> None:
        """Functions and steps may write to the folders of tests, and so tell that they ran."""
        self.data = data
        usual = {"shared_paths": str(data.parents[1]), "spark_s3": SPARK_S3}
        self._settings = {**usual, **settings}
        if OBJECTS_ELSEWHERE and not {"only", "s3_endpoint"} & settings.keys():
            self._settings |= kept_at(Server(data.parent / f"{data.name}-objects", only="s3"))
        self._clients: dict[tuple[str, str, str | None, str], Any] = {}  # a client takes 10 ms to make
        self._port = "0"  # any free one; a server that is started again keeps it
        self.start()

    def start(self) -> None:
        words = [*self.program, "serve", "--data", str(self.data), "--port", self._port]
        settings = {**chosen.settings(self.data), **self._settings}
        environment = {f"PASSROLE_{name.upper()}": value for name, value in settings.items()}
        self.log = (self.data.parent / f"{self.data.name}.log").open("ab")
        self.process = Process(words, {"PATH": "/usr/bin:/bin", **self.variables, **environment}, self.log)
        line = self.process.stdout.readline()
        assert line.startswith("passrole is ready at "), (line, Path(self.log.name).read_text())
        self.url = line.split()[-1]
        self._port = self.url.rpartition(":")[2]
        self.access: dict[str, str] = json.loads((self.data / "credentials.json").read_text())
        self.account, self.region = self.access["account"], self.access["region"]

    def kill(self) -> None:
        """As a power cut does."""
        self.process.kill()
        self._ended()

    def stop(self) -> int:
        """As Ctrl-C does, which ends its programs too; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self._ended()

    def leave(self) -> int:
        """As `systemctl stop` does, which leaves jobs to the next server; the exit code."""
        self.process.terminate()
        return self._ended()

    def _ended(self) -> int:
        code = self.process.wait(20)
        self.process.stdout.close()
        self.log.close()
        return code

    def client(self, service: str, user_policy: Document | None = None, **options: Any) -> Any:
        """A boto3 client of the administrator, or of a fresh user with just that policy."""
        keys = self.access if user_policy is None else self.user(user_policy)
        return self.client_with(service, keys["access_key_id"], keys["secret_access_key"], **options)

    def client_with(
        self, service: str, key: str, secret: str, token: str | None = None, **options: Any
    ) -> Any:
        region = options.pop("region", self.region)
        found = self._clients.get((service, key, token, region))
        if found is None or options:
            keys = {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_session_token": token}
            with _making_clients:  # a session is not safe for threads
                found = _session().client(  # type: ignore[call-overload]
                    service, region_name=region, endpoint_url=self.url, config=_CLIENT, **keys, **options
                )
            self._clients[service, key, token, region] = found
        return found

    def user(self, policy: Document) -> dict[str, str]:
        """A fresh user's access key."""
        iam, name = self.client("iam"), new_name("user")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {
            "access_key_id": key["AccessKeyId"],
            "secret_access_key": key["SecretAccessKey"],
            "user": name,
        }

    def role(self, policies: Sequence[Document | str] = (), trust: str = "sagemaker.amazonaws.com") -> str:
        """A fresh role's ARN; a policy is a document, or the ARN of a managed one."""
        iam, name = self.client("iam"), new_name("role")
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trusting(trust)))[
            "Role"
        ]["Arn"]
        for number, policy in enumerate(policies):
            if isinstance(policy, str):
                iam.attach_role_policy(RoleName=name, PolicyArn=policy)
            else:
                iam.put_role_policy(RoleName=name, PolicyName=f"p{number}", PolicyDocument=json.dumps(policy))
        return arn

    def function(
        self, name: str, source: str, role: str | None = None, *, region: str | None = None, **settings: Any
    ) -> str:
        """A Python function's ARN, once it can be invoked; `source` is its module, `handler` its handler."""
        client = self.client("lambda", region=region or self.region)
        arn: str = client.create_function(
            FunctionName=name,
            Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
            Role=role or self.access["lambda_role_arn"],
            Handler="main.handler",
            Code={"ZipFile": zipped({"main.py": source})},
            **settings,
        )["FunctionArn"]
        client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return arn

    def finished(self, execution: str, seconds: float = 60) -> dict[str, Any]:
        """DescribePipelineExecution's answer once the execution has ended."""
        sagemaker, until = self.client("sagemaker"), time.monotonic() + seconds
        while True:
            answer: dict[str, Any] = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
            if answer["PipelineExecutionStatus"] in (
                "Succeeded",
                "Failed",
                "Stopped",
                "CompletedWithFailures",
            ):
                return answer
            assert time.monotonic() < until, answer["PipelineExecutionStatus"]
            time.sleep(0.02)

    def steps(self, execution: str) -> dict[str, dict[str, Any]]:
        """ListPipelineExecutionSteps, by name."""
        listed = self.client("sagemaker").list_pipeline_execution_steps(
            PipelineExecutionArn=execution, MaxResults=100
        )
        return {step["StepName"]: step for step in listed["PipelineExecutionSteps"]}


def kept_at(far: Server) -> dict[str, str]:
    """The settings of a server that keeps its objects at another one."""
    atexit.register(far.stop)  # which keeps it until then
    return {
        "s3_endpoint": far.url,
        "s3_access_key_id": far.access["access_key_id"],
        "s3_secret_access_key": far.access["secret_access_key"],
    }


@functools.cache
def _session() -> boto3.Session:
    """One for all clients: each new one reads the descriptions of services again, which takes it 0.1 s."""
    return boto3.Session()


def new_name(kind: str) -> str:
    """A name that nothing else has in this process: tests share a server."""
    return f"{kind}-{next(_numbers):04d}"


def zipped(files: Mapping[str, str]) -> bytes:
    """A zip archive's bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, textwrap.dedent(text))
    return buffer.getvalue()


def trusting(service: str) -> Document:
    """A role's trust policy for one service."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture(scope="session", autouse=True)
def the_store_is_named() -> Iterator[None]:
    """Commands in this process are told where the rows of their data folder are, as users tell them."""
    with pytest.MonkeyPatch.context() as patch:
        invoke = CliRunner.invoke

        def told(runner: CliRunner, cli: Any, args: Any = None, env: Any = None, **options: Any) -> Result:
            return invoke(runner, cli, args, env={**chosen.named_in(args or ()), **(env or {})}, **options)

        if chosen.IS_POSTGRES:
            patch.setattr(CliRunner, "invoke", told)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL of the tests' own; its tests are skipped where there is none."""
    pytest.importorskip("psycopg", reason="no psycopg here: install the extra `postgres`")
    try:
        with cluster(fsync="off") as running:
            yield running
    except PostgresMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of a worker process; tests name what they create so that they do not meet.

    Without containers, so that an image that cannot be run is refused on every machine alike.
    """
    running = Server(tmp_path_factory.mktemp("server") / "data", containers="none")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def spark() -> None:
    """For tests that run Spark: they are skipped where the machine has none."""
    elsewhere = "http://elsewhere" if OBJECTS_ELSEWHERE else ""
    reason = Spark(Config(spark_s3=SPARK_S3, s3_endpoint=elsewhere)).unavailable_reason()
    if reason is not None:
        pytest.skip(f"no Spark here: {reason}")


@pytest.fixture(scope="session")
def sandboxed() -> None:
    """For tests that run jobs: they are skipped where the machine has no sandbox."""
    try:
        sandbox.chosen()
    except sandbox.SandboxMissing as error:
        pytest.skip(str(error))


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start a server of one's own: `start_server(lambda_bootstrap="own")`; it is stopped at the end."""
    started: list[Server] = []

    def start(**settings: str) -> Server:
        started.append(Server(tmp_path / f"data-{len(started)}", **settings))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.stop()
