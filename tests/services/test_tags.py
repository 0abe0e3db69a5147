"""Tags: what every service does with them in the same way."""

from collections.abc import Sequence
from typing import Any

import pytest

from passrole.faults import Fault
from passrole.services.tags import TAGS_MAX, TagRules, from_wire, removed_keys, to_list

CONTEXT: Any = None


def _refusal(code: str) -> Fault:
    return Fault(code, "no.")


RULES = TagRules(
    reserved=lambda _: _refusal("Reserved"),
    too_many=lambda resource, count: Fault("TooMany", f"{resource}: {count}"),
    repeated=lambda: _refusal("Repeated"),
)
LIKE_IAM = TagRules(
    reserved=lambda _: _refusal("Reserved"), repeated=lambda: _refusal("Repeated"), ignores_case=True
)


def listed(*keys: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": key} for key in keys]


def test_both_wire_forms_are_the_same_tags() -> None:
    tags = {"team": "red", "stage": ""}
    assert from_wire(tags) == tags
    assert from_wire([{"Key": "team", "Value": "red"}, {"Key": "stage"}]) == tags
    assert from_wire(None) == {}
    assert from_wire(to_list(tags)) == tags


@pytest.mark.parametrize(
    ("rules", "keys", "code"),
    [
        (RULES, ("a", "a"), "Repeated"),
        (RULES, ("a", "AWS:x"), "Reserved"),
        (LIKE_IAM, ("Team", "team"), "Repeated"),
        (LIKE_IAM, ("aws:x",), "Reserved"),
    ],
)
def test_tags_that_no_call_may_bring_are_refused(rules: TagRules, keys: Sequence[str], code: str) -> None:
    with pytest.raises(Fault, match=code):
        rules.read(listed(*keys))
    with pytest.raises(Fault, match=code):
        rules.added({}, listed(*keys))


def test_letter_case_tells_keys_apart_except_in_iam() -> None:
    assert RULES.added({"Team": "1"}, {"team": "2"}) == {"Team": "1", "team": "2"}
    assert LIKE_IAM.added({"Team": "1"}, {"team": "2"}) == {"team": "2"}
    assert RULES.removed({"Team": "1", "b": "2"}, ["team", "b", "unknown"]) == {"Team": "1"}
    assert LIKE_IAM.removed({"Team": "1", "b": "2"}, ["team"]) == {"b": "2"}


def test_a_resource_has_no_more_tags_than_the_limit() -> None:
    present = {f"k{number}": "" for number in range(TAGS_MAX)}
    assert len(RULES.added(present, {"k1": "again"})) == TAGS_MAX
    with pytest.raises(Fault, match=f"thing: {TAGS_MAX + 1}"):
        RULES.added(present, {"one": "more"}, "thing")


def test_condition_keys_name_the_tags_under_every_prefix() -> None:
    rules = TagRules(reserved=lambda _: _refusal("Reserved"), prefixes=("aws", "elasticmapreduce"))
    assert rules.request_keys(CONTEXT, {"tags": listed("a")}) == {
        "aws:TagKeys": ("a",),
        "aws:RequestTag/a": "a",
        "elasticmapreduce:RequestTag/a": "a",
    }
    assert rules.request_keys(CONTEXT, {}) == {}
    assert rules.request_keys(CONTEXT, {"tags": {"aws:x": ""}})
    with pytest.raises(Fault, match="Reserved"):
        rules.checked_request_keys(CONTEXT, {"tags": {"aws:x": ""}})
    assert removed_keys(CONTEXT, {"tag_keys": ["a", "b"]}) == {"aws:TagKeys": ("a", "b")}
