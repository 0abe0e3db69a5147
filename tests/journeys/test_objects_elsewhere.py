"""Objects at another endpoint, which is a passrole of S3 alone: all that touches an object finds it there.

Who may is decided by the server that is called; the endpoint knows one caller, the key of the settings. More
tests run so with PASSROLE_TEST_OBJECTS=elsewhere.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner
from tests.conftest import Server, kept_at, zipped
from tests.policies import allowing
from tests.services.sagemaker.hosting.conftest import LOGS, Host
from tests.services.sagemaker.jobs.workshop import Workshop
from tests.store import chosen

from passrole.cli import main

READS = (
    "import boto3, os\n"
    "def handler(event, context):\n"
    "    s3 = boto3.client('s3')\n"
    "    return s3.get_object(Bucket=event['bucket'], Key=event['key'])['Body'].read().decode()\n"
)
UPLOADS = (
    "import sagemaker, sys\n"
    "session = sagemaker.Session()\n"
    "print(session.upload_data(sys.argv[1], key_prefix='up'))\n"
    "print(session.read_s3_file(session.default_bucket(), 'up/numbers.csv'))\n"
)


class Pair(NamedTuple):
    """`near` keeps its objects at `far`."""

    near: Server
    far: Server

    def has_at_far(self, bucket: str, key: str) -> bytes:
        """An object's bytes at the endpoint; the server that was called has none in its folder."""
        assert not [*self.near.data.glob(f"s3/{bucket}")]
        body: bytes = self.far.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def explained(self) -> str:
        """What `explain` says of the last denial, at the server that was called."""
        where = chosen.environment(self.near.data)
        return CliRunner().invoke(main, ["explain", "--data", str(self.near.data)], env=where).stdout


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    far = Server(folder / "far", only="s3")
    near = Server(folder / "near", containers="none", **kept_at(far))
    yield Pair(near, far)
    near.stop()


@pytest.fixture(scope="module")
def shop(pair: Pair) -> Workshop:
    shop = Workshop(pair.near)
    shop.put(data__a="one\n", data__large=b"x" * 20_000_000, closed__a="no\n")
    return shop


def role_of(shop: Workshop) -> str:
    """A role that may not read what is below `closed/`."""
    bucket = f"arn:aws:s3:::{shop.bucket}"
    closed = allowing("s3:GetObject", resource=f"{bucket}/closed/*")["Statement"][0] | {"Effect": "Deny"}
    allowed = allowing("s3:*", *LOGS)
    return shop.server.role([{**allowed, "Statement": [*allowed["Statement"], closed]}])


@pytest.mark.usefixtures("sandboxed")
def test_jobs_read_and_write_there(pair: Pair, shop: Workshop) -> None:
    script = "cat /opt/ml/processing/in/a > /opt/ml/processing/out/b; wc -c < /opt/ml/processing/in/large"
    job = shop.process(script, {"in": "data/"}, {"out": "made"}, RoleArn=role_of(shop))
    assert job["ProcessingJobStatus"] == "Completed", job
    assert pair.has_at_far(shop.bucket, "made/b") == b"one\n"
    assert shop.log("Processing", job["ProcessingJobName"]) == ["20000000"]
    checkpoints = {"S3Uri": f"s3://{shop.bucket}/checkpoints"}
    script = "echo 1 > /opt/ml/checkpoints/c; cp /opt/ml/input/data/train/a /opt/ml/model/m"
    trained = shop.train(script, {"train": "data/"}, RoleArn=role_of(shop), CheckpointConfig=checkpoints)
    assert trained["TrainingJobStatus"] == "Completed", trained
    assert pair.has_at_far(shop.bucket, "checkpoints/c") == b"1\n"
    uri = trained["ModelArtifacts"]["S3ModelArtifacts"]
    assert pair.has_at_far(shop.bucket, uri.removeprefix(f"s3://{shop.bucket}/"))


@pytest.mark.usefixtures("sandboxed")
def test_a_jobs_role_is_denied_here_and_explain_names_it(pair: Pair, shop: Workshop) -> None:
    role = role_of(shop)
    job = shop.process("true", {"in": "closed/"}, RoleArn=role)
    assert job["ProcessingJobStatus"] == "Failed"
    assert (
        f'is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::{shop.bucket}/closed/a"'
        in (job["FailureReason"])
    )
    told = pair.explained()
    assert role.rpartition("/")[2] in told and f"arn:aws:s3:::{shop.bucket}/closed/a" in told, told
    assert "s3:GetObject" in told


@pytest.mark.usefixtures("sandboxed")
def test_an_endpoint_serves_a_model_that_is_there(pair: Pair) -> None:
    host = Host(pair.near)
    try:
        name = host.endpoint()
        host.in_service(name)
        assert host.ask(name) == [2, 4]
        host.gone(name)
    finally:
        host.close()


def test_functions_are_deployed_from_there_and_read_there(pair: Pair, shop: Workshop) -> None:
    bucket = f"arn:aws:s3:::{shop.bucket}"
    role = pair.near.role(
        [allowing("s3:GetObject", resource=f"{bucket}/data/*")], trust="lambda.amazonaws.com"
    )
    function = pair.near.function("reads-elsewhere", READS, role)
    assert invoked(pair, function, shop.bucket, "data/a") == '"one\\n"'
    denied = json.loads(invoked(pair, function, shop.bucket, "closed/a"))["errorMessage"]
    assert f'is not authorized to perform: s3:GetObject on resource: "{bucket}/closed/a"' in denied
    assert f"{bucket}/closed/a" in pair.explained()
    archive = pair.near.client("lambda").get_function(FunctionName=function)["Configuration"]["CodeSize"]
    from_s3 = {"S3Bucket": shop.bucket, "S3Key": "code.zip"}
    shop.put(**{"code.zip": zipped({"main.py": READS})})
    updated = pair.near.client("lambda").update_function_code(FunctionName=function, **from_s3)
    assert updated["CodeSize"] == archive


def test_uploads_of_the_sdk_arrive_there(pair: Pair, tmp_path: Any) -> None:
    pytest.importorskip("sagemaker.session", reason="version 2 of the SageMaker SDK is not installed")
    (tmp_path / "numbers.csv").write_text("1,2,3")
    program = [sys.executable, "-c", UPLOADS, str(tmp_path / "numbers.csv")]
    command = [sys.executable, "-m", "passrole", "exec", "--data", str(pair.near.data), "--", *program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    uri, read = done.stdout.split()[-2:]
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    assert (read, pair.has_at_far(bucket, key)) == ("1,2,3", b"1,2,3")


def invoked(pair: Pair, function: str, bucket: str, key: str) -> str:
    asked = f'{{"bucket": "{bucket}", "key": "{key}"}}'
    answer = pair.near.client("lambda").invoke(FunctionName=function, Payload=asked.encode())
    return str(answer["Payload"].read().decode())
