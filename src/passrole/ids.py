"""Random identifiers in AWS's formats, and one derived id (`invocation_id`).

The pure rooms never import this: the ids that they need arrive in facts.
"""

import secrets
import string
import time
import uuid

_BASE32 = string.ascii_uppercase + "234567"
_LOWER = string.ascii_lowercase + string.digits
_DIGITS = string.digits + string.ascii_lowercase
_TIME_LETTERS = 9
"""Of the microseconds in an execution's id: they come again after three years."""

_UPPER = string.ascii_uppercase + string.digits


def request_id() -> str:
    """The request id of an AWS response: a UUID."""
    return str(uuid.uuid4())


def invocation_id(execution: str, step: str, attempt: int) -> str:
    """The request id with which an execution (its ARN) invokes a step's function.

    It is always the same, so that the function's log is found by it and a second call after a crash is
    recognised.
    """
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{execution}/step/{step}/attempt/{attempt}"))


def execution_id(node: int = 0) -> str:
    """The id of a pipeline execution: twelve lower-case letters and digits.

    It begins with two of the `node` that starts it, if it is one of several, then with the time: rows that
    are written together stand together, so that a commit of many touches few pages of a large table, and
    PostgreSQL's commits of other nodes are not in its way by the pages of indexes that they read.
    https://www.postgresql.org/docs/current/transaction-iso.html#XACT-SERIALIZABLE
    """
    begins = _spelled(node, 2) if node else ""
    begins += _spelled(time.time_ns() // 1_000, _TIME_LETTERS)
    return begins + _letters(_LOWER, 12 - len(begins))


def unique_id(prefix: str) -> str:
    """IAM's unique id: a prefix of four letters (AROA, AIDA, ...) and 17 letters of base 32."""
    return prefix + _letters(_BASE32, 17)


def cluster_id() -> str:
    """The id of an EMR cluster: `j-` and thirteen capital letters and digits."""
    return "j-" + _letters(_UPPER, 13)


def emr_step_id() -> str:
    """The id of an EMR step: `s-` and thirteen capital letters and digits."""
    return "s-" + _letters(_UPPER, 13)


def serverless_id() -> str:
    """The id of an application or a job run of EMR Serverless: `00` and fourteen letters and digits."""
    return "00" + _letters(_LOWER, 14)


def instance_id() -> str:
    """The id of an EC2 instance: `i-` and seventeen hexadecimal digits."""
    return "i-" + secrets.token_hex(9)[:17]


def access_key_id(prefix: str = "AKIA") -> str:
    """An access key id of twenty characters; AKIA for a user's key, ASIA for a session's."""
    return prefix + _letters(_BASE32, 16)


def secret_key() -> str:
    """A secret access key of forty characters."""
    return secrets.token_urlsafe(30)


def secret_path() -> str:
    """A random segment of a URL, too long to guess."""
    return secrets.token_urlsafe(24)


def seed() -> str:
    """The random seed of an execution; its callback tokens are derived from it (engine/facts.py)."""
    return secrets.token_hex(16)


def _spelled(number: int, count: int) -> str:
    """The number's last `count` digits to the base of 36, which sort as numbers do."""
    letters = ""
    for _ in range(count):
        number, index = divmod(number, len(_DIGITS))
        letters = _DIGITS[index] + letters
    return letters


def _letters(alphabet: str, count: int) -> str:
    """`count` random letters from one call of the system's generator: a call for each letter is slow."""
    random_bits = int.from_bytes(secrets.token_bytes(count + 8))  # 64 spare bits make the bias negligible
    letters = []
    for _ in range(count):
        random_bits, index = divmod(random_bits, len(alphabet))
        letters.append(alphabet[index])
    return "".join(letters)
