"""Inline policies of roles and users: shape, refusals, effect. Both kinds pass the same tests."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest
from tests.conftest import Server
from tests.refusals import refusal_with_status

Document = Callable[..., str]


class Holder(NamedTuple):
    """One kind's four operations, its name given."""

    noun: str
    name: dict[str, str]
    most: int
    put: Callable[..., Any]
    get: Callable[..., Any]
    names: Callable[..., Any]
    delete: Callable[..., Any]


@pytest.fixture(params=["role", "user"])
def holder(request: pytest.FixtureRequest, iam: Any) -> Holder:
    """A new role, then a new user."""
    noun = request.param
    name = {f"{noun.title()}Name": request.getfixturevalue(noun)}
    return Holder(
        noun,
        name,
        {"role": 10_240, "user": 2_048}[noun],
        lambda **given: getattr(iam, f"put_{noun}_policy")(**name, **given),
        lambda **given: getattr(iam, f"get_{noun}_policy")(**name, **given),
        lambda **given: getattr(iam, f"list_{noun}_policies")(**name, **given),
        lambda **given: getattr(iam, f"delete_{noun}_policy")(**name, **given),
    )


def test_a_policy_comes_back_as_it_was_put(holder: Holder, document: Document) -> None:
    text = document("sqs:*", "lambda:ü%+ &")
    holder.put(PolicyName="p", PolicyDocument=text)
    answer = holder.get(PolicyName="p")
    assert answer["PolicyDocument"] == json.loads(text)
    assert answer["PolicyName"] == "p"
    assert holder.name.items() <= answer.items()


def test_a_second_put_replaces_the_first(holder: Holder, document: Document) -> None:
    holder.put(PolicyName="p", PolicyDocument=document("sqs:*"))
    holder.put(PolicyName="p", PolicyDocument=document("iam:*"))
    assert holder.get(PolicyName="p")["PolicyDocument"]["Statement"][0]["Action"] == ["iam:*"]
    assert holder.names()["PolicyNames"] == ["p"]


def test_names_are_listed_in_pages(holder: Holder, document: Document) -> None:
    for name in ("c", "a", "b"):
        holder.put(PolicyName=name, PolicyDocument=document("sqs:*"))
    first = holder.names(MaxItems=2)
    assert (first["PolicyNames"], first["IsTruncated"]) == (["a", "b"], True)
    second = holder.names(Marker=first["Marker"])
    assert (second["PolicyNames"], second["IsTruncated"]) == (["c"], False)


def test_a_policy_that_is_not_there_is_told_by_name(holder: Holder) -> None:
    expected = (404, "NoSuchEntity", f"The {holder.noun} policy with name p cannot be found.")
    assert refusal_with_status(lambda: holder.get(PolicyName="p")) == expected
    assert refusal_with_status(lambda: holder.delete(PolicyName="p")) == expected


def test_what_is_no_policy_is_refused_and_changes_nothing(holder: Holder, document: Document) -> None:
    holder.put(PolicyName="p", PolicyDocument=document("sqs:*"))
    for text in (
        "{",
        "[]",
        '"x"',
        '{"Statement":[]}',
        document("noprefix"),
        document("sqs:*").replace("*", "*\\"),
    ):
        put = partial(holder.put, PolicyName="p", PolicyDocument=text)
        assert refusal_with_status(put)[:2] == (400, "MalformedPolicyDocument")
    assert holder.get(PolicyName="p")["PolicyDocument"] == json.loads(document("sqs:*"))


def test_all_policies_together_have_a_size(holder: Holder, document: Document) -> None:
    half = document("sqs:" + "x" * (holder.most // 2))
    holder.put(PolicyName="p", PolicyDocument=half)
    status, code, sentence = refusal_with_status(lambda: holder.put(PolicyName="q", PolicyDocument=half))
    assert (status, code) == (409, "LimitExceeded")
    assert sentence.startswith(f"Maximum policy size of {holder.most} bytes exceeded for {holder.noun} ")
    assert holder.names()["PolicyNames"] == ["p"]


def test_a_policy_counts_from_its_put_to_its_delete(
    server: Server, iam: Any, user: str, document: Document
) -> None:
    key = iam.create_access_key(UserName=user)["AccessKey"]
    own = server.client_with("iam", key["AccessKeyId"], key["SecretAccessKey"])
    assert refusal_with_status(own.list_users)[1] == "AccessDenied"
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document("iam:ListUsers"))
    own.list_users()
    iam.delete_user_policy(UserName=user, PolicyName="p")
    assert refusal_with_status(own.list_users)[1] == "AccessDenied"
