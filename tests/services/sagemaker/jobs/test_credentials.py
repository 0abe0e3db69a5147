"""The credentials of a job's program: they can be renewed while it runs, by nobody else and never after."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.credentials import ContainerProvider
from tests.conftest import Server
from tests.eventually import eventually
from tests.services.sagemaker.jobs.workshop import Workshop

from passrole import trees
from passrole.config import Config

URI, TOKEN = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"
SHOW = (
    f'cd /opt/ml/output; echo "${URI} ${TOKEN} $AWS_ACCESS_KEY_ID" > new; mv new given;'
    ' trap "exit 0" TERM; while :; do sleep 0.05; done'
)


class Running(NamedTuple):
    """A job that runs, and what its program was given."""

    name: str
    uri: str
    token: str


def _running(workshop: Workshop, **changes: Any) -> Running:
    request = workshop.training(SHOW, **changes)
    name = request["TrainingJobName"]
    workshop.sagemaker.create_training_job(**request)

    def given() -> str:
        found = list(workshop.server.data.glob(f"jobs/training-job/*/*/{name}/algo-1/ml/output/given"))
        return found[0].read_text() if found else ""

    uri, token = eventually(given).split()
    return Running(name, uri, token)


def _status(uri: str, token: str | None) -> int:
    request = urllib.request.Request(uri, headers={} if token is None else {"Authorization": token})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture(scope="module")
def running(workshop: Workshop) -> Iterator[Running]:
    job = _running(workshop)
    yield job
    workshop.sagemaker.stop_training_job(TrainingJobName=job.name)


def test_an_sdk_gets_the_jobs_role_and_new_keys_each_time(workshop: Workshop, running: Running) -> None:
    provider = ContainerProvider({URI: running.uri, TOKEN: running.token})
    loaded = [provider.load() for _ in range(2)]
    first, second = (each.get_frozen_credentials() for each in loaded if each is not None)
    assert first.access_key != second.access_key
    for keys in (first, second):
        assert keys.access_key and keys.secret_key
        sts = workshop.server.client_with("sts", keys.access_key, keys.secret_key, keys.token)
        role = workshop.role.rpartition("/")[2]
        assert f":assumed-role/{role}/SageMaker" in sts.get_caller_identity()["Arn"]


def test_nobody_else_gets_any(workshop: Workshop, running: Running) -> None:
    other = _running(workshop)
    place = running.uri.removeprefix(workshop.server.url)
    assert _status(running.uri, running.token) == 200
    for token in (None, "", running.token[:-1], running.token + "x", other.token, f"Bearer {running.token}"):
        assert _status(running.uri, token) == 401, token
    for elsewhere in (
        f"{running.uri}/",
        running.uri.replace("algo-1", "algo-2"),
        running.uri.replace("training-job", "processing-job"),
        running.uri.replace(running.name, "missing"),
        running.uri.replace("training-job", "role"),
        f"{workshop.server.url}/_passrole/job-credentials/",
    ):
        assert _status(elsewhere, running.token) == 401, elsewhere
    assert workshop.server.client("s3").head_bucket(Bucket=workshop.bucket)
    assert _status(f"{workshop.server.url}{place}", None) == 401
    workshop.sagemaker.stop_training_job(TrainingJobName=other.name)
    workshop.trained(other.name)
    assert _status(other.uri, other.token) == 401


def test_a_token_is_written_nowhere(workshop: Workshop, running: Running) -> None:
    _status(running.uri, running.token)
    _status(running.uri, running.token[:-1])
    server = workshop.server
    log = Path(server.log.name).read_text()
    files = [path for path in trees.files(server.data) if path.is_file() and path.name != "given"]
    assert running.token not in log
    having = [path for path in files if running.token.encode() in _content(path)]
    assert [(path.name, path.stat().st_mode & 0o077) for path in having] == [("environment", 0)]
    described = workshop.sagemaker.describe_training_job(TrainingJobName=running.name)
    assert "okens" not in json.dumps(described, default=str)


def test_a_program_without_network_has_none(workshop: Workshop) -> None:
    script = "cat > /dev/null; printenv | grep -c -e KEY -e TOKEN -e CREDENTIALS > /opt/ml/processing/out/n"
    workshop.process(script, {}, {"out": "none"}, NetworkConfig={"EnableNetworkIsolation": True})
    assert workshop.read("none/n").strip() == b"0"


def test_a_role_that_trusts_no_more_gets_none(workshop: Workshop) -> None:
    role = workshop.server.role()
    job = _running(workshop, RoleArn=role)
    nobody = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:*"}]}
    name = role.rpartition("/")[2]
    workshop.server.client("iam").update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(nobody))
    assert _status(job.uri, job.token) == 403
    workshop.sagemaker.stop_training_job(TrainingJobName=job.name)


def test_a_token_outlives_a_server(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    try:
        workshop = Workshop(server)
        job = _running(workshop)
        server.kill()
        server.start()
        assert _status(job.uri, job.token) == 200
        workshop.sagemaker.stop_training_job(TrainingJobName=job.name)
        workshop.trained(job.name)
        assert _status(job.uri, job.token) == 401
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:1"),
        ("localhost", "http://localhost:1"),
        ("::1", "http://[::1]:1"),
        ("0.0.0.0", "http://127.0.0.1:1"),
        ("::", "http://[::1]:1"),
        ("192.0.2.1", None),
        ("example.org", None),
    ],
)
def test_sdks_ask_a_loopback_address_only(host: str, url: str | None) -> None:
    assert Config(host=host, port=1).loopback_url == url


def _content(path: Path) -> bytes:
    """Of a file that may be another job's, which ends meanwhile."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
