"""What a schedule invokes: for each kind of target, the call that it means.

A templated target is the ARN of a queue, a function, an event bus or a pipeline; a universal one
(universal.py) names an operation. The call is made by the role of the target.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets.html
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from passrole import arns, iso8601
from passrole.arns import Arn
from passrole.services.scheduler import refusals, universal
from passrole.services.scheduler.invocations import Invocation

_COMMON = frozenset({"Arn", "RoleArn", "DeadLetterConfig", "RetryPolicy", "Input"})


class TargetCall(NamedTuple):
    """A call of a service: botocore's name, the operation and its parameters, where it is made."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    region: str


@dataclass(frozen=True)
class Occasion:
    """One attempt of an invocation, and what its input is with the context attributes filled in."""

    invocation: Invocation
    target: Mapping[str, Any]
    arn: Arn
    text: str

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The member of the target's kind, `SqsParameters` for a queue."""
        member = _KINDS[self.arn.service].member
        return (self.target.get(member) if member else None) or {}


@dataclass(frozen=True)
class Kind:
    """A kind of templated target, by the service of its ARN.

    `member` is what only this kind has, `is_needed` whether it has to be there, `takes_json` whether its
    input has to be a JSON document.
    """

    resource: str
    call: Callable[[Occasion], TargetCall]
    member: str | None = None
    is_needed: bool = False
    takes_json: bool = False


def check(target: Mapping[str, Any], supports: Callable[[str, str], bool]) -> None:
    """Refuse a target that could not be invoked. AWS does not ask whether it exists.

    `supports` says of a service (botocore's name) and an operation whether passrole has it.
    Raises ValidationException.
    """
    dead_letters = dead_letter_queue(target)
    if dead_letters is not None:
        _check_place(dead_letters)
    arn = arns.parse(target["Arn"])
    if arn is None or arn.partition != arns.PARTITION:
        raise refusals.invalid(f"Invalid target ARN {target['Arn']}.")
    if universal.is_universal(arn):
        _check_members(target, None)
        universal.check(arn, target.get("Input"), supports)
        return
    _check_place(arn)
    kind = _KINDS.get(arn.service)
    if kind is None or not arn.resource.startswith(kind.resource):
        known = ", ".join(_KINDS)
        raise refusals.unsupported(f"the target {arn}: it invokes targets of {known} and universal ones")
    _check_members(target, kind)
    if kind.takes_json and "Input" in target and not _is_json(target["Input"]):
        raise refusals.invalid(f"Input must be a well-formed JSON for the target {arn}.")
    if arn.resource.endswith(".fifo") and not (target.get("SqsParameters") or {}).get("MessageGroupId"):
        raise refusals.invalid(f"SqsParameters with a MessageGroupId is required for the target {arn}.")


def dead_letter_queue(target: Mapping[str, Any]) -> Arn | None:
    """The queue of what could not be delivered."""
    return arns.parse((target.get("DeadLetterConfig") or {}).get("Arn") or "")


def call_of(invocation: Invocation) -> TargetCall:
    """The call of one attempt of an invocation. Raises Fault where the input makes none."""
    arn = arns.parse(invocation.target["Arn"])
    assert arn is not None, "CreateSchedule takes nothing else"
    target = _filled(invocation.target, _context(invocation))
    if universal.is_universal(arn):
        service, operation, parameters = universal.request(arn, target["Input"])
        return TargetCall(service, operation, parameters, invocation.region)
    text = target["Input"] if "Input" in target else _notification(invocation)
    return _KINDS[arn.service].call(Occasion(invocation, target, arn, text))


def input_of(invocation: Invocation) -> str:
    """What a dead-letter queue gets of an invocation: the input of its last attempt."""
    target = _filled(invocation.target, _context(invocation))
    return str(target["Input"]) if "Input" in target else _notification(invocation)


def execution_id(invocation: Invocation) -> str:
    """`<aws.scheduler.execution-id>`: sixteen hexadecimal digits, other ones for each attempt."""
    return hashlib.sha256(f"{invocation.id}/{invocation.attempts}".encode()).hexdigest()[:16]


