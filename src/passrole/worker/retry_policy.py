"""How often a call that failed is made again: AWS's own habit, or as a step's RetryPolicies say.

Pure. https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html
"""

from collections.abc import Iterator, Sequence

from passrole.definition.steps import RetryPolicy
from passrole.engine.retries import next_delay
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
    own = RetryPolicy((kind,), FIRST_DELAY_SECONDS, BACKOFF, ATTEMPTS_MAX - 1)
    waited, retried = 0.0, 0
    while (delay := next_delay([*policies, own], kind, retried, waited)) is not None:
        yield delay
        waited, retried = waited + delay, retried + 1
