"""What policies gave to a user or a role goes neither to the next one of that name nor to old sessions."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from tests.attacks.conftest import document
from tests.conftest import Server, new_name
from tests.refusals import refusal

CODE = "def handler(event, context):\n    return 'ran'\n"


def allow(action: str, resource: str | None = "*", **more: Any) -> dict[str, Any]:
    named = {} if resource is None else {"Resource": resource}
    return {"Effect": "Allow", "Action": action, **named, **more}


class Account:
    """Users and roles that are made, deleted, and made again."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.iam = server.client("iam")
        self.root = f"arn:aws:iam::{server.account}:root"

    def role(self, name: str, *statements: Mapping[str, Any], trusted: Any = None) -> str:
        trust = allow("sts:AssumeRole", None, Principal=trusted or {"AWS": self.root})
        made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document(trust)))
        if statements:
            self.iam.put_role_policy(
                RoleName=name, PolicyName="own", PolicyDocument=json.dumps(document(*statements))
            )
        return str(made["Role"]["Arn"])

    def user(self, name: str) -> str:
        return str(self.iam.create_user(UserName=name)["User"]["Arn"])

    def delete_role(self, name: str) -> None:
        for policy in self.iam.list_role_policies(RoleName=name)["PolicyNames"]:
            self.iam.delete_role_policy(RoleName=name, PolicyName=policy)
        self.iam.delete_role(RoleName=name)

    def delete_user(self, name: str) -> None:
        for key in self.iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            self.iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        self.iam.delete_user(UserName=name)

    def session(self, role: str, name: str = "work") -> dict[str, str]:
        answer = self.server.client("sts").assume_role(RoleArn=role, RoleSessionName=name)
        return dict(answer["Credentials"])

    def key(self, user: str) -> dict[str, str]:
        return dict(self.iam.create_access_key(UserName=user)["AccessKey"])

    def client(self, service: str, keys: Mapping[str, str]) -> Any:
        return self.server.client_with(
            service, keys["AccessKeyId"], keys["SecretAccessKey"], keys.get("SessionToken")
        )


@pytest.fixture
def account(server: Server) -> Account:
    return Account(server)


@dataclass(frozen=True)
class Holder:
    """A service that keeps a policy of a resource: how one is saved and shown, and a call that it allows."""

    save: Callable[[Any, str], None]
    show: Callable[[], str]
    use: Callable[[Any], Any]
    unknown: tuple[str, str]


