"""Identifiers that come from chance. The pure floors never import this: what they need arrives in facts."""

import secrets
import string
import uuid

_BASE32 = string.ascii_uppercase + "234567"
_LOWER = string.ascii_lowercase + string.digits


def request_id() -> str:
    """A request id, as every AWS answer carries one."""
    return str(uuid.uuid4())


def execution_id() -> str:
    """Twelve lower-case alphanumerics, as SageMaker's executions have."""
    return "".join(secrets.choice(_LOWER) for _ in range(12))


def unique_id(prefix: str) -> str:
    """IAM's unique id of a thing: its four-letter kind (AROA, AIDA, AKIA, ...) and 17 of base 32."""
    return prefix + "".join(secrets.choice(_BASE32) for _ in range(17))


def access_key_id(prefix: str = "AKIA") -> str:
    """Twenty characters in all; AKIA for a user's key, ASIA for a session's."""
    return prefix + "".join(secrets.choice(_BASE32) for _ in range(16))


def secret_key() -> str:
    """Forty characters, as AWS's secret access keys have."""
    return secrets.token_urlsafe(30)


def seed() -> str:
    """Luck for an execution: callback tokens are drawn from it (see engine/facts.py)."""
    return secrets.token_hex(16)
