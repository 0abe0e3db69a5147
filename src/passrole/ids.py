"""Identifiers, of which all but one come from chance. The pure floors never import this: what they need
arrives in facts.
"""

import secrets
import string
import uuid

_BASE32 = string.ascii_uppercase + "234567"
_LOWER = string.ascii_lowercase + string.digits
_UPPER = string.ascii_uppercase + string.digits


def request_id() -> str:
    """A request id, as every AWS answer carries one."""
    return str(uuid.uuid4())


def invocation_id(execution: str, step: str, attempt: int) -> str:
    """The request id under which an execution (its ARN) invokes a step's function: always the same, so that
    what the function wrote is found by it, and a second call after a crash is known for one.
    """
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{execution}/step/{step}/attempt/{attempt}"))


def execution_id() -> str:
    """Twelve lower-case alphanumerics, as SageMaker's executions have."""
    return _letters(_LOWER, 12)


def unique_id(prefix: str) -> str:
    """IAM's unique id of a thing: its four-letter kind (AROA, AIDA, AKIA, ...) and 17 of base 32."""
    return prefix + _letters(_BASE32, 17)


def cluster_id() -> str:
    """An EMR cluster's: `j-` and thirteen capital letters and digits."""
    return "j-" + _letters(_UPPER, 13)


def emr_step_id() -> str:
    """An EMR step's: `s-` and thirteen capital letters and digits."""
    return "s-" + _letters(_UPPER, 13)


def instance_id() -> str:
    """An EC2 instance's: `i-` and seventeen hexadecimal digits."""
    return "i-" + secrets.token_hex(9)[:17]


def access_key_id(prefix: str = "AKIA") -> str:
    """Twenty characters in all; AKIA for a user's key, ASIA for a session's."""
    return prefix + _letters(_BASE32, 16)


def secret_key() -> str:
    """Forty characters, as AWS's secret access keys have."""
    return secrets.token_urlsafe(30)


def secret_path() -> str:
    """A segment of a URL that nobody can guess."""
    return secrets.token_urlsafe(24)


def seed() -> str:
    """Luck for an execution: callback tokens are drawn from it (see engine/facts.py)."""
    return secrets.token_hex(16)


def _letters(alphabet: str, count: int) -> str:
    """`count` letters from one draw of the system's chance: a draw for each is what takes the time."""
    luck = int.from_bytes(secrets.token_bytes(count + 8))  # 64 bits to spare even out the division
    letters = []
    for _ in range(count):
        luck, index = divmod(luck, len(alphabet))
        letters.append(alphabet[index])
    return "".join(letters)