def queue(account: Account) -> Holder:
    sqs = account.server.client("sqs")
    url = sqs.create_queue(QueueName=new_name("queue"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def save(principal: Any, _arn: str) -> None:
        policy = json.dumps(document(allow("sqs:SendMessage", arn, Principal=principal)))
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    def show() -> str:
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        return str(found["Attributes"]["Policy"])

    return Holder(
        save,
        show,
        lambda keys: account.client("sqs", keys).send_message(QueueUrl=url, MessageBody="m"),
        ("InvalidAttributeValue", "Invalid value for the parameter Policy."),
    )


def bucket(account: Account) -> Holder:
    s3, name = account.server.client("s3"), new_name("bucket")
    s3.create_bucket(Bucket=name)

    def save(principal: Any, _arn: str) -> None:
        policy = json.dumps(document(allow("s3:PutObject", f"arn:aws:s3:::{name}/*", Principal=principal)))
        s3.put_bucket_policy(Bucket=name, Policy=policy)

    return Holder(
        save,
        lambda: str(s3.get_bucket_policy(Bucket=name)["Policy"]),
        lambda keys: account.client("s3", keys).put_object(Bucket=name, Key="k", Body=b""),
        ("MalformedPolicy", "Invalid principal in policy"),
    )


def function(account: Account) -> Holder:
    client, name = account.server.client("lambda"), new_name("function")
    account.server.function(name, CODE)

    def save(_principal: Any, arn: str) -> None:
        client.add_permission(
            FunctionName=name, StatementId="s", Action="lambda:InvokeFunction", Principal=arn
        )

    return Holder(
        save,
        lambda: str(client.get_policy(FunctionName=name)["Policy"]),
        lambda keys: account.client("lambda", keys).invoke(FunctionName=name),
        (
            "InvalidParameterValueException",
            "The provided principal was invalid. Please check the principal and try again.",
        ),
    )


def trust(account: Account) -> Holder:
    name = new_name("role")
    target = account.role(name)

    def save(principal: Any, _arn: str) -> None:
        policy = json.dumps(document(allow("sts:AssumeRole", None, Principal=principal)))
        account.iam.update_assume_role_policy(RoleName=name, PolicyDocument=policy)

    def show() -> str:
        return json.dumps(account.iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"])

    return Holder(
        save,
        show,
        lambda keys: account.client("sts", keys).assume_role(RoleArn=target, RoleSessionName="work"),
        ("MalformedPolicyDocument", 'Invalid principal in policy: "AWS":"{}"'),
    )


HOLDERS = [queue, bucket, function, trust]


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_session_of_a_deleted_role_is_refused_whatever_others_give_its_arn(
    account: Account, holder: Callable[[Account], Holder]
) -> None:
    name = new_name("role")
    # The role may not do it itself, which goes with the role.
    role = account.role(name, {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"})
    held, keys = holder(account), account.session(role)
    held.save({"AWS": role}, role)
    held.use(keys)
    account.delete_role(name)
    code, _ = refusal(lambda: held.use(keys))
    assert code in ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId")


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_role_made_again_has_nothing_of_what_the_old_one_was_given(
    account: Account, holder: Callable[[Account], Holder]
) -> None:
    name = new_name("role")
    role, held = account.role(name), holder(account)
    held.save({"AWS": role}, role)
    id_ = account.iam.get_role(RoleName=name)["Role"]["RoleId"]
    assert role in held.show()
    assert id_ not in held.show()
    old = account.session(role)
    held.use(old)

    account.delete_role(name)
    assert f'"{id_}"' in held.show()
    assert account.role(name) == role
    assert f'"{id_}"' in held.show()
    assert role not in held.show()
    assert "AccessDenied" in refusal(lambda: held.use(account.session(role)))[0]
    assert "AccessDenied" not in refusal(lambda: held.use(old))[0]


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_user_made_again_has_nothing_of_what_the_old_one_was_given(
    account: Account, holder: Callable[[Account], Holder]
) -> None:
    name = new_name("user")
    user, held = account.user(name), holder(account)
    held.save({"AWS": user}, user)
    held.use(account.key(name))
    old = account.key(name)
    account.delete_user(name)
    account.user(name)
    assert "AccessDenied" in refusal(lambda: held.use(account.key(name)))[0]
    assert "AccessDenied" not in refusal(lambda: held.use(old))[0]
    assert user not in held.show()


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_session_that_a_policy_names_is_one_of_the_role_that_there_was(
    account: Account, holder: Callable[[Account], Holder]
) -> None:
    name = new_name("role")
    role, held = account.role(name), holder(account)
    session = f"arn:aws:sts::{account.server.account}:assumed-role/{name}/work"
    held.save({"AWS": session}, session)
    assert session in held.show()
    held.use(account.session(role))
    assert "AccessDenied" in refusal(lambda: held.use(account.session(role, "other")))[0]
    account.delete_role(name)
    account.role(name)
    assert "AccessDenied" in refusal(lambda: held.use(account.session(role)))[0]


@pytest.mark.parametrize("path", ["role/nobody", "user/nobody", "role/path/nobody", "group/all"])
@pytest.mark.parametrize("holder", HOLDERS)
def test_a_policy_that_names_nobody_is_refused(
    account: Account, holder: Callable[[Account], Holder], path: str
) -> None:
    held, nobody = holder(account), f"arn:aws:iam::{account.server.account}:{path}"
    code, sentence = held.unknown
    assert refusal(lambda: held.save({"AWS": [account.root, nobody]}, nobody)) == (
        code,
        sentence.format(nobody),
    )


def test_the_id_of_one_who_is_gone_is_refused_when_a_shown_policy_is_saved_again(account: Account) -> None:
    name = new_name("user")
    user, held = account.user(name), trust(account)
    held.save({"AWS": user}, user)
    account.delete_user(name)
    principal = json.loads(held.show())["Statement"][0]["Principal"]
    assert principal["AWS"].startswith("AIDA")
    assert refusal(lambda: held.save(principal, "")) == (
        "MalformedPolicyDocument",
        f'Invalid principal in policy: "AWS":"{principal["AWS"]}"',
    )


def test_principals_of_other_accounts_and_whole_accounts_stay_as_they_were_written(account: Account) -> None:
    held = trust(account)
    given = [account.root, "444455556666", "arn:aws:iam::444455556666:role/theirs"]
    held.save({"AWS": given}, "")
    assert json.loads(held.show())["Statement"][0]["Principal"]["AWS"] == given


def test_log_policies_name_principals_by_who_they_are(account: Account) -> None:
    logs, name, policy = account.server.client("logs"), new_name("role"), new_name("policy")
    role = account.role(name)
    put = {
        "policyName": policy,
        "policyDocument": json.dumps(document(allow("logs:PutLogEvents", Principal={"AWS": role}))),
    }
    assert role in logs.put_resource_policy(**put)["resourcePolicy"]["policyDocument"]
    account.delete_role(name)
    found = {
        one["policyName"]: one["policyDocument"]
        for one in logs.describe_resource_policies()["resourcePolicies"]
    }
    logs.delete_resource_policy(policyName=policy)
    assert '"AROA' in found[policy]
    assert role not in found[policy]
    assert refusal(lambda: logs.put_resource_policy(**put)) == (
        "InvalidParameterException",
        f'Invalid principal in policy: "AWS":"{role}"',
    )


def test_roles_are_listed_with_the_principals_that_they_trust(account: Account) -> None:
    name, path = new_name("role"), f"/{new_name('path')}/"
    trusted = account.role(new_name("trusted"))
    trust = json.dumps(document(allow("sts:AssumeRole", None, Principal={"AWS": trusted})))
    made = account.iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust)["Role"]
    listed = account.iam.list_roles(PathPrefix=path)["Roles"][0]
    for shown in (made, listed):
        assert shown["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"AWS": trusted}


def test_a_queue_is_found_again_by_the_policy_that_it_was_made_with(account: Account) -> None:
    sqs, name = account.server.client("sqs"), new_name("queue")
    role = account.role(new_name("role"))
    attributes = {"Policy": json.dumps(document(allow("sqs:SendMessage", Principal={"AWS": role})))}
    first = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    assert sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"] == first
