"""A call that names a version of an object is another action, in IAM, than the call on the object itself.

Buckets here have the one version `null`; with another endpoint there may be any.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import pytest
from tests.attacks.conftest import document
from tests.conftest import Server, new_name
from tests.refusals import refusal

Call = Callable[[Any, str], Any]
VERSION = {"VersionId": "null"}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


class Case(NamedTuple):
    """A call on the object `k` of a bucket, without a version the first actions, with one the others."""

    plain: tuple[str, ...]
    versioned: tuple[str, ...]
    call: Callable[..., Any]
    always: tuple[str, ...] = ()


def on_object(name: str, **more: Any) -> Callable[..., Any]:
    return lambda s3, bucket, **version: getattr(s3, name)(Bucket=bucket, Key="k", **version, **more)


def copy(s3: Any, bucket: str, **version: Any) -> Any:
    return s3.copy_object(Bucket=bucket, Key="z", CopySource={"Bucket": bucket, "Key": "k", **version})


def delete_listed(s3: Any, bucket: str, **version: Any) -> None:
    """As a refusal of the call, if the only key of the list is refused."""
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", **version}]})
    for error in answer.get("Errors", ()):
        raise s3.exceptions.ClientError({"Error": error}, "DeleteObjects")


CASES: Mapping[str, Case] = {
    "GetObject": Case(("s3:GetObject",), ("s3:GetObjectVersion",), on_object("get_object")),
    "HeadObject": Case(("s3:GetObject",), ("s3:GetObjectVersion",), on_object("head_object")),
    "GetObjectAcl": Case(("s3:GetObjectAcl",), ("s3:GetObjectVersionAcl",), on_object("get_object_acl")),
    "GetObjectAttributes": Case(
        ("s3:GetObject", "s3:GetObjectAttributes"),
        ("s3:GetObjectVersion", "s3:GetObjectVersionAttributes"),
        on_object("get_object_attributes", ObjectAttributes=["ETag"]),
    ),
    "GetObjectTagging": Case(
        ("s3:GetObjectTagging",), ("s3:GetObjectVersionTagging",), on_object("get_object_tagging")
    ),
    "PutObjectTagging": Case(
        ("s3:PutObjectTagging",),
        ("s3:PutObjectVersionTagging",),
        on_object("put_object_tagging", Tagging={"TagSet": [{"Key": "a", "Value": "c"}]}),
    ),
    "DeleteObjectTagging": Case(
        ("s3:DeleteObjectTagging",), ("s3:DeleteObjectVersionTagging",), on_object("delete_object_tagging")
    ),
    "CopyObject": Case(
        ("s3:GetObject", "s3:GetObjectTagging"),
        ("s3:GetObjectVersion", "s3:GetObjectVersionTagging"),
        copy,
        ("s3:PutObject", "s3:PutObjectTagging"),
    ),
    "DeleteObject": Case(("s3:DeleteObject",), ("s3:DeleteObjectVersion",), on_object("delete_object")),
    "DeleteObjects": Case(("s3:DeleteObject",), ("s3:DeleteObjectVersion",), delete_listed),
}


@pytest.fixture
def bucket(server: Server) -> str:
    """With the object `k`, which has a tag."""
    s3, name = server.client("s3"), new_name("bucket")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="k", Body=b"x", Tagging="a=b")
    return name


def may(case: Case, actions: Sequence[str]) -> dict[str, Any]:
    return document(
        {"Effect": "Allow", "Action": [*actions, *case.always, "sqs:ListQueues"], "Resource": "*"}
    )


@pytest.mark.parametrize("name", CASES)
def test_a_version_asks_for_the_permission_of_versions(server: Server, bucket: str, name: str) -> None:
    case = CASES[name]
    for action in case.versioned:
        denied = server.client("s3", document(EVERYTHING, {**EVERYTHING, "Effect": "Deny", "Action": action}))
        refused = refusal(partial(case.call, denied, bucket, **VERSION))
        assert refused[0] in ("AccessDenied", "403")
    plain = server.client("s3", may(case, case.plain))
    assert refusal(partial(case.call, plain, bucket, **VERSION))[0] in ("AccessDenied", "403")
    case.call(server.client("s3", may(case, case.versioned)), bucket, **VERSION)


@pytest.mark.parametrize("name", CASES)
def test_without_a_version_nothing_asks_for_it(server: Server, bucket: str, name: str) -> None:
    case = CASES[name]
    versioned = server.client("s3", may(case, case.versioned))
    assert refusal(partial(case.call, versioned, bucket))[0] in ("AccessDenied", "403")
    case.call(server.client("s3", may(case, case.plain)), bucket)


@pytest.mark.parametrize("name", CASES)
def test_the_version_is_a_condition_key(server: Server, bucket: str, name: str) -> None:
    condition = {"StringEquals": {"s3:versionid": "null"}}
    deny = {**EVERYTHING, "Effect": "Deny", "Condition": condition}
    client = server.client("s3", document(EVERYTHING, deny))
    assert refusal(partial(CASES[name].call, client, bucket, **VERSION))[0] in ("AccessDenied", "403")
    CASES[name].call(client, bucket)


def test_another_endpoint_is_asked_for_the_version_that_was_decided_on(near: Any) -> None:
    admin = near.client("s3")
    admin.create_bucket(Bucket="data")
    admin.put_object(Bucket="data", Key="k", Body=b"x", Tagging="a=b")
    for name, case in CASES.items():
        plain = near.client("s3", may(case, case.plain))
        assert refusal(partial(case.call, plain, "data", **VERSION))[0] in ("AccessDenied", "403"), name
        for left_out in case.plain:
            actions = [action for action in case.plain if action != left_out]
            some = near.client("s3", may(case, actions))
            assert refusal(partial(case.call, some, "data"))[0] in ("AccessDenied", "403"), left_out
        case.call(near.client("s3", may(case, case.versioned)), "data", **VERSION)
        admin.put_object(Bucket="data", Key="k", Body=b"x", Tagging="a=b")
    with pytest.raises(admin.exceptions.ClientError) as caught:
        copy(admin, "data", VersionId="another")
    assert caught.value.response["Error"]["Code"] not in ("AccessDenied", "InternalError")
