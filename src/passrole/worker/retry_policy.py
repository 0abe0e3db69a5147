"""How often a call that failed is made again: AWS's own habit, or as a step's RetryPolicies say.

Pure. https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

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

Policies = Sequence[Mapping[str, Any]]
"""RetryPolicies of a definition, by the names of definition.steps.RetryPolicy."""


def retryable_error(fault: Fault) -> str | None:
    """SageMaker's name for what may pass by itself; None where the same call would fail again."""
    if fault.code in THROTTLING:
        return "Step.THROTTLING"
    return "Step.SERVICE_FAULT" if not fault.sender or (fault.status or 400) >= 500 else None


def backoff_delays(kind: str, policies: Policies = ()) -> Iterator[float]:
    """How long to wait before each further attempt, in seconds; it ends where no more are to be made."""
    policy = next((each for each in policies if kind in each["exceptions"]), {})
    attempts, minutes = policy.get("attempts_max"), policy.get("expire_minutes")
    if attempts is None and minutes is None:
        attempts = ATTEMPTS_MAX
    delay = float(policy.get("interval_seconds", FIRST_DELAY_SECONDS))
    waited, made = 0.0, 1
    while (attempts is None or made < attempts) and (minutes is None or waited + delay <= minutes * 60):
        yield delay
        waited, made = waited + delay, made + 1
        delay *= float(policy.get("backoff", BACKOFF))
