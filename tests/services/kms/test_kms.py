"""Keys of KMS through boto3: shape, refusals, effect."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.policies import allowing
from tests.refusals import refusal

CONTEXT = {"stage": "test", "team": "ml"}


@pytest.fixture
def kms(server: Server) -> Any:
    return server.client("kms")


@pytest.fixture
def key(kms: Any) -> str:
    arn: str = kms.create_key(Description="a test's")["KeyMetadata"]["Arn"]
    return arn


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(server: Server, principal: str, *actions: str, **more: Any) -> dict[str, Any]:
    named = f"arn:aws:iam::{server.account}:{principal}"
    return {"Effect": "Allow", "Principal": {"AWS": named}, "Action": list(actions), "Resource": "*", **more}


def user(server: Server, *actions: str) -> tuple[str, Callable[[str], Any]]:
    """A user's name, and clients of it."""
    keys = server.user(allowing(*(actions or ("sts:x",))))
    return keys["user"], lambda service: server.client_with(
        service, keys["access_key_id"], keys["secret_access_key"]
    )


# shape


def test_a_key_is_described_by_its_id_its_arn_and_its_aliases(kms: Any, server: Server) -> None:
    tags = [{"TagKey": "team", "TagValue": "ml"}]
    made = kms.create_key(Description="of models", Tags=tags)["KeyMetadata"]
    assert made["Arn"] == f"arn:aws:kms:{server.region}:{server.account}:key/{made['KeyId']}"
    expected = {
        "Description": "of models",
        "Enabled": True,
        "KeyState": "Enabled",
        "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
    }
    assert {name: made[name] for name in expected} == expected
    alias = f"alias/{new_name('a')}"
    kms.create_alias(AliasName=alias, TargetKeyId=made["KeyId"])
    alias_arn = made["Arn"].replace(f"key/{made['KeyId']}", alias)
    for name in (made["KeyId"], made["Arn"], alias, alias_arn):
        assert kms.describe_key(KeyId=name)["KeyMetadata"] == made
    assert made["KeyId"] in [each["KeyId"] for each in kms.list_keys(Limit=1000)["Keys"]]
    assert kms.list_resource_tags(KeyId=made["KeyId"])["Tags"] == tags
    pages = kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 1})
    assert made["KeyId"] in [each["KeyId"] for page in pages for each in page["Keys"]]


def test_aliases_are_listed_and_moved(kms: Any, key: str) -> None:
    name, other = f"alias/{new_name('a')}", kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=name, TargetKeyId=key)
    assert refusal(kms.create_alias, AliasName=name, TargetKeyId=key)[0] == "AlreadyExistsException"
    assert [each["AliasName"] for each in kms.list_aliases(KeyId=key)["Aliases"]] == [name]
    kms.update_alias(AliasName=name, TargetKeyId=other)
    assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"] == other
    assert kms.list_aliases(KeyId=key)["Aliases"] == []
    kms.delete_alias(AliasName=name)
    assert refusal(kms.describe_key, KeyId=name)[0] == "NotFoundException"
    listed = [each["AliasName"] for each in kms.list_aliases(Limit=1000)["Aliases"]]
    assert {"alias/aws/s3", "alias/aws/sqs"} < set(listed)
    assert refusal(kms.create_alias, AliasName="alias/aws/mine", TargetKeyId=key)[0] == (
        "InvalidAliasNameException"
    )


def test_tags_are_added_and_removed(kms: Any, key: str) -> None:
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "1"}, {"TagKey": "b", "TagValue": "2"}])
    kms.untag_resource(KeyId=key, TagKeys=["a", "c"])
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "b", "TagValue": "2"}]
    reserved = [{"TagKey": "aws:x", "TagValue": ""}]
    assert refusal(kms.tag_resource, KeyId=key, Tags=reserved)[0] == "TagException"


def test_a_description_is_changed(kms: Any, key: str) -> None:
    kms.update_key_description(KeyId=key, Description="another")
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Description"] == "another"


