"""Another S3 endpoint in the folder's place: here a second passrole, which is an endpoint like any other."""

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.policies import allowing

from passrole.config import Config, ConfigError
from passrole.services.s3 import upstream

BUCKET = "data"
MEGABYTE = 1024 * 1024


class Pair(NamedTuple):
    """`near` keeps its objects at `far`."""

    near: Any
    far: Any


@pytest.fixture
def pair(start_server: Callable[..., Server]) -> Pair:
    far = start_server()
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
    pair.far.stop()
    assert code(lambda: near.list_objects_v2(Bucket=BUCKET)) == "ServiceUnavailable"


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
