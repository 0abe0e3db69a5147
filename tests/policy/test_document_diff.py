"""What a version has that another has not: nothing is a change that only stands elsewhere."""

import json
from typing import Any

import pytest

from passrole.policy.document_diff import only_in
from passrole.policy.managed import PIPELINES_INTEGRATIONS, policies


def document(*statements: tuple[Any, Any, Any]) -> dict[str, Any]:
    return {
        "Statement": [
            {"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition}
            for action, resource, condition in statements
        ]
    }


def equals(*values: str) -> dict[str, Any]:
    return {"StringEquals": {"k": list(values)}}


TWO = {"StringEquals": {"k": "2"}}


@pytest.mark.parametrize(
    "newer, older, added",
    [
        ([("a:x", "*", {})], [], [(("a:x",), ("*",), {})]),
        ([("a:x", "*", {})], [("a:x", "*", {})], []),
        ([(["a:x", "a:y"], ["q", "r"], {})], [("a:y", ["r", "q"], {}), ("a:x", ["q", "r"], {})], []),
        ([(["a:x", "a:y"], "*", {})], [("a:x", "*", {})], [(("a:y",), ("*",), {})]),
        ([("a:x", ["q", "r"], {})], [("a:x", "q", {})], [(("a:x",), ("r",), {})]),
        (
            [("a:x", "*", equals("1", "2"))],
            [("a:x", "*", equals("1"))],
            [(("a:x",), ("*",), TWO)],
        ),
        ([("a:x", "*", equals("1"))], [("a:x", "*", {})], [(("a:x",), ("*",), {"StringEquals": {"k": "1"}})]),
        (
            [("a:x", "*", {"StringNotEquals": {"k": ["1", "2"]}})],
            [("a:x", "*", {"StringNotEquals": {"k": ["1"]}})],
            [(("a:x",), ("*",), {"StringNotEquals": {"k": ["1", "2"]}})],
        ),
    ],
)
def test_only_what_is_new_is_told(newer: Any, older: Any, added: Any) -> None:
    parts = only_in(document(*newer), document(*older) if older else None)
    assert [(part.actions, part.resources, part.condition) for part in parts] == added


def test_an_element_that_excludes_is_told_as_a_whole() -> None:
    statement = {"Effect": "Deny", "NotAction": ["a:x", "a:y"], "NotResource": "q"}
    (part,) = only_in({"Statement": statement}, None)
    assert (part.effect, part.actions, part.resources) == (
        "Deny",
        ("everything but a:x, a:y",),
        ("everything but q",),
    )


def test_the_managed_policy_only_ever_grew() -> None:
    v1, v2, v3 = (each.document for each in policies()[PIPELINES_INTEGRATIONS].versions)
    assert (only_in(v1, v2), only_in(v2, v3)) == ([], [])
    gained = [action for part in only_in(v2, v1) for action in part.actions]
    assert gained[0] == "lambda:GetFunction"
    assert "elasticmapreduce:RunJobFlow" not in gained
    assert "elasticmapreduce:RunJobFlow" in json.dumps([part.actions for part in only_in(v3, v2)])
