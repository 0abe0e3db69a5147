"""Which failures of a call may pass, and how often it is made again where no policy of the step says so.

Pure. https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html
"""

from passrole.faults import Fault

DELAYS_SECONDS = (1.0, 2.0, 4.0, 8.0)
"""Before each further attempt. What a step's own policies say may take hours, and is the engine's."""

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
