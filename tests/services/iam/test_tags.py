"""Tags of everything in IAM that has some: shape, refusals, effect. All kinds pass the same tests."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import pytest
from tests.conftest import Server
from tests.refusals import refusal_with_status


class Holder(NamedTuple):
    """One kind's operations, its name given."""

    noun: str
    tag: Callable[[Mapping[str, str]], Any]
    untag: Callable[..., Any]
    tags: Callable[..., Any]


NAMED_BY = {
    "role": "RoleName",
    "user": "UserName",
    "policy": "PolicyArn",
    "instance_profile": "InstanceProfileName",
}


@pytest.fixture(params=NAMED_BY)
def holder(request: pytest.FixtureRequest, iam: Any) -> Holder:
    """A new role, a new user, and so on."""
    noun = request.param
    name = {NAMED_BY[noun]: request.getfixturevalue(noun)}

    def tag(tags: Mapping[str, str]) -> None:
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        getattr(iam, f"tag_{noun}")(**name, Tags=listed)

    return Holder(
        noun,
        tag,
        lambda *keys: getattr(iam, f"untag_{noun}")(**name, TagKeys=list(keys)),
        lambda **given: getattr(iam, f"list_{noun}_tags")(**name, **given),
    )


def test_tags_are_added_replaced_and_removed(holder: Holder) -> None:
    holder.tag({"b": "1", "a": "2"})
    holder.tag({"B": "3", "c": ""})
    assert holder.tags()["Tags"] == [
        {"Key": "B", "Value": "3"},
        {"Key": "a", "Value": "2"},
        {"Key": "c", "Value": ""},
    ]
    holder.untag("b", "never")
    assert [tag["Key"] for tag in holder.tags()["Tags"]] == ["a", "c"]


def test_tags_are_listed_in_pages(holder: Holder) -> None:
    holder.tag({"a": "1", "b": "2", "c": "3"})
    first = holder.tags(MaxItems=2)
    assert [tag["Key"] for tag in first["Tags"]] == ["a", "b"]
    assert [tag["Key"] for tag in holder.tags(Marker=first["Marker"])["Tags"]] == ["c"]


def test_there_are_fifty_tags_at_most(holder: Holder) -> None:
    holder.tag({f"k{number}": "" for number in range(50)})
    holder.tag({"K7": "changed"})
    assert refusal_with_status(lambda: holder.tag({"one": "more"})) == (
        409,
        "LimitExceeded",
        f"Cannot exceed quota for TagsPer{holder.noun.title().replace('_', '')}: 50",
    )


def test_what_is_not_there_has_no_tags(iam: Any, holder: Holder) -> None:
    missing = "arn:aws:iam::111122223333:policy/nowhere" if holder.noun == "policy" else "nowhere"
    name = {NAMED_BY[holder.noun]: missing}
    for call in (
        lambda: getattr(iam, f"tag_{holder.noun}")(**name, Tags=[{"Key": "a", "Value": "1"}]),
        lambda: getattr(iam, f"untag_{holder.noun}")(**name, TagKeys=["a"]),
        lambda: getattr(iam, f"list_{holder.noun}_tags")(**name),
    ):
        assert refusal_with_status(call)[:2] == (404, "NoSuchEntity")


def test_keys_that_differ_in_letter_case_alone_are_refused(holder: Holder) -> None:
    assert refusal_with_status(lambda: holder.tag({"a": "1", "A": "2"}))[:2] == (400, "InvalidInput")
    assert holder.tags()["Tags"] == []


def test_awss_policies_are_not_tagged(iam: Any) -> None:
    arn = "arn:aws:iam::aws:policy/AmazonSageMakerPipelinesIntegrations"
    assert iam.list_policy_tags(PolicyArn=arn)["Tags"] == []
    call = partial(iam.tag_policy, PolicyArn=arn, Tags=[{"Key": "a", "Value": "1"}])
    assert refusal_with_status(call)[:2] == (403, "AccessDenied")


def test_a_users_tags_count_as_conditions(server: Server, iam: Any, user: str) -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/team": "ml"}}
    statement = {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*", "Condition": condition}
    access = server.user({"Version": "2012-10-17", "Statement": [statement]})
    own = server.client_with("iam", access["access_key_id"], access["secret_access_key"])
    assert refusal_with_status(own.list_users)[1] == "AccessDenied"
    iam.tag_user(UserName=access["user"], Tags=[{"Key": "team", "Value": "ml"}])
    own.list_users()


def test_tags_at_creation_need_the_permission_to_tag(server: Server, fresh: Callable[[str], str]) -> None:
    statement = {"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"}
    own = server.client("iam", user_policy={"Version": "2012-10-17", "Statement": [statement]})
    own.create_user(UserName=fresh("plain"))
    name = fresh("tagged")
    tagged = partial(own.create_user, UserName=name, Tags=[{"Key": "a", "Value": "1"}])
    assert "iam:TagUser on resource" in refusal_with_status(tagged)[2]
