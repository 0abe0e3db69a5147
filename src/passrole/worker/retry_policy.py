"""How often a call that failed is made again: AWS's own habit, or as a step's RetryPolicies say.

Pure. https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html
"""

from collections.abc import Iterator, Sequence

from passrole.definition.steps import RetryPolicy
from passrole.faults import Fault

ATTEMPTS_MAX = 5
FIRST_DELAY_SECONDS = 1.0
BACKOFF = 2.0

THROTTLING = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


def retryable_error(fault: Fault) -> str | None:
    """SageMaker's name for what may pass by itself; None where the same call would fail again."""
    if fault.code in THROTTLING:
        return "Step.THROTTLING"
    return "Step.SERVICE_FAULT" if not fault.sender or (fault.status or 400) >= 500 else None


def backoff_delays(kind: str, policies: Sequence[RetryPolicy] = ()) -> Iterator[float]:
    """How long to wait before each further attempt, in seconds; it ends where no more are to be made."""
    policy = next((each for each in policies if kind in each.exceptions), _OWN)
    attempts, minutes = policy.attempts_max, policy.expire_minutes
    if attempts is None and minutes is None:
        attempts = ATTEMPTS_MAX
    delay, waited, made = policy.interval_seconds, 0.0, 1
    while (attempts is None or made < attempts) and (minutes is None or waited + delay <= minutes * 60):
        yield delay
        waited, made = waited + delay, made + 1
        delay *= policy.backoff


_OWN = RetryPolicy((), FIRST_DELAY_SECONDS, BACKOFF, ATTEMPTS_MAX)
