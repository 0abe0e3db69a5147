"""The sharp cases: one request each, where evaluators are known to go wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from passrole.policy import (
    CompiledPolicy,
    Decision,
    MalformedPolicyDocument,
    PolicySet,
    Principal,
    Request,
    evaluate,
    parse_document,
)
from passrole.policy.document import Kind, compile_document
from passrole.policy.managed import PIPELINES_INTEGRATIONS, policies

DATA = json.loads((Path(__file__).parent / "cases" / "sharp.json").read_text())
UNSURE_WHETHER_REFUSED = {"I09", "I11", "I12"}


@pytest.mark.parametrize("case", DATA["cases"], ids=lambda case: f"{case['id']} {case['title']}")
def test_a_sharp_case_is_decided_as_expected(case: dict[str, Any]) -> None:
    request = request_of(case["request"])
    decision = evaluate(request, policies_of(case["policies"], case["request"]["action"]))
    assert outcome(decision) == case["expected"], case["why"]


@pytest.mark.parametrize("case", DATA["composite"], ids=lambda case: case["title"])
def test_a_call_needs_all_of_its_permissions(case: dict[str, Any]) -> None:
    versions = {version.id: version.document for version in policies()[PIPELINES_INTEGRATIONS].versions}
    policy = versions[case["policy"]] if isinstance(case["policy"], str) else case["policy"]
    applied = PolicySet(identity=(("only", parse_document(policy)),))
    caller = principal_of("arn:aws:sts::111122223333:assumed-role/PipeExec/SageMaker")
    allowed = all(
        evaluate(Request(caller, action, resource, "111122223333", context), applied).allowed
        for action, resource, context in case["checks"]
    )
    assert allowed is (case["expected"] == "Allowed")


@pytest.mark.parametrize("case", DATA["invalid"], ids=lambda case: f"{case['id']} {case['title']}")
def test_an_invalid_document_is_refused(case: dict[str, Any]) -> None:
    if case["id"] in UNSURE_WHETHER_REFUSED:
        pytest.skip("AWS's behaviour is not known")
    with pytest.raises(MalformedPolicyDocument):
        parse_document(json.dumps(case["policy"]))


def outcome(decision: Decision) -> str:
    if decision.allowed:
        return "Allowed"
    return "ExplicitlyDenied" if decision.explicit else "ImplicitlyDenied"


def request_of(raw: dict[str, Any]) -> Request:
    context = {
        key: tuple(value) if isinstance(value, list) else value for key, value in raw["context"].items()
    }
    return Request(
        principal_of(raw["principal"]), raw["action"], raw["resource"], raw["resource_account"], context
    )


def principal_of(arn: str) -> Principal:
    if not arn.startswith("arn:"):
        return Principal("service", arn, "", arn, arn)
    account, name = arn.split(":")[4], arn.split(":")[5]
    if name == "root":
        return Principal("root", arn, account, account, "root")
    if not name.startswith("assumed-role/"):
        return Principal("user", arn, account, "AIDAEXAMPLE", name.split("/")[-1])
    _, role, session = name.split("/")
    role_arn = f"arn:aws:iam::{account}:role/{role}"
    return Principal("role", arn, account, f"AROAEXAMPLE:{session}", role, role_arn, session)


def policies_of(raw: dict[str, Any], action: str) -> PolicySet:
    attached = raw["resource"]
    trust = action == "sts:AssumeRole"
    return PolicySet(
        identity=tuple((f"p{i}", lenient(policy)) for i, policy in enumerate(raw["identity"])),
        boundary=("boundary", lenient(raw["boundary"])) if raw["boundary"] else None,
        session=(("session", lenient(raw["session"])),) if raw["session"] else (),
        scps=tuple(tuple(("scp", lenient(policy)) for policy in level) for level in raw["scps"]),
        resource=lenient(attached, "resource") if attached and not trust else None,
        trust=lenient(attached, "trust") if attached and trust else None,
    )


def lenient(policy: dict[str, Any], kind: Kind = "identity") -> CompiledPolicy:
    return compile_document(policy, kind)
