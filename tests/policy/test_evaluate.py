"""The order of the layers, beyond what the sharp cases hold."""

from typing import Any

import pytest

from passrole.policy import PolicySet, evaluate
from passrole.policy.document import policy_of

A, B = "111122223333", "444455556666"
ROOT = f"arn:aws:iam::{A}:root"
ALL: dict[str, Any] = {}
DENY = {"Effect": "Deny"}
OTHER = {"Action": "ec2:*"}
EVERYONE = {"Principal": "*"}


def test_a_decision_names_its_policy_and_statement(ask: Any, compiled: Any) -> None:
    policy = compiled(OTHER, {"Sid": "Mine", "Action": "sqs:*"})
    decision = evaluate(ask(), PolicySet(identity=(("other", compiled(OTHER)), ("mine", policy))))
    assert (decision.allowed, decision.layer) == (True, "identity")
    assert (decision.policy, decision.statement, decision.sid) == ("mine", 1, "Mine")
    assert decision.verdicts == {"identity": "allow"}


def test_an_implicit_denial_names_no_statement(ask: Any, compiled: Any) -> None:
    decision = evaluate(ask(), PolicySet(identity=(("p", compiled(OTHER)),)))
    assert (decision.policy, decision.statement, decision.sid) == (None, None, None)


@pytest.mark.parametrize("layer", ["identity", "boundary", "session", "scp", "resource"])
def test_a_deny_in_any_layer_wins_over_allows_in_all(layer: str, ask: Any, compiled: Any) -> None:
    def of(name: str) -> Any:
        return compiled(ALL, DENY) if name == layer else compiled(ALL)

    attached = compiled(EVERYONE, EVERYONE | DENY, kind="resource")
    policies = PolicySet(
        identity=(("i", of("identity")),),
        boundary=("b", of("boundary")),
        session=(("s", of("session")),),
        scps=((("full", compiled(ALL)), ("o", of("scp"))),),
        resource=attached if layer == "resource" else None,
    )
    decision = evaluate(ask(), policies)
    assert (decision.allowed, decision.explicit, decision.layer) == (False, True, layer)
    assert decision.statement == 1


@pytest.mark.parametrize(
    ("account", "policies", "layer"),
    [
        (A, {}, None),
        (A, {"scps": "other"}, "scp"),
        (A, {"resource": "deny"}, "resource"),
        (A, {"boundary": "other"}, None),
        (B, {}, "resource"),
        (B, {"resource": "allow"}, None),
    ],
    ids=["alone", "organisation", "resource deny", "no boundary", "elsewhere", "elsewhere, invited"],
)
def test_root_may_do_everything_in_its_account_that_the_organisation_allows(
    account: str, policies: dict[str, str], layer: str | None, ask: Any, compiled: Any
) -> None:
    built = {
        "scps": ((("o", compiled(OTHER)),),),
        "boundary": ("b", compiled(OTHER)),
        "resource": compiled(
            EVERYONE | (DENY if policies.get("resource") == "deny" else {}), kind="resource"
        ),
    }
    chosen = PolicySet(**{name: built[name] for name in policies})
    decision = evaluate(ask(by=ROOT, account=account), chosen)
    assert (None if decision.allowed else decision.layer) == layer


def test_a_service_has_nothing_but_what_the_resource_grants(ask: Any, compiled: Any) -> None:
    request = ask(by="events.amazonaws.com")
    powerless = PolicySet(identity=(("p", compiled(ALL)),), scps=((("o", compiled(OTHER)),),))
    assert evaluate(request, powerless).layer == "resource"
    named = compiled({"Principal": {"Service": "events.amazonaws.com"}}, kind="resource")
    assert evaluate(request, powerless.replace(resource=named)).allowed


@pytest.mark.parametrize("layer", ["boundary", "session"])
@pytest.mark.parametrize(
    ("named", "passes"),
    [
        (f"arn:aws:sts::{A}:assumed-role/PipeExec/SageMaker", True),
        (f"arn:aws:iam::{A}:role/PipeExec", False),
        ("*", False),
    ],
    ids=["session", "role", "everyone"],
)
def test_only_a_grant_to_the_session_itself_passes_over_what_limits_its_role(
    layer: str, named: str, passes: bool, ask: Any, compiled: Any
) -> None:
    limits = {"boundary": ("l", compiled(OTHER)), "session": (("l", compiled(OTHER)),)}
    attached = compiled({"Principal": {"AWS": named}}, kind="resource")
    decision = evaluate(ask(), PolicySet(**{layer: limits[layer]}, resource=attached))  # type: ignore[arg-type]
    assert decision.allowed is passes


@pytest.mark.parametrize("position", [0, 1])
def test_the_most_direct_of_several_grants_counts(position: int, ask: Any, compiled: Any) -> None:
    grants = [{"Principal": {"AWS": A}}]
    grants.insert(position, {"Principal": {"AWS": f"arn:aws:sts::{A}:assumed-role/PipeExec/SageMaker"}})
    decision = evaluate(ask(), PolicySet(resource=compiled(*grants, kind="resource")))
    assert (decision.allowed, decision.statement) == (True, position)


@pytest.mark.parametrize(("named", "allowed"), [("444455556666", True), (A, False)])
def test_a_deny_of_the_resource_holds_for_those_whom_it_names(
    named: str, allowed: bool, ask: Any, compiled: Any
) -> None:
    attached = compiled({"Principal": {"AWS": named}} | DENY, kind="resource")
    decision = evaluate(ask(), PolicySet(identity=(("p", compiled(ALL)),), resource=attached))
    assert decision.allowed is allowed


def test_statements_of_several_documents_keep_their_order(ask: Any, compiled: Any) -> None:
    several = [compiled({"Sid": f"S{number}"}) for number in range(9)]
    whole = policy_of([statement for policy in several for statement in policy.statements])
    assert [statement.sid for statement in whole.statements_for("sqs:SendMessage").allows] == [
        f"S{number}" for number in range(9)
    ]


def test_not_resource_with_a_variable_that_has_no_value_is_out_of_action(ask: Any, compiled: Any) -> None:
    policy = compiled({"NotResource": "arn:aws:sqs:us-east-1:1:${aws:PrincipalTag/team}"})
    assert not evaluate(ask(), PolicySet(identity=(("p", policy),))).allowed


def test_session_policies_are_a_union(ask: Any, compiled: Any) -> None:
    everything = (("p", compiled(ALL)),)
    narrowing = (("a", compiled(OTHER)), ("b", compiled({"Action": "sqs:SendMessage"})))
    assert evaluate(ask(), PolicySet(identity=everything, session=narrowing)).allowed
    assert not evaluate(ask("sqs:DeleteQueue"), PolicySet(identity=everything, session=narrowing)).allowed


def test_anyone_may_ask_who_they_are(ask: Any, compiled: Any) -> None:
    assert evaluate(ask("STS:getcalleridentity", "*"), PolicySet(identity=(("p", compiled(DENY)),))).allowed
