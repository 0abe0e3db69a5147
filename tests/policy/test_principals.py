"""Who a Principal element names, and how directly."""

from typing import Any

import pytest

from passrole.policy.principals import Reach, compile_principals

A = "111122223333"
USER = f"arn:aws:iam::{A}:user/ann"
SESSION = f"arn:aws:sts::{A}:assumed-role/PipeExec/SageMaker"
ROLE = f"arn:aws:iam::{A}:role/PipeExec"
ROOT = f"arn:aws:iam::{A}:root"

REACHES = [
    # element                                          caller                       reach
    ("*",                                              USER,                        Reach.ROLE),
    ({"AWS": "*"},                                     "events.amazonaws.com",      Reach.ROLE),
    ({"AWS": USER},                                    USER,                        Reach.DIRECT),
    ({"AWS": USER.replace("ann", "Ann")},              USER,                        Reach.NONE),
    ({"AWS": "AIDAEXAMPLE"},                           USER,                        Reach.DIRECT),
    ({"AWS": A},                                       USER,                        Reach.ACCOUNT),
    ({"AWS": ROOT},                                    SESSION,                     Reach.ACCOUNT),
    ({"AWS": [ROOT, "*"]},                             SESSION,                     Reach.ROLE),
    ({"AWS": ROOT},                                    ROOT,                        Reach.DIRECT),
    ({"AWS": "444455556666"},                          USER,                        Reach.NONE),
    ({"AWS": ROLE},                                    SESSION,                     Reach.ROLE),
    ({"AWS": SESSION},                                 SESSION,                     Reach.DIRECT),
    ({"AWS": "AROAEXAMPLE"},                           SESSION,                     Reach.ROLE),
    ({"AWS": ROLE[:-1] + "*"},                         SESSION,                     Reach.NONE),
    ({"Service": "events.amazonaws.com"},              "events.amazonaws.com",      Reach.DIRECT),
    ({"Service": "events.amazonaws.com"},              "sns.amazonaws.com",         Reach.NONE),
    ({"Service": "events.amazonaws.com"},              USER,                        Reach.NONE),
    ({"AWS": A},                                       "events.amazonaws.com",      Reach.NONE),
    ({"Federated": "*"},                               USER,                        Reach.NONE),
    (None,                                             USER,                        Reach.NONE),
]  # fmt: skip


@pytest.mark.parametrize(("element", "caller", "expected"), REACHES)
def test_a_principal_element_reaches_whom_it_names(
    element: object, caller: str, expected: Reach, principal_of: Any
) -> None:
    assert compile_principals(element, negated=False).reach(principal_of(caller)) is expected


@pytest.mark.parametrize(
    ("element", "caller", "expected"),
    [({"AWS": USER}, USER, Reach.NONE), ({"AWS": A}, USER, Reach.NONE), ({"AWS": USER}, SESSION, Reach.ROLE)],
)
def test_not_principal_reaches_everybody_else(
    element: object, caller: str, expected: Reach, principal_of: Any
) -> None:
    assert compile_principals(element, negated=True).reach(principal_of(caller)) is expected