def _check_place(arn: Arn) -> None:
    """Refuse the ARN of a resource that no region or account can have."""
    try:
        arns.Region(arn.region), arns.Account(arn.account)
    except arns.InvalidPart as error:
        raise refusals.invalid(f"Invalid ARN {arn}: {error}.") from None


def _check_members(target: Mapping[str, Any], kind: Kind | None) -> None:
    member = kind.member if kind else None
    unknown = sorted(set(target) - _COMMON - {member})
    if unknown:
        raise refusals.invalid(f"{unknown[0]} is not supported for the target {target['Arn']}.")
    if kind is not None and kind.is_needed and member not in target:
        raise refusals.invalid(f"{member} is required for the target {target['Arn']}.")


def _context(invocation: Invocation) -> Mapping[str, str]:
    """https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html"""
    return {
        "<aws.scheduler.schedule-arn>": invocation.schedule,
        "<aws.scheduler.scheduled-time>": iso8601.seconds(invocation.at),
        "<aws.scheduler.execution-id>": execution_id(invocation),
        "<aws.scheduler.attempt-number>": str(invocation.attempts + 1),
    }


def _filled(value: Any, context: Mapping[str, str]) -> Any:
    """The value with the context attributes in the place of their names, in every text."""
    if isinstance(value, str):
        for name, meant in context.items():
            value = value.replace(name, meant)
        return value
    if isinstance(value, Mapping):
        return {name: _filled(member, context) for name, member in value.items()}
    return [_filled(each, context) for each in value] if isinstance(value, list) else value


def _notification(invocation: Invocation) -> str:
    """What a target without an input gets; `detail` is a text, as on AWS."""
    event = {
        "version": "0",
        "id": invocation.id,
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": invocation.account,
        "time": iso8601.seconds(invocation.at),
        "region": invocation.region,
        "resources": [invocation.schedule],
        "detail": "{}",
    }
    return orjson.dumps(event).decode()


def _send_message(occasion: Occasion) -> TargetCall:
    arn = occasion.arn
    group = occasion.parameters.get("MessageGroupId")
    ordered = {"MessageGroupId": group} if group else {}
    url = f"https://sqs.{arn.region}.amazonaws.com/{arn.account}/{arn.resource}"
    parameters = {"QueueUrl": url, "MessageBody": occasion.text, **ordered}
    return TargetCall("sqs", "SendMessage", parameters, arn.region)


def _invoke(occasion: Occasion) -> TargetCall:
    arn = occasion.arn
    payload = occasion.text.encode()
    parameters = {"FunctionName": str(arn), "InvocationType": "Event", "Payload": payload}
    return TargetCall("lambda", "Invoke", parameters, arn.region)


def _put_events(occasion: Occasion) -> TargetCall:
    given = occasion.parameters
    entry = {
        "EventBusName": str(occasion.arn),
        "Source": given["Source"],
        "DetailType": given["DetailType"],
        "Detail": occasion.text,
        "Time": occasion.invocation.at,
    }
    return TargetCall("events", "PutEvents", {"Entries": [entry]}, occasion.arn.region)


def _start_pipeline(occasion: Occasion) -> TargetCall:
    """However often it is tried, the pipeline starts once: the token is the invocation's."""
    parameters = {
        "PipelineName": str(occasion.arn),
        "ClientRequestToken": occasion.invocation.id,
        "PipelineParameters": occasion.parameters.get("PipelineParameterList") or [],
    }
    return TargetCall("sagemaker", "StartPipelineExecution", parameters, occasion.arn.region)


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


_KINDS: Mapping[str, Kind] = {
    "sqs": Kind("", _send_message, "SqsParameters"),
    "lambda": Kind("function:", _invoke, takes_json=True),
    "events": Kind("event-bus/", _put_events, "EventBridgeParameters", is_needed=True, takes_json=True),
    "sagemaker": Kind("pipeline/", _start_pipeline, "SageMakerPipelineParameters", is_needed=True),
}
