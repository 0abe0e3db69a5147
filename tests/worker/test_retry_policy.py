"""How often a call is made again: AWS's own habit, or as the step's policies say."""

import pytest

from passrole.definition.steps import RetryPolicy
from passrole.worker.retry_policy import backoff_delays

THROTTLING = "Step.THROTTLING"


@pytest.mark.parametrize(
    ("policies", "delays"),
    [
        ([], [1, 2, 4, 8]),
        ([RetryPolicy(("Step.SERVICE_FAULT",), attempts_max=1)], [1, 2, 4, 8]),
        ([RetryPolicy((THROTTLING,))], [1, 2, 4, 8, 16]),
        ([RetryPolicy((THROTTLING,), attempts_max=0)], []),
        ([RetryPolicy((THROTTLING,), attempts_max=2)], [1, 2]),
        ([RetryPolicy((THROTTLING,), 20.0, 1.0, expire_minutes=1)], [20, 20, 20]),
        ([RetryPolicy((THROTTLING,), expire_minutes=0)], []),
        ([RetryPolicy((THROTTLING,), attempts_max=1), RetryPolicy((THROTTLING,), attempts_max=9)], [1]),
    ],
)
def test_the_first_policy_that_names_the_error_counts(
    policies: list[RetryPolicy], delays: list[float]
) -> None:
    assert list(backoff_delays(THROTTLING, policies)) == delays