# effect: encryption


def test_what_is_encrypted_is_decrypted_with_the_same_context_alone(kms: Any, key: str) -> None:
    sealed = kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext=CONTEXT)
    assert sealed["KeyId"] == key
    blob = sealed["CiphertextBlob"]
    assert b"secret" not in blob
    reordered = dict(reversed(CONTEXT.items()))
    opened = kms.decrypt(CiphertextBlob=blob, EncryptionContext=reordered)
    assert (opened["Plaintext"], opened["KeyId"]) == (b"secret", key)
    assert kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"] != blob
    changed = blob[:-1] + bytes([blob[-1] ^ 1])
    for wrong in (
        {"CiphertextBlob": blob},
        {"CiphertextBlob": blob, "EncryptionContext": {"stage": "prod", "team": "ml"}},
        {"CiphertextBlob": changed, "EncryptionContext": CONTEXT},
        {"CiphertextBlob": b"no ciphertext"},
    ):
        assert refusal(kms.decrypt, **wrong)[0] == "InvalidCiphertextException"
    other = kms.create_key()["KeyMetadata"]["Arn"]
    named = {"CiphertextBlob": blob, "EncryptionContext": CONTEXT, "KeyId": other}
    assert refusal(kms.decrypt, **named)[0] == "IncorrectKeyException"


def test_data_keys_come_in_plain_and_encrypted(kms: Any, key: str) -> None:
    made = kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=CONTEXT)
    opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=CONTEXT)
    assert opened["Plaintext"] == made["Plaintext"]
    assert len(made["Plaintext"]) == 32
    short = kms.generate_data_key_without_plaintext(KeyId=key, NumberOfBytes=7)
    assert "Plaintext" not in short
    assert len(kms.decrypt(CiphertextBlob=short["CiphertextBlob"])["Plaintext"]) == 7
    assert refusal(kms.generate_data_key, KeyId=key)[0] == "ValidationException"


def test_a_ciphertext_is_encrypted_anew_by_another_key(kms: Any, key: str) -> None:
    other = kms.create_key()["KeyMetadata"]["Arn"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"p", EncryptionContext=CONTEXT)["CiphertextBlob"]
    moved = kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext=CONTEXT, DestinationKeyId=other)
    assert (moved["SourceKeyId"], moved["KeyId"]) == (key, other)
    assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"])["Plaintext"] == b"p"


# refusals


