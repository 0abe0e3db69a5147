"""The sharp cases: one request each, where evaluators are known to go wrong; and those where one may fail
to deny, or may deny too much.
"""

import json
from collections.abc import Callable
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
from passrole.policy.document import DocumentKind, compile_document
from passrole.policy.managed import PIPELINES_INTEGRATIONS, policies

CASES = Path(__file__).parent / "cases"
DATA = json.loads((CASES / "sharp.json").read_text())
DENIALS = json.loads((CASES / "denials.json").read_text())["cases"]
# Cases about what a stored document means that CreatePolicy would not have let in.
NEVER_STORED = {"S061", "S062"}

PrincipalOf = Callable[[str], Principal]


@pytest.mark.parametrize("case", [*DATA["cases"], *DENIALS], ids=lambda case: f"{case['id']} {case['title']}")
def test_a_sharp_case_is_decided_as_expected(case: dict[str, Any], principal_of: PrincipalOf) -> None:
    asked = case["request"]
    decision = evaluate(request_of(asked, principal_of), policies_of(case["policies"], asked["action"]))
    assert outcome(decision) == case["expected"], case["why"]
    if not decision.allowed:
        assert decision.layer == case["layer"]


@pytest.mark.parametrize("case", [*DATA["cases"], *DENIALS], ids=lambda case: case["id"])
def test_the_policies_of_a_sharp_case_can_be_stored(case: dict[str, Any]) -> None:
    for policy in case["policies"]["identity"]:
        if case["id"] in NEVER_STORED:
            with pytest.raises(MalformedPolicyDocument):
                parse_document(json.dumps(policy))
        else:
            parse_document(json.dumps(policy))


@pytest.mark.parametrize("case", DATA["composite"], ids=lambda case: case["title"])
def test_a_call_needs_all_of_its_permissions(case: dict[str, Any], principal_of: PrincipalOf) -> None:
    versions = {version.id: version.document for version in policies()[PIPELINES_INTEGRATIONS].versions}
    applied = PolicySet(identity=((PIPELINES_INTEGRATIONS, parse_document(versions[case["policy"]])),))
    caller = principal_of("arn:aws:sts::111122223333:assumed-role/PipeExec/SageMaker")
    allowed = all(
        evaluate(Request(caller, action, resource, "111122223333", context), applied).allowed
        for action, resource, context in case["checks"]
    )
    assert allowed is (case["expected"] == "Allowed")


@pytest.mark.parametrize("case", DATA["invalid"], ids=lambda case: f"{case['id']} {case['title']}")
def test_an_invalid_document_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(MalformedPolicyDocument):
        parse_document(json.dumps(case["policy"]), case.get("kind", "identity"))


def outcome(decision: Decision) -> str:
    if decision.allowed:
        return "Allowed"
    return "ExplicitlyDenied" if decision.explicit else "ImplicitlyDenied"


def request_of(raw: dict[str, Any], principal_of: PrincipalOf) -> Request:
    context = {
        key: tuple(value) if isinstance(value, list) else value for key, value in raw["context"].items()
    }
    return Request(
        principal_of(raw["principal"]), raw["action"], raw["resource"], raw["resource_account"], context
    )


def policies_of(raw: dict[str, Any], action: str) -> PolicySet:
    attached = raw["resource"]
    trust = action == "sts:AssumeRole"
    return PolicySet(
        identity=tuple((f"p{i}", compiled(policy)) for i, policy in enumerate(raw["identity"])),
        boundary=("boundary", compiled(raw["boundary"])) if raw["boundary"] else None,
        session=(("session", compiled(raw["session"])),) if raw["session"] else (),
        scps=tuple(tuple(("scp", compiled(policy)) for policy in level) for level in raw["scps"]),
        resource=compiled(attached, "resource") if attached and not trust else None,
        trust=compiled(attached, "trust") if attached and trust else None,
    )


def compiled(policy: dict[str, Any], kind: DocumentKind = "identity") -> CompiledPolicy:
    return compile_document(policy, kind)
