"""The sharp cases of the evaluator, asked through SimulateCustomPolicy: the verdicts must be the same."""

import json
from pathlib import Path
from typing import Any

import pytest

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "policy" / "cases" / "sharp.json").read_text()
)["cases"]
EXPRESSED = 157  # of 173
DECISIONS = {"Allowed": "allowed", "ExplicitlyDenied": "explicitDeny", "ImplicitlyDenied": "implicitDeny"}
# Documents that no API lets in; the last has a wildcard inside a principal.
MALFORMED = {"S061", "S062", "S142"}
KEY_LETTERS_MIN = 5


def inexpressible(case: dict[str, Any]) -> str | None:
    """Why the API has no words for a case, or None where it has."""
    if not case["request"]["principal"].startswith("arn:"):
        return "CallerArn cannot be a service"
    if case["policies"]["session"]:
        return "there is no parameter for session policies"
    if "assumed-role" in json.dumps(case["policies"]):
        return "CallerArn cannot be a session, and the policies name one"
    if case["id"] in MALFORMED:
        return "the document is refused as malformed"
    if any(len(key) < KEY_LETTERS_MIN for key in case["request"]["context"]):
        return "the name of the condition key is shorter than the API's shortest"
    return None


@pytest.mark.parametrize(
    "case", [case for case in CASES if not inexpressible(case)], ids=lambda case: f"{case['id']}"
)
def test_the_simulator_decides_a_sharp_case_as_the_evaluator(iam: Any, case: dict[str, Any]) -> None:
    answer = iam.simulate_custom_policy(**parameters(case))
    (result,) = answer["EvaluationResults"]
    assert result["EvalDecision"] == DECISIONS[case["expected"]], case["why"]


def test_all_but_a_few_sharp_cases_can_be_expressed() -> None:
    assert [inexpressible(case) for case in CASES].count(None) == EXPRESSED


def parameters(case: dict[str, Any]) -> dict[str, Any]:
    asked, policies = case["request"], case["policies"]
    optional = {
        "PermissionsBoundaryPolicyInputList": [json.dumps(policies["boundary"])]
        if policies["boundary"]
        else None,
        "ResourcePolicy": json.dumps(policies["resource"]) if policies["resource"] else None,
        "OrderedOrganizationPolicyInputList": [
            {"ServiceControlPolicyInputList": [json.dumps(policy) for policy in level]}
            for level in policies["scps"]
        ],
    }
    return {
        "PolicyInputList": [json.dumps(policy) for policy in policies["identity"]],
        "ActionNames": [asked["action"]],
        "ResourceArns": [asked["resource"]],
        "ResourceOwner": asked["resource_account"],
        "CallerArn": caller(asked["principal"]),
        "ContextEntries": [entry(key, value) for key, value in asked["context"].items()],
        **{name: value for name, value in optional.items() if value},
    }


def caller(arn: str) -> str:
    """A session's role; a user as it is."""
    account, resource = arn.split(":")[4:6]
    kind, name = resource.split("/")[:2]
    return f"arn:aws:iam::{account}:role/{name}" if kind == "assumed-role" else arn


def entry(key: str, value: Any) -> dict[str, Any]:
    many = isinstance(value, list)
    return {
        "ContextKeyName": key,
        "ContextKeyType": "stringList" if many else "string",
        "ContextKeyValues": value if many else [value],
    }
