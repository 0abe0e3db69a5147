"""Faults that a test asks for: calls that fail or are late, jobs that fail, functions that are killed.

They happen at the door, to calls that are allowed, whoever makes them: the pipeline's role, a function, the
test. So RetryPolicies, handlers of failures and clients' own retries meet them as they would meet AWS's.
"""

import asyncio
import difflib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name

from passrole.api import Call, table
from passrole.arns import Account
from passrole.faults import Fault
from passrole.runtimes import failures
from passrole.services.sagemaker.jobs.kinds import KINDS
from passrole.worker.jobs.failures import exited

THROTTLED, DENIED, SLOW, KILLED = "throttled", "denied", "slow", "killed"
_KILLED_CODE = 137
_CODES: Mapping[str, tuple[str, str, int]] = {
    THROTTLED: ("ThrottlingException", "Rate exceeded", 400),
    "ThrottlingException": ("ThrottlingException", "Rate exceeded", 400),
    "InternalFailure": ("InternalFailure", "The request failed because of an internal error.", 500),
    "ServiceUnavailable": ("ServiceUnavailable", "The service is temporarily unavailable.", 503),
}
"""Code, message and status of faults that have a name of their own or AWS's words."""

_REASONS = {
    "CapacityError": "Unable to provision requested ML compute capacity. Please retry using a different ML"
    " instance type.",
    "InternalServerError": "We encountered an internal error. Please try again.",
    "AlgorithmError": "the test asked for it, exit code: 1",
}
"""The FailureReason of a job by its first word: AWS takes the job, and then it fails.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html
"""


@dataclass
class AskedFault:
    """A fault that a test asked for. `met` counts the calls that it happened to."""

    service: str
    operation: str
    error: str
    message: str | None = None
    times: int | None = None
    seconds: float = 0.0
    when: Callable[[Mapping[str, Any]], bool] | None = None
    met: int = 0

    def concerns(self, call: Call) -> bool:
        """Whether it is to happen to the call."""
        if (call.service, xform_name(call.operation)) != (self.service, self.operation):
            return False
        is_left = self.times is None or self.met < self.times
        return is_left and (self.when is None or self.when(call.parameters))


@dataclass
class Faults:
    """All that were asked for, the newest first. Tests ask on their thread, the door on the server's."""

    _asked: list[AskedFault] = field(default_factory=list)
    _failing_jobs: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, call: str, error: str, **members: Any) -> AskedFault:
        """See Server.fail. Raises ValueError for an operation that passrole does not have."""
        service, operation = _operation(call)
        asked = AskedFault(service, operation, error, **members)
        if error == SLOW and asked.seconds <= 0:
            raise ValueError(f"say how slow {call} is to be: passrole.fail({call!r}, 'slow', seconds=30)")
        with self._lock:
            self._asked.insert(0, asked)
        return asked

    def clear(self) -> None:
        """No more faults."""
        with self._lock:
            self._asked.clear()
            self._failing_jobs.clear()

    def reason_to_fail(self, job: str) -> str | None:
        """The FailureReason of a job, by its ARN, that is not to run."""
        return self._failing_jobs.get(job)

    async def interfere(self, call: Call) -> dict[str, Any] | None:
        """Have the call fail, be late or be answered; None lets it pass. Raises Fault."""
        with self._lock:
            asked = next((each for each in self._asked if each.concerns(call)), None)
            if asked is None:
                return None
            asked.met += 1
        if asked.error == SLOW:
            await asyncio.sleep(asked.seconds)
            return None
        if asked.error == KILLED and call.service == "lambda" and call.operation == "Invoke":
            payload = failures.exited(call.request_id, -9)
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": payload}
        job, reason = _job(call), _reason(asked)
        if job is not None and reason is not None:
            self._failing_jobs[job] = reason
            return None
        raise _fault(call, asked)


def _operation(call: str) -> tuple[str, str]:
    """The service and its operation in snake case, by `service:Operation` or by the action's name in IAM."""
    service, _, name = call.partition(":")
    known = table.operations()
    if (service, xform_name(name)) in known:
        return service, xform_name(name)
    for (found, operation), declared in known.items():
        if declared.action == call:
            return found, operation
    actions = sorted({each.action for each in known.values() if each.action is not None})
    close = difflib.get_close_matches(call, actions, 1)
    hint = f"; did you mean `{close[0]}`?" if close else ""
    raise ValueError(f"`{call}` is no operation that passrole has{hint}")


def _job(call: Call) -> str | None:
    """The ARN of the job that a call makes."""
    kind = next((each for each in KINDS.values() if call.operation == f"Create{each.member}"), None)
    if kind is None or call.service != "sagemaker":
        return None
    return kind.arn(call.region, Account(call.principal.account), call.parameters[f"{kind.member}Name"])


def _reason(asked: AskedFault) -> str | None:
    if asked.error == KILLED:
        return exited(_KILLED_CODE, asked.message)
    if asked.error not in _REASONS:
        return None
    return f"{asked.error}: {asked.message or _REASONS[asked.error]}"


def _fault(call: Call, asked: AskedFault) -> Fault:
    refusals = table.REFUSALS[call.service]
    if asked.error == DENIED:
        action = table.find(call.service, call.operation).action or f"{call.service}:{call.operation}"
        cause = f"because no identity-based policy allows the {action} action"
        user = f"User: {call.principal.arn} is not authorized to perform: {action}"
        message = asked.message or f"{user} {cause}"
        return Fault(refusals.denied, message, status=refusals.denied_status)
    code, message, status = _CODES.get(
        asked.error, (asked.error, "", 500 if "Internal" in asked.error else 400)
    )
    words = asked.message or message or f"{code}: the test asked for it"
    return Fault(code, words, status=status, sender=status < 500)
