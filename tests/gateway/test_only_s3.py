"""`passrole serve --only s3`: a server of S3, and of who may call it, that has nothing else."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner
from tests.conftest import Server
from tests.policies import allowing

from passrole import app
from passrole.cli import main
from passrole.config import Config

BUCKET = "lake"


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("alone") / "data", only="s3")
    server.client("s3").create_bucket(Bucket=BUCKET)
    yield server
    server.stop()


def refused(act: Callable[[], object]) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as caught:
        act()
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], str(caught.value)


def test_objects_come_and_go_as_iam_decides(alone: Server) -> None:
    admin = alone.client("s3")
    admin.put_object(Bucket=BUCKET, Key="open/a", Body=b"1")
    admin.put_object(Bucket=BUCKET, Key="closed/a", Body=b"2")
    reader = alone.client("s3", allowing("s3:GetObject", resource=f"arn:aws:s3:::{BUCKET}/open/*"))
    assert reader.get_object(Bucket=BUCKET, Key="open/a")["Body"].read() == b"1"
    code, status, said = refused(lambda: reader.get_object(Bucket=BUCKET, Key="closed/a"))
    assert (code, status) == ("AccessDenied", 403)
    assert f'is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::{BUCKET}/closed/a"' in said
    told = CliRunner().invoke(main, ["explain", "--data", str(alone.data)]).stdout
    assert f"arn:aws:s3:::{BUCKET}/closed/a" in told


def test_sessions_of_roles_call_it(alone: Server) -> None:
    role = alone.role([allowing("s3:ListBucket")])
    own = {"Effect": "Allow", "Principal": {"AWS": alone.account}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [own]})
    alone.client("iam").update_assume_role_policy(RoleName=role.rpartition("/")[2], PolicyDocument=trust)
    session = alone.client("sts").assume_role(RoleArn=role, RoleSessionName="reader")["Credentials"]
    keys = session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]
    assert alone.client_with("s3", *keys).list_objects_v2(Bucket=BUCKET)["Name"] == BUCKET
    assert refused(lambda: alone.client_with("s3", *keys).list_buckets())[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("service", "operation", "asked"),
    [
        ("ecr", "describe_repositories", {}),
        ("emr", "list_clusters", {}),
        ("emr-serverless", "list_applications", {}),
        ("events", "list_rules", {}),
        ("kms", "list_keys", {}),
        ("lambda", "list_functions", {}),
        ("logs", "describe_log_groups", {}),
        ("sagemaker", "list_pipelines", {}),
        ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "e", "Body": b""}),
        ("scheduler", "list_schedules", {}),
        ("sqs", "list_queues", {}),
    ],
)
def test_every_other_service_is_refused(
    alone: Server, service: str, operation: str, asked: dict[str, Any]
) -> None:
    code, status, said = refused(lambda: getattr(alone.client(service), operation)(**asked))
    assert (code, status) == ("UnknownOperationException", 400)
    assert said.endswith("this server has s3 alone")


def test_a_wrong_signature_learns_nothing_of_that(alone: Server) -> None:
    stranger = alone.client_with("sqs", alone.access["access_key_id"], "wrong", region="eu-west-1")
    code, _, said = refused(stranger.list_queues)
    assert ("Signature" in code, "alone" in said) == (True, False)


def test_its_state_is_told_without_what_it_has_not(alone: Server) -> None:
    told = CliRunner().invoke(main, ["status", "--data", str(alone.data)])
    assert (told.exit_code, "and has s3 alone" in told.stdout) == (0, True), told
    assert "pipelines" not in told.stdout
    as_json = CliRunner().invoke(main, ["status", "--data", str(alone.data), "--format", "json"]).stdout
    assert json.loads(as_json)["server"]["only"] == "s3"


def test_nothing_works_in_the_background(tmp_path: Path) -> None:
    async def running() -> dict[str, bool]:
        async with app.opened(Config(data=tmp_path, only="s3")) as parts:
            return dict(parts.running())

    assert asyncio.run(running()) == {}


@pytest.mark.parametrize(
    ("words", "told"),
    [(["--only", "sqs"], "is not 's3'"), (["--only", "s3", "--console"], "the console is about pipelines")],
)
def test_what_it_cannot_be_is_said(words: list[str], told: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["serve", "--data", str(tmp_path / "data"), *words])
    assert (result.exit_code, told in result.stderr) == (2, True), result.stderr
