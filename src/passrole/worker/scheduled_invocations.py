"""Invokes the targets of EventBridge Scheduler's schedules, each as the role of the target.

How often, and what then, is in retried_deliveries.py. What IAM or the target refuses for good is not tried
again: it goes to the dead-letter queue at once.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
"""

import logging
from dataclasses import replace
from functools import partial
from typing import Any

from passrole import iso8601
from passrole.faults import Fault, Internal
from passrole.policy.request import Principal
from passrole.services.deliveries import retries_of
from passrole.services.scheduler import invocations, roles, targets
from passrole.services.scheduler.invocations import KIND, Invocation
from passrole.services.service_sessions import assume
from passrole.store import Tx
from passrole.store.tasks import Task
from passrole.worker.retried_deliveries import Attempts, DeadLetter, RetriedDeliveries
from passrole.worker.task_queue import Finish

log = logging.getLogger(__name__)


class ScheduledInvocations(RetriedDeliveries[Invocation]):
    """Invokes from `start` until the supervisor is closed."""

    kind = KIND
    final = frozenset(
        {
            "AccessDenied",
            "AccessDeniedException",
            "InvalidParameterValueException",
            "QueueDoesNotExist",
            "ResourceNotFound",
            "ResourceNotFoundException",
            "UnknownOperationException",
            "ValidationError",
            "ValidationException",
        }
    )

    def _read(self, task: Task) -> Invocation:
        return invocations.read(task)

    def _attempts(self, delivery: Invocation) -> Attempts:
        return Attempts(delivery.at, delivery.attempts, retries_of(delivery.target.get("RetryPolicy")))

    async def _deliver(self, delivery: Invocation) -> Finish | None:
        try:
            call = targets.call_of(delivery)
            answer = await self._call(
                call.service, call.operation, call.parameters, await self._principal(delivery), call.region
            )
            _check_entries(answer)
        except Internal:
            raise
        except Fault as fault:
            log.info("%s did not invoke its target: %s", delivery.schedule, fault.message)
            raise
        return self._given_up(delivery)

    def _given_up(self, delivery: Invocation) -> Finish | None:
        return partial(invocations.completed, invocation=delivery) if delivery.completes else None

    def _keep(self, tx: Tx, delivery: Invocation, due: float) -> None:
        invocations.keep(tx, replace(delivery, attempts=delivery.attempts + 1), due)

    def _lost(self, delivery: Invocation, fault: Fault, condition: str) -> DeadLetter:
        attributes = {
            "ERROR_CODE": fault.code,
            "ERROR_MESSAGE": fault.message,
            "EXECUTION_ID": targets.execution_id(delivery),
            "EXHAUSTED_RETRY_CONDITION": condition,
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": str(delivery.attempts),
            "SCHEDULED_TIME": iso8601.seconds(delivery.at),
            "SCHEDULE_ARN": delivery.schedule,
            "TARGET_ARN": delivery.target["Arn"],
        }
        what = f"what {delivery.schedule} was to invoke"
        queue = targets.dead_letter_queue(delivery.target)
        return DeadLetter(what, queue, targets.input_of(delivery), attributes)

    async def _dead_letter_principal(self, delivery: Invocation) -> Principal:
        return await self._principal(delivery)

    async def _principal(self, delivery: Invocation) -> Principal:
        """A session of the target's role. Raises what AssumeRole raises."""
        request = roles.session_request(delivery.target["RoleArn"], delivery.schedule, delivery.group)
        return (await assume(self._call, request)).principal


def _check_entries(answer: dict[str, Any]) -> None:
    """Where PutEvents refuses an entry its answer says so, without an error."""
    if answer.get("FailedEntryCount"):
        entry = answer["Entries"][0]
        raise Fault(entry["ErrorCode"], entry["ErrorMessage"])
