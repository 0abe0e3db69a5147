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


EXCEPTED = [
    # NotPrincipal of a Deny                           caller                       denied
    ([USER, ROOT],                                     USER,                        False),
    ([USER],                                           USER,                        True),
    ([ROOT],                                           USER,                        True),
    ([USER, ROOT],                                     USER.replace("ann", "bob"),  True),
    (["AIDAEXAMPLE", A],                               USER,                        False),
    ([SESSION, ROLE, ROOT],                            SESSION,                     False),
    ([ROLE, ROOT],                                     SESSION,                     True),
    ([SESSION, ROOT],                                  SESSION,                     True),
    ([SESSION, "AROAEXAMPLE", A],                      SESSION,                     False),
    ([ROOT],                                           ROOT,                        False),
    ([USER],                                           ROOT,                        True),
    ([USER, ROOT],                                     "events.amazonaws.com",      True),
    (["*"],                                            USER,                        False),
]  # fmt: skip


@pytest.mark.parametrize(("names", "caller", "expected"), EXCEPTED)
def test_a_deny_excepts_only_a_caller_whose_account_and_role_are_named_too(
    names: list[str], caller: str, expected: bool, principal_of: Any
) -> None:
    element = compile_principals({"AWS": names}, negated=True)
    assert element.denies(principal_of(caller), False) is expected
    assert element.denies(principal_of(caller), True)


@pytest.mark.parametrize(
    ("element", "caller", "expected"),
    [
        ({"Service": "events.amazonaws.com"}, "events.amazonaws.com", False),
        ({"Service": "events.amazonaws.com"}, "sns.amazonaws.com", True),
        ({"Service": "events.amazonaws.com"}, USER, True),
    ],
)
def test_a_deny_may_except_a_service(element: object, caller: str, expected: bool, principal_of: Any) -> None:
    excepting = compile_principals(element, negated=True)
    assert excepting.denies(principal_of(caller), False) is expected


@pytest.mark.parametrize(
    ("element", "caller", "expected"),
    [
        ({"AWS": A}, SESSION, True),
        ({"AWS": ROLE}, SESSION, True),
        ({"AWS": SESSION}, SESSION, True),
        ({"AWS": SESSION}, SESSION.replace("SageMaker", "other"), False),
        ({"Service": "*"}, "events.amazonaws.com", True),
        ({"Service": "*"}, USER, False),
        ("*", "events.amazonaws.com", True),
    ],
)
def test_a_deny_is_about_whoever_is_named_in_any_way(
    element: object, caller: str, expected: bool, principal_of: Any
) -> None:
    named = compile_principals(element, negated=False)
    assert named.denies(principal_of(caller), False) is expected
