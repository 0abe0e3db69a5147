"""Callers and policies in the few shapes that the tests of this floor need."""

from collections.abc import Callable, Mapping

import pytest

from passrole.policy import CompiledPolicy, Principal, Request
from passrole.policy.document import DocumentKind, compile_document
from passrole.policy.request import Values, service_principal

ACCOUNT = "111122223333"

Ask = Callable[..., Request]
Compile = Callable[..., CompiledPolicy]
PrincipalOf = Callable[[str], Principal]


@pytest.fixture(scope="session")
def principal_of() -> PrincipalOf:
    """A principal by its ARN (user, session, root) or its service name."""
    return _principal_of


@pytest.fixture(scope="session")
def ask() -> Ask:
    """A request of a session of role PipeExec, changed where a test says so."""

    def build(
        action: str = "sqs:SendMessage",
        resource: str = f"arn:aws:sqs:us-east-1:{ACCOUNT}:approvals",
        context: Mapping[str, Values] | None = None,
        by: str = f"arn:aws:sts::{ACCOUNT}:assumed-role/PipeExec/SageMaker",
        account: str = ACCOUNT,
    ) -> Request:
        return Request(_principal_of(by), action, resource, account, context or {})

    return build


@pytest.fixture(scope="session")
def compiled() -> Compile:
    """A policy of the statements given, each `Allow` on everything unless it says otherwise."""

    def build(*statements: Mapping[str, object], kind: DocumentKind = "identity") -> CompiledPolicy:
        whole = {"identity": {"Resource": "*"}, "resource": {"Resource": "*"}, "trust": {}}[kind]
        filled = [
            {"Effect": "Allow", "Action": "*"} | ({} if "NotResource" in one else whole) | dict(one)
            for one in statements
        ]
        return compile_document({"Version": "2012-10-17", "Statement": filled}, kind)

    return build


def _principal_of(arn: str) -> Principal:
    if not arn.startswith("arn:"):
        return service_principal(arn, ACCOUNT)
    account, name = arn.split(":")[4:6]
    if name == "root":
        return Principal("root", arn, account, account, "root")
    if not name.startswith("assumed-role/"):
        return Principal("user", arn, account, "AIDAEXAMPLE", name.split("/")[-1])
    _, role, session = name.split("/")
    role_arn = f"arn:aws:iam::{account}:role/{role}"
    return Principal("role", arn, account, f"AROAEXAMPLE:{session}", role, role_arn, session)
