"""Denials in AWS's words, letter by letter."""

from typing import Any

import pytest

from passrole.policy import PolicySet, denial_message, evaluate

A = "111122223333"
SESSION = f"arn:aws:sts::{A}:assumed-role/PipeExec/SageMaker"
FUNCTION = f"arn:aws:lambda:us-east-1:{A}:function:etl"
INVOKE = f"User: {SESSION} is not authorized to perform: lambda:InvokeFunction on resource: {FUNCTION}"
OTHER = {"Action": "ec2:*"}
DENY = {"Effect": "Deny"}
EVERYONE = {"Principal": "*"}

CAUSES = [
    ("identity", False, "because no identity-based policy allows the lambda:InvokeFunction action"),
    ("identity", True, "with an explicit deny in an identity-based policy"),
    ("resource", True, "with an explicit deny in a resource-based policy"),
    ("boundary", False, "because no permissions boundary allows the lambda:InvokeFunction action"),
    ("boundary", True, "with an explicit deny in a permissions boundary"),
    ("session", False, "because no session policy allows the lambda:InvokeFunction action"),
    ("session", True, "with an explicit deny in a session policy"),
    ("scp", False, "because no service control policy allows the lambda:InvokeFunction action"),
    ("scp", True, "with an explicit deny in a service control policy"),
]


@pytest.mark.parametrize(("layer", "explicit", "cause"), CAUSES)
def test_the_cause_is_worded_for_the_layer_that_refused(
    layer: str, explicit: bool, cause: str, ask: Any, compiled: Any
) -> None:
    def of(name: str) -> Any:
        return compiled(DENY if explicit else OTHER) if name == layer else compiled({})

    policies = PolicySet(
        identity=(("i", of("identity")),),
        boundary=("b", of("boundary")),
        session=(("s", of("session")),),
        scps=((("o", of("scp")),),),
        resource=compiled(EVERYONE | DENY, kind="resource") if layer == "resource" else None,
    )
    request = ask("lambda:InvokeFunction", FUNCTION)
    assert denial_message(request, evaluate(request, policies)) == f"{INVOKE} {cause}"


def test_the_other_account_did_not_allow(ask: Any, compiled: Any) -> None:
    request = ask("lambda:InvokeFunction", FUNCTION, account="444455556666")
    decision = evaluate(request, PolicySet(identity=(("i", compiled({})),)))
    cause = "because no resource-based policy allows the lambda:InvokeFunction action"
    assert denial_message(request, decision) == f"{INVOKE} {cause}"


@pytest.mark.parametrize(
    ("effect", "cause"),
    [
        ("Allow", "because no role trust policy allows the sts:AssumeRole action"),
        ("Deny", "with an explicit deny in the role trust policy"),
    ],
)
def test_a_trust_policy_has_words_of_its_own(effect: str, cause: str, ask: Any, compiled: Any) -> None:
    named = {"AWS": "444455556666"} if effect == "Allow" else "*"
    trust = compiled({"Effect": effect, "Principal": named}, kind="trust")
    request = ask("sts:AssumeRole", f"arn:aws:iam::{A}:role/x", by="lambda.amazonaws.com")
    assert denial_message(request, evaluate(request, PolicySet(trust=trust))) == (
        "User: lambda.amazonaws.com is not authorized to perform: sts:AssumeRole "
        f"on resource: arn:aws:iam::{A}:role/x {cause}"
    )


@pytest.mark.parametrize(
    ("action", "resource", "middle"),
    [
        ("sqs:SendMessage", "arn:aws:sqs:::q", "sqs:sendmessage on resource: arn:aws:sqs:::q"),
        ("sns:Publish", "arn:aws:sns:::t", "SNS:Publish on resource: arn:aws:sns:::t"),
        ("s3:GetObject", "arn:aws:s3:::b/k", 's3:GetObject on resource: "arn:aws:s3:::b/k"'),
        ("sagemaker:ListPipelines", "*", "sagemaker:ListPipelines on resource: *"),
        ("s3:ListAllMyBuckets", "", "s3:ListAllMyBuckets"),
    ],
)  # fmt: skip
def test_services_spell_actions_and_resources_their_own_way(
    action: str, resource: str, middle: str, ask: Any
) -> None:
    request = ask(action, resource)
    spelled = middle.partition(" ")[0]
    assert denial_message(request, evaluate(request, PolicySet())) == (
        f"User: {SESSION} is not authorized to perform: {middle} "
        f"because no identity-based policy allows the {spelled} action"
    )


def test_a_spelling_that_is_given_wins(ask: Any) -> None:
    request = ask()
    message = denial_message(request, evaluate(request, PolicySet()), "SQS:SendMessage")
    assert message.endswith("because no identity-based policy allows the SQS:SendMessage action")


@pytest.mark.parametrize(
    ("name", "account", "named"),
    [
        (f"arn:aws:iam::{A}:policy/Guard", A, True),
        (f"arn:aws:iam::{A}:policy/Guard", "444455556666", False),
        ("inline", A, False),
    ],
)
def test_an_explicit_deny_names_its_policy_to_callers_of_the_account(
    name: str, account: str, named: bool, ask: Any, compiled: Any
) -> None:
    request = ask(account=account)
    decision = evaluate(request, PolicySet(identity=((name, compiled(DENY)),)))
    words = "with an explicit deny in an identity-based policy"
    assert denial_message(request, decision).endswith(f"{words}: {name}" if named else words)
    assert denial_message(request, decision, name_policy=False).endswith(words)