def test_a_key_that_is_disabled_or_will_be_deleted_encrypts_nothing(kms: Any, key: str) -> None:
    blob = kms.encrypt(KeyId=key, Plaintext=b"p")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    for call, given in (
        (kms.encrypt, {"KeyId": key, "Plaintext": b"p"}),
        (kms.decrypt, {"CiphertextBlob": blob}),
    ):
        assert refusal(call, **given) == ("DisabledException", f"{key} is disabled.")
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"p"
    told = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert told["KeyState"] == "PendingDeletion"
    left = told["DeletionDate"] - datetime.now(UTC)
    assert timedelta(days=6) < left <= timedelta(days=7)
    assert refusal(kms.decrypt, CiphertextBlob=blob)[0] == "KMSInvalidStateException"
    assert refusal(kms.enable_key, KeyId=key)[0] == "KMSInvalidStateException"
    kms.cancel_key_deletion(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    assert refusal(kms.cancel_key_deletion, KeyId=key)[0] == "KMSInvalidStateException"


def test_a_key_that_is_not_here_is_refused(kms: Any, server: Server) -> None:
    prefix = f"arn:aws:kms:{server.region}:{server.account}"
    for text, code in (
        ("11111111-2222-3333-4444-555555555555", "NotFoundException"),
        (f"{prefix}:key/11111111-2222-3333-4444-555555555555", "NotFoundException"),
        ("alias/nothing", "NotFoundException"),
        ("arn:aws:s3:::bucket", "InvalidArnException"),
        (f"arn:aws:kms:{server.region}:999999999999:key/x", "AccessDeniedException"),
    ):
        assert refusal(kms.describe_key, KeyId=text)[0] == code, text
    asymmetric = refusal(kms.create_key, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    assert asymmetric[0] == "UnsupportedOperationException"


# effect: who may use a key


def test_iam_decides_where_the_key_s_policy_names_the_account(server: Server, key: str) -> None:
    _, with_iam = user(server, "kms:Encrypt")
    client = with_iam("kms")
    blob = client.encrypt(KeyId=key, Plaintext=b"p")["CiphertextBlob"]
    code, message = refusal(client.decrypt, CiphertextBlob=blob)
    assert code == "AccessDeniedException"
    assert f"kms:Decrypt on resource: {key} because no identity-based policy allows" in message


def test_a_key_whose_policy_does_not_name_the_account_is_closed_to_iam(server: Server, kms: Any) -> None:
    name, named = user(server)
    other = server.client("kms", allowing("kms:*"))
    admin = statement(server, f"user/{name}", "kms:*")
    key = kms.create_key(Policy=policy(admin), BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]["KeyId"]
    for client in (other, kms):
        code, message = refusal(client.encrypt, KeyId=key, Plaintext=b"p")
        assert (code, "no resource-based policy allows the kms:Encrypt" in message) == (
            "AccessDeniedException",
            True,
        )
    blob = named("kms").encrypt(KeyId=key, Plaintext=b"p")["CiphertextBlob"]
    assert named("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"p"
    shown = json.loads(named("kms").get_key_policy(KeyId=key)["Policy"])
    assert shown["Statement"] == [admin]


def test_a_policy_that_locks_its_author_out_is_refused(server: Server, kms: Any, key: str) -> None:
    name, _ = user(server)
    closed = policy(statement(server, f"user/{name}", "kms:Encrypt"))
    assert refusal(kms.put_key_policy, KeyId=key, Policy=closed)[0] == "MalformedPolicyDocumentException"
    nobody = policy(statement(server, "root", "kms:*"), statement(server, "user/nobody-there", "kms:*"))
    assert refusal(kms.put_key_policy, KeyId=key, Policy=nobody)[0] == "MalformedPolicyDocumentException"
    assert refusal(kms.put_key_policy, KeyId=key, Policy="no json")[0] == "MalformedPolicyDocumentException"
    assert kms.list_key_policies(KeyId=key)["PolicyNames"] == ["default"]


def test_a_deny_in_the_key_s_policy_wins(server: Server, kms: Any, key: str) -> None:
    name, named = user(server, "kms:*")
    deny = {**statement(server, f"user/{name}", "kms:Decrypt"), "Effect": "Deny"}
    kms.put_key_policy(KeyId=key, Policy=policy(statement(server, "root", "kms:*"), deny))
    blob = named("kms").encrypt(KeyId=key, Plaintext=b"p")["CiphertextBlob"]
    message = refusal(named("kms").decrypt, CiphertextBlob=blob)[1]
    assert "with an explicit deny in a resource-based policy" in message


@pytest.mark.parametrize(
    ("constraints", "allowed", "denied"),
    [
        ({}, {"a": "1"}, None),
        ({"EncryptionContextSubset": {"a": "1"}}, {"a": "1", "b": "2"}, {"b": "2"}),
        ({"EncryptionContextEquals": {"a": "1"}}, {"a": "1"}, {"a": "1", "b": "2"}),
    ],
)
def test_a_grant_lets_its_grantee_do_what_it_says(
    server: Server, kms: Any, key: str, constraints: Any, allowed: Any, denied: Any
) -> None:
    name, named = user(server)
    client, arn = named("kms"), f"arn:aws:iam::{server.account}:user/{name}"
    assert refusal(client.encrypt, KeyId=key, Plaintext=b"p", EncryptionContext=allowed)[0] == (
        "AccessDeniedException"
    )
    given = {"GranteePrincipal": arn, "Operations": ["Encrypt"], "Name": "one"}
    made = kms.create_grant(KeyId=key, **given, **({"Constraints": constraints} if constraints else {}))
    again = kms.create_grant(KeyId=key, **given, **({"Constraints": constraints} if constraints else {}))
    assert made["GrantId"] == again["GrantId"]
    blob = client.encrypt(KeyId=key, Plaintext=b"p", EncryptionContext=allowed)["CiphertextBlob"]
    if denied is not None:
        refused = refusal(client.encrypt, KeyId=key, Plaintext=b"p", EncryptionContext=denied)
        assert refused[0] == "AccessDeniedException"
    assert refusal(client.decrypt, CiphertextBlob=blob, EncryptionContext=allowed)[0] == (
        "AccessDeniedException"
    )
    (listed,) = kms.list_grants(KeyId=key, GranteePrincipal=arn)["Grants"]
    assert (listed["GranteePrincipal"], listed["Operations"]) == (arn, ["Encrypt"])
    kms.revoke_grant(KeyId=key, GrantId=made["GrantId"])
    assert refusal(client.encrypt, KeyId=key, Plaintext=b"p")[0] == "AccessDeniedException"
    assert refusal(kms.revoke_grant, KeyId=key, GrantId=made["GrantId"])[0] == "NotFoundException"


def test_a_grant_is_retired_by_who_may(server: Server, kms: Any, key: str) -> None:
    name, named = user(server)
    arn = f"arn:aws:iam::{server.account}:user/{name}"
    role = server.role()
    made = kms.create_grant(KeyId=key, GranteePrincipal=role, RetiringPrincipal=arn, Operations=["Decrypt"])
    _, stranger = user(server)
    retired = {"KeyId": key, "GrantId": made["GrantId"]}
    assert refusal(stranger("kms").retire_grant, **retired)[0] == "AccessDeniedException"
    named("kms").retire_grant(GrantToken=made["GrantToken"])
    assert kms.list_grants(KeyId=key)["Grants"] == []
    assert refusal(kms.retire_grant, GrantToken=made["GrantToken"])[0] == "InvalidGrantTokenException"


@pytest.mark.parametrize(
    ("condition", "given", "other"),
    [
        (
            {"StringEquals": {"kms:EncryptionContext:stage": "test"}},
            {"EncryptionContext": {"stage": "test"}},
            {"EncryptionContext": {"stage": "prod"}},
        ),
        (
            {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "stage"}},
            {"EncryptionContext": {"stage": "x"}},
            {},
        ),
        ({"StringEquals": {"kms:CallerAccount": "{account}"}}, {}, None),
        ({"Null": {"kms:ViaService": "true"}}, {}, None),
    ],
)
def test_condition_keys_decide(
    server: Server, key: str, condition: dict[str, Any], given: Any, other: Any
) -> None:
    written = json.loads(json.dumps(condition).replace("{account}", server.account))
    allow = {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": key, "Condition": written}
    client = server.client("kms", {"Version": "2012-10-17", "Statement": [allow]})
    client.encrypt(KeyId=key, Plaintext=b"p", **given)
    if other is not None:
        assert refusal(client.encrypt, KeyId=key, Plaintext=b"p", **other)[0] == "AccessDeniedException"


def test_awss_own_key_serves_its_service_alone(server: Server, kms: Any) -> None:
    found = kms.describe_key(KeyId="alias/aws/sqs")["KeyMetadata"]
    assert (found["KeyManager"], found["KeyState"]) == ("AWS", "Enabled")
    assert refusal(kms.encrypt, KeyId="alias/aws/sqs", Plaintext=b"p")[0] == "AccessDeniedException"
    assert refusal(kms.disable_key, KeyId=found["KeyId"])[0] == "AccessDeniedException"
