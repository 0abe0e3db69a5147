"""Whether a job that failed is submitted again, and after how long, as a step's RetryPolicies say.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html
"""

from collections.abc import Sequence

from passrole.definition.steps import RetryPolicy

RETRIES_DEFAULT = 5
_MINUTE = 60
_DELAY_SECONDS_MAX = 14_400 * _MINUTE
"""The longest ExpireAfterMin; AWS limits no BackoffRate, and no number may become infinite."""


def next_delay(
    policies: Sequence[RetryPolicy], error: str | None, retried: int, since_start: float
) -> float | None:
    """Seconds until the next attempt; None where the failure stands.

    The first policy that names the `error` counts. `retried` is how often the step was tried again before,
    `since_start` how many seconds ago it started.
    """
    policy = next((each for each in policies if error in each.exceptions), None)
    if policy is None:
        return None
    attempts, minutes = policy.attempts_max, policy.expire_minutes
    delay = _delay(policy, retried)
    if attempts is None and not minutes:
        attempts = RETRIES_DEFAULT if minutes is None else 0
    if attempts is not None and retried >= attempts:
        return None
    return None if minutes and since_start + delay > minutes * _MINUTE else delay


def _delay(policy: RetryPolicy, retried: int) -> float:
    try:
        return min(policy.interval_seconds * policy.backoff**retried, _DELAY_SECONDS_MAX)
    except OverflowError:
        return _DELAY_SECONDS_MAX
