"""Who may assume a role, with the keys of the call."""

from typing import Any

import pytest

from passrole.policy import Decision, PolicySet, Request, denial_message, evaluate
from passrole.policy.trust import ASSUME_ROLE, assume_keys

A, B = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{A}:role/service-role/PipeExec"
ANN, EVE, ROOT = (f"arn:aws:iam::{A}:user/ann", f"arn:aws:iam::{B}:user/eve", f"arn:aws:iam::{A}:root")


def trust(compiled: Any, principal: object, condition: object = None) -> Any:
    element = {"Action": "sts:AssumeRole", "Principal": principal}
    return compiled(element | ({"Condition": condition} if condition else {}), kind="trust")


def assume(principal: Any, trust: Any, own: PolicySet | None = None, **keys: Any) -> Decision:
    request = Request(principal, ASSUME_ROLE, ROLE, A, assume_keys(**keys))
    return evaluate(request, (own or PolicySet()).replace(trust=trust))


@pytest.mark.parametrize(
    ("caller", "named", "own_policy", "layer"),
    [
        (ANN, {"AWS": ANN}, False, None),
        (ANN, {"AWS": A}, False, "identity"),
        (ANN, {"AWS": A}, True, None),
        (ANN, {"Service": "lambda.amazonaws.com"}, True, "trust"),
        (EVE, {"AWS": EVE}, False, "identity"),
        (EVE, {"AWS": B}, True, None),
        (EVE, {"AWS": A}, True, "trust"),
        ("lambda.amazonaws.com", {"Service": "lambda.amazonaws.com"}, False, None),
        ("lambda.amazonaws.com", {"AWS": A}, True, "trust"),
        (ROOT, {"AWS": A}, True, "trust"),
    ],
)
def test_the_trust_policy_must_allow_and_mostly_the_callers_own(
    caller: str, named: object, own_policy: bool, layer: str | None, principal_of: Any, compiled: Any
) -> None:
    own = PolicySet(identity=(("p", compiled({})),) if own_policy else ())
    decision = assume(principal_of(caller), trust(compiled, named), own)
    assert (None if decision.allowed else decision.layer) == layer


def test_an_external_id_is_compared_when_the_trust_policy_asks(principal_of: Any, compiled: Any) -> None:
    asking = trust(compiled, {"AWS": ANN}, {"StringEquals": {"sts:ExternalId": "secret"}})
    for external_id, allowed in (("secret", True), ("other", False), (None, False)):
        assert assume(principal_of(ANN), asking, external_id=external_id).allowed is allowed


def test_the_parameters_of_a_call_become_its_keys() -> None:
    keys = assume_keys(session_name="s", tags={"Team": "ml"}, transitive_tags=("Team",))
    assert keys == {
        "sts:RoleSessionName": "s",
        "aws:TagKeys": ("Team",),
        "aws:RequestTag/Team": "ml",
        "sts:TransitiveTagKeys": ("Team",),
    }


def test_a_service_is_trusted_only_by_name(principal_of: Any, compiled: Any) -> None:
    policy = trust(compiled, {"Service": ["lambda.amazonaws.com", "sagemaker.amazonaws.com"]})
    assert assume(principal_of("sagemaker.amazonaws.com"), policy).allowed
    assert not assume(principal_of("events.amazonaws.com"), policy).allowed


def test_root_is_told_that_it_may_assume_no_role(principal_of: Any, compiled: Any) -> None:
    decision = assume(principal_of(ROOT), trust(compiled, {"AWS": A}))
    message = denial_message(decision.request, decision)
    assert message == "Roles may not be assumed by root accounts."
