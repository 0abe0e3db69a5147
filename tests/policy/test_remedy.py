"""What is added lets the request through, and nothing of it is there in vain."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole.policy import (
    CompiledPolicy,
    PolicySet,
    Principal,
    Request,
    evaluate,
    parse_document,
    service_principal,
)
from passrole.policy.evaluate import Layer
from passrole.policy.remedy import remedies, statement_for

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/x"
QUEUE = "arn:aws:sqs:us-east-1:1:"
SESSION = Principal("role", f"arn:aws:sts::{ACCOUNT}:assumed-role/x/s", ACCOUNT, "AROA:s", "x", ROLE, "s")
USER = Principal("user", f"arn:aws:iam::{ACCOUNT}:user/u", ACCOUNT, "AIDA", "u")
ROOT = Principal("root", f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, ACCOUNT, "root")
SERVICE = service_principal("sagemaker.amazonaws.com", ACCOUNT)


def compiled(effect: str, action: str, kind: Any = "identity") -> Any:
    statement = {"Effect": effect, "Action": action, "Resource": "*"}
    if kind == "trust":
        del statement["Resource"]
    if kind != "identity":
        statement["Principal"] = "*"
    return parse_document({"Version": "2012-10-17", "Statement": [statement]}, kind)


ALLOW, OTHER, DENY = (compiled(*each) for each in (("Allow", "sqs:*"), ("Allow", "s3:*"), ("Deny", "sqs:*")))
ATTACHED = [compiled("Deny", "sqs:*", "resource"), compiled("Allow", "s3:*", "resource")]
LAYERS = st.sampled_from([ALLOW, OTHER, DENY])
NAMED = LAYERS.map(lambda policy: ("p", policy))
SETS = st.builds(
    PolicySet,
    identity=st.lists(NAMED, max_size=2).map(tuple),
    resource=st.none()
    | st.sampled_from([compiled("Deny", "sqs:*", "resource"), compiled("Allow", "s3:*", "resource")]),
    boundary=st.none() | NAMED,
    session=st.lists(NAMED, max_size=2).map(tuple),
    scps=st.lists(st.lists(NAMED, max_size=2).map(tuple), max_size=2).map(tuple),
)
REQUESTS = st.builds(
    Request,
    principal=st.sampled_from([SESSION, USER, ROOT, SERVICE]),
    action=st.just("sqs:SendMessage"),
    resource=st.sampled_from([f"{QUEUE}q", f"{QUEUE}${{aws:username}}", "", "*"]),
    resource_account=st.sampled_from([ACCOUNT, "999999999999"]),
    context=st.sampled_from([{}, {"iam:PassedToService": "ec2.amazonaws.com"}]),
)


def mended(request: Request, policies: PolicySet, layers: Sequence[Layer]) -> PolicySet:
    """The policies with the statements added, each layer by hand."""
    found: dict[Layer, CompiledPolicy] = {}
    for layer in layers:
        document = {"Version": "2012-10-17", "Statement": [statement_for(request, layer)]}
        found[layer] = parse_document(document, "resource" if layer == "resource" else "identity")
    new = {layer: (("new", policy),) for layer, policy in found.items()}
    return PolicySet(
        identity=(*policies.identity, *new.get("identity", ())),
        resource=found.get("resource", policies.resource),
        boundary=("new", found["boundary"]) if "boundary" in found else policies.boundary,
        session=(*policies.session, *new.get("session", ())),
        scps=tuple((*level, *new.get("scp", ())) for level in policies.scps),
    )


@given(request=REQUESTS, policies=SETS)
def test_all_of_it_is_enough_and_less_is_not(request: Request, policies: PolicySet) -> None:
    decision = evaluate(request, policies)
    layers = [remedy.layer for remedy in remedies(request, policies)]
    assert bool(layers) is not (decision.allowed or decision.explicit)
    if not layers:
        return
    assert evaluate(request, mended(request, policies, layers)).allowed
    for layer in layers:
        less = mended(request, policies, [other for other in layers if other != layer])
        assert not evaluate(request, less).allowed


@pytest.mark.parametrize(
    "principal, action, policies, layers",
    [
        (SESSION, "sqs:SendMessage", PolicySet(), ["identity"]),
        (SESSION, "sqs:SendMessage", PolicySet((("p", ALLOW),)), []),
        (SESSION, "sqs:SendMessage", PolicySet((("p", DENY),)), []),
        (SESSION, "sqs:SendMessage", PolicySet(boundary=("b", OTHER)), ["identity", "boundary"]),
        (SESSION, "sqs:SendMessage", PolicySet((("p", ALLOW),), boundary=("b", OTHER)), ["boundary"]),
        (SESSION, "sqs:SendMessage", PolicySet(scps=((("s", OTHER),),)), ["scp", "identity"]),
        (USER, "sts:AssumeRole", PolicySet(trust=compiled("Allow", "sts:TagSession", "trust")), ["trust"]),
        (ROOT, "sts:AssumeRole", PolicySet(trust=compiled("Allow", "sts:TagSession", "trust")), []),
        (SERVICE, "sts:AssumeRole", PolicySet(trust=compiled("Allow", "sts:TagSession", "trust")), ["trust"]),
    ],
)
def test_each_layer_that_lacks_it_is_named(
    principal: Principal, action: str, policies: PolicySet, layers: list[str]
) -> None:
    request = Request(principal, action, ROLE, ACCOUNT)
    assert [remedy.layer for remedy in remedies(request, policies)] == layers


def test_a_trust_statement_names_who_and_no_resource() -> None:
    by_service = statement_for(Request(SERVICE, "sts:AssumeRole", ROLE, ACCOUNT), "trust")
    assert by_service == {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    of_queue = statement_for(Request(SESSION, "sqs:SendMessage", "arn:aws:sqs:a:1:q", ACCOUNT), "resource")
    assert (of_queue["Principal"], of_queue["Resource"]) == ({"AWS": ROLE}, "arn:aws:sqs:a:1:q")
