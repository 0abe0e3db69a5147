"""Deliveries of EventBridge and of EventBridge Scheduler: how often each is tried, and the way into queues.

Who tries again: worker/retried_deliveries.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from passrole.arns import Arn
from passrole.policy.request import Principal
from passrole.services.context import CallOperation


@dataclass(frozen=True)
class DeliveryRetries:
    """How often and for how long a delivery is tried again.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
    https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html
    """

    attempts_max: int = 185
    age_seconds_max: int = 86_400


def retries_of(policy: Mapping[str, Any] | None) -> DeliveryRetries:
    """The RetryPolicy of a target; what it leaves out has AWS's values."""
    given = policy or {}
    return DeliveryRetries(
        given.get("MaximumRetryAttempts", DeliveryRetries.attempts_max),
        given.get("MaximumEventAgeInSeconds", DeliveryRetries.age_seconds_max),
    )


def queue_url(queue: Arn) -> str:
    """A URL by which SQS knows the queue; it reads account and name, and not the host."""
    return f"https://sqs.{queue.region}.amazonaws.com/{queue.account}/{queue.resource}"


async def send(call: CallOperation, queue: Arn, request: Mapping[str, Any], caller: Principal) -> None:
    """Put a message into a queue by its ARN. Raises what SendMessage raises."""
    await call("sqs", "SendMessage", {"QueueUrl": queue_url(queue), **request}, caller, queue.region)


def text_attributes(members: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Attributes of a message: those that have a value."""
    return {name: {"DataType": "String", "StringValue": value} for name, value in members.items() if value}
