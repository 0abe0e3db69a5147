"""CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey: shape, refusals, effect."""

from typing import Any

from tests.conftest import Server
from tests.refusals import refusal_with_status

UNKNOWN = "InvalidClientTokenId"


def works(server: Server, key: dict[str, str]) -> Any:
    return server.client_with("sts", key["AccessKeyId"], key["SecretAccessKey"]).get_caller_identity


def test_a_key_is_told_with_its_secret_once(iam: Any, user: str) -> None:
    key = iam.create_access_key(UserName=user)["AccessKey"]
    assert (key["UserName"], key["Status"]) == (user, "Active")
    assert key["AccessKeyId"].startswith("AKIA")
    assert len(key["SecretAccessKey"]) == 40
    [listed] = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    assert listed == {name: key[name] for name in ("UserName", "AccessKeyId", "Status", "CreateDate")}


def test_a_user_has_two_keys_at_most(iam: Any, user: str) -> None:
    for _ in range(2):
        iam.create_access_key(UserName=user)
    assert refusal_with_status(lambda: iam.create_access_key(UserName=user)) == (
        409,
        "LimitExceeded",
        "Cannot exceed quota for AccessKeysPerUser: 2",
    )


def test_a_key_is_the_users_own(iam: Any, user: str, server: Server) -> None:
    other = server.access["access_key_id"]
    expected = (404, "NoSuchEntity", f"The Access Key with id {other} cannot be found.")
    assert refusal_with_status(lambda: iam.delete_access_key(UserName=user, AccessKeyId=other)) == expected
    assert (
        refusal_with_status(
            lambda: iam.update_access_key(UserName=user, AccessKeyId=other, Status="Inactive")
        )
        == expected
    )


def test_a_key_needs_a_user(iam: Any) -> None:
    assert refusal_with_status(lambda: iam.create_access_key(UserName="nobody"))[1] == "NoSuchEntity"
    assert refusal_with_status(lambda: iam.list_access_keys(UserName="nobody"))[1] == "NoSuchEntity"


def test_a_key_works_while_it_is_active(iam: Any, user: str, server: Server) -> None:
    key = iam.create_access_key(UserName=user)["AccessKey"]
    call = works(server, key)
    assert call()["Arn"].endswith(f":user/{user}")
    iam.update_access_key(UserName=user, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert refusal_with_status(call)[1] == UNKNOWN
    iam.update_access_key(UserName=user, AccessKeyId=key["AccessKeyId"], Status="Active")
    call()
    iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
    assert refusal_with_status(call)[1] == UNKNOWN


def test_a_user_may_look_after_its_own_keys_without_naming_itself(server: Server) -> None:
    statement = {
        "Effect": "Allow",
        "Action": "iam:*AccessKey*",
        "Resource": f"arn:aws:iam::{server.account}:user/${{aws:username}}",
    }
    own = server.client("iam", user_policy={"Version": "2012-10-17", "Statement": [statement]})
    made = own.create_access_key()["AccessKey"]["AccessKeyId"]
    own.update_access_key(AccessKeyId=made, Status="Inactive")
    assert len(own.list_access_keys()["AccessKeyMetadata"]) == 2
    own.delete_access_key(AccessKeyId=made)
    assert len(own.list_access_keys()["AccessKeyMetadata"]) == 1
