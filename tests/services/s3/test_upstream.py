"""Another S3 endpoint in the folder's place: here a second passrole, which is an endpoint like any other."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from click.testing import CliRunner
from tests.conftest import Server, new_name
from tests.policies import allowing

from passrole.cli import main
from passrole.config import Config, ConfigError
from passrole.services.s3 import upstream, upstream_client

BUCKET = "data"
MEGABYTE = 1024 * 1024


class Pair(NamedTuple):
    """`near` keeps its objects at `far`."""

    near: Any
    far: Any


@pytest.fixture
def pair(start_server: Callable[..., Server]) -> Pair:
    far = start_server(only="s3")
    near = start_server(
        s3_endpoint=far.url,
        s3_access_key_id=far.access["access_key_id"],
        s3_secret_access_key=far.access["secret_access_key"],
    )
    near.client("s3").create_bucket(Bucket=BUCKET)
    return Pair(near, far)


def code(act: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        act()
    return str(caught.value.response["Error"]["Code"])


def test_objects_go_there_and_come_back_with_what_was_said_of_them(pair: Pair) -> None:
    near, far = pair.near.client("s3"), pair.far.client("s3")
    near.put_object(
        Bucket=BUCKET, Key="a/b.txt", Body=b"hello", Metadata={"who": "ann"}, ContentType="text/x"
    )
    large = bytes(range(256)) * (6 * MEGABYTE // 256)
    near.upload_fileobj(
        io.BytesIO(large), BUCKET, "large", Config=TransferConfig(multipart_threshold=5 * MEGABYTE)
    )
    assert far.get_object(Bucket=BUCKET, Key="large")["Body"].read() == large
    assert not (pair.near.data / "s3" / BUCKET).exists()
    got = near.get_object(Bucket=BUCKET, Key="a/b.txt", Range="bytes=1-3")
    told = far.head_object(Bucket=BUCKET, Key="a/b.txt")
    assert got["Body"].read() == b"ell"
    assert (got["Metadata"], got["ContentType"]) == ({"who": "ann"}, "text/x")
    assert (got["ETag"], got["LastModified"]) == (told["ETag"], told["LastModified"])
    listed = near.list_objects_v2(Bucket=BUCKET, Delimiter="/")
    assert [each["Key"] for each in listed["Contents"]] == ["large"]
    assert listed["CommonPrefixes"] == [{"Prefix": "a/"}]


def test_refusals_are_the_endpoints(pair: Pair) -> None:
    near = pair.near.client("s3")
    assert code(lambda: near.get_object(Bucket=BUCKET, Key="none")) == "NoSuchKey"
    assert code(lambda: near.head_object(Bucket=BUCKET, Key="none")) == "404"
    assert code(lambda: near.list_objects_v2(Bucket="nowhere")) == "NoSuchBucket"


def test_an_endpoint_that_is_down_is_s3s_error_and_one_line_of_the_log(pair: Pair) -> None:
    near = pair.near.client("s3")
    pair.far.stop()
    for _ in range(3):
        with pytest.raises(ClientError, match="Service is unable to handle request") as caught:
            near.list_objects_v2(Bucket=BUCKET)
        assert caught.value.response["Error"]["Code"] == "ServiceUnavailable"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    told = CliRunner().invoke(main, ["status", "--data", str(pair.near.data)]).stdout
    assert f"objects            {pair.far.url}, which is not to be had" in told, told
    pair.far.start()
    assert near.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    told = CliRunner().invoke(main, ["status", "--data", str(pair.near.data)]).stdout
    assert f"objects            {pair.far.url}, which answers" in told, told
    lines = log_of(pair.near)
    assert sum(f"the S3 endpoint {pair.far.url} does not answer" in line for line in lines) == 1
    assert sum("answers again" in line for line in lines) == 1


def test_a_policy_of_a_bucket_in_the_folder_decides_nothing_about_one_elsewhere(
    server: Server, tmp_path: Path
) -> None:
    """It can neither be seen nor deleted there."""
    keys = server.access
    elsewhere = {
        "s3_endpoint": server.url,
        "s3_access_key_id": keys["access_key_id"],
        "s3_secret_access_key": keys["secret_access_key"],
    }
    bucket = new_name("elsewhere")
    server.client("s3").create_bucket(Bucket=bucket)
    server.client("s3").put_object(Bucket=bucket, Key="k", Body=b"there")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": deny})
    near = Server(tmp_path / "data")
    try:
        near.client("s3").create_bucket(Bucket=bucket)
        near.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
        assert code(lambda: near.client("s3").get_object(Bucket=bucket, Key="k")) == "AccessDenied"
    finally:
        near.stop()
    near = Server(tmp_path / "data", **elsewhere)
    try:
        assert near.client("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == b"there"
    finally:
        near.stop()


def test_a_key_that_the_endpoint_refuses_is_no_fault_of_callers(
    server: Server, start_server: Callable[..., Server]
) -> None:
    key = {"s3_access_key_id": server.access["access_key_id"], "s3_secret_access_key": "wrong"}
    near = start_server(s3_endpoint=server.url, **key)
    for _ in range(2):
        assert code(near.client("s3").list_buckets) == "ServiceUnavailable"
    (line,) = [line for line in log_of(near) if "refuses the access key of the settings" in line]
    assert "SignatureDoesNotMatch" in line
    told = upstream_client.problem(Config(s3_endpoint=server.url, **key))  # type: ignore[arg-type]
    assert told is not None and told.startswith(
        "refuses the access key of the settings: SignatureDoesNotMatch"
    )


def test_what_the_endpoint_itself_denies_is_a_line_of_the_log(
    server: Server, start_server: Callable[..., Server]
) -> None:
    key = server.user(allowing("s3:ListAllMyBuckets"))
    near = start_server(
        s3_endpoint=server.url,
        s3_access_key_id=key["access_key_id"],
        s3_secret_access_key=key["secret_access_key"],
    )
    s3 = near.client("s3")
    s3.list_buckets()
    assert code(lambda: s3.create_bucket(Bucket="denied-there")) == "AccessDenied"
    (line,) = [line for line in log_of(near) if "refuses CreateBucket: AccessDenied" in line]
    assert key["user"] in line and server.url in line


@pytest.mark.parametrize(("status", "wanted"), [(503, "SlowDown"), (500, "InternalError")])
def test_an_endpoint_with_an_error_of_its_own_is_asked_again(
    status: int, wanted: str, start_server: Callable[..., Server]
) -> None:
    with failing(status, wanted) as (url, asked):
        near = start_server(s3_endpoint=url, s3_access_key_id="k", s3_secret_access_key="s")
        assert code(near.client("s3").list_buckets) == wanted
        assert len(asked) == upstream_client.ATTEMPTS
        (line,) = [line for line in log_of(near) if "has an error of its own" in line]
        assert wanted in line


@contextmanager
def failing(status: int, error: str) -> Iterator[tuple[str, list[str]]]:
    """An endpoint that answers everything with an error; its URL, and what it was asked."""
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = f"<Error><Code>{error}</Code><Message>later</Message></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}", asked
        finally:
            listening.shutdown()
            thread.join()


def log_of(server: Server) -> list[str]:
    return server.data.with_suffix(".log").read_text().splitlines()


def test_who_may_is_decided_here_and_every_key_of_a_call_is_asked_for(pair: Pair) -> None:
    admin = pair.near.client("s3")
    admin.put_object(Bucket=BUCKET, Key="kept", Body=b"1")
    admin.put_object(Bucket=BUCKET, Key="secret", Body=b"2")
    writer = pair.near.client("s3", allowing("s3:PutObject", resource=f"arn:aws:s3:::{BUCKET}/*"))
    assert code(lambda: writer.get_object(Bucket=BUCKET, Key="kept")) == "AccessDenied"
    source = {"Bucket": BUCKET, "Key": "secret"}
    assert code(lambda: writer.copy_object(Bucket=BUCKET, Key="copy", CopySource=source)) == "AccessDenied"
    admin.copy_object(Bucket=BUCKET, Key="copy", CopySource=source)
    assert pair.far.client("s3").get_object(Bucket=BUCKET, Key="copy")["Body"].read() == b"2"

    cleaner = pair.near.client("s3", allowing("s3:DeleteObject", resource=f"arn:aws:s3:::{BUCKET}/copy"))
    both = {"Objects": [{"Key": "kept"}, {"Key": "copy"}]}
    fates = cleaner.delete_objects(Bucket=BUCKET, Delete=both)
    assert [each["Key"] for each in fates["Deleted"]] == ["copy"]
    assert [(each["Key"], each["Code"]) for each in fates["Errors"]] == [("kept", "AccessDenied")]


def test_an_endpoint_without_a_key_is_refused_and_no_secret_is_shown() -> None:
    with pytest.raises(ConfigError, match="needs `s3_access_key_id`"):
        upstream.check(Config(s3_endpoint="http://127.0.0.1:9"))
    assert "hidden" not in repr(Config(s3_secret_access_key="hidden"))
