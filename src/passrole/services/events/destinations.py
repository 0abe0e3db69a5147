"""Where events go: for each kind of target, the call that delivers.

A call is one through the door: by EventBridge itself, which the policy of the queue, function or log group
must allow, or by the role of the target. What SageMaker's own rules lead to is a notice in this process.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from passrole import arns
from passrole.arns import Arn
from passrole.faults import Fault
from passrole.patterns.json_paths import ABSENT, InvalidPath, value_at
from passrole.policy.request import Principal, service_principal
from passrole.services.context import CallOperation
from passrole.services.deliveries import send
from passrole.services.events.roles import SERVICE, session_request
from passrole.services.events.rule_targets import RuleTarget
from passrole.services.service_sessions import assume
from passrole.store import Tx

NOTICES = "sagemaker-emr-events"
"""The channel of what is delivered there: events of EMR, by the ids of their cluster and their step."""
_ID_CHARS_MAX = 256


@dataclass(frozen=True)
class Parcel:
    """What is to be delivered, and for whom. `id` stays the same however often it is tried."""

    id: str
    target: RuleTarget
    text: str
    event: Mapping[str, Any]
    rule_arn: str

    @property
    def arn(self) -> Arn:
        """The target's ARN."""
        return self.target.arn


@dataclass(frozen=True)
class Kind:
    """A kind of target; `deliver` is None where a notice does."""

    needs_role: bool
    deliver: "Callable[[CallOperation, Parcel, Principal], Awaitable[object]] | None"


def kind_of(arn: Arn) -> Kind | None:
    """The kind of a target, if it is one that can be delivered to."""
    if arn.service == "sagemaker":
        return _PIPELINE_EVENTS if arn.resource == arns.PIPELINE_EVENTS else KINDS["sagemaker"]
    return KINDS.get(arn.service)


async def principal(call: CallOperation, parcel: Parcel) -> Principal:
    """Who delivers: a session of the target's role, or EventBridge on behalf of the rule.

    Raises what AssumeRole raises.
    """
    if parcel.target.role is not None:
        return (await assume(call, session_request(parcel.target.role, parcel.rule_arn))).principal
    return event_bridge(parcel.rule_arn)


def event_bridge(rule_arn: str) -> Principal:
    """EventBridge on behalf of the rule."""
    rule = arns.parse(rule_arn)
    assert rule is not None, "rules have ARNs"
    return service_principal(SERVICE, rule.account, source=rule_arn)


def tell(tx: Tx, event: Mapping[str, Any]) -> None:
    """Tell of an event that SageMaker's own rule led here."""
    detail = event.get("detail")
    if isinstance(detail, Mapping):
        ids = (str(detail.get(member) or "")[:_ID_CHARS_MAX] for member in ("clusterId", "stepId"))
        tx.notify(NOTICES, " ".join(ids))


async def _to_queue(call: CallOperation, parcel: Parcel, caller: Principal) -> None:
    group = parcel.target.message_group
    ordered = {"MessageGroupId": group} if group else {}
    await send(call, parcel.arn, {"MessageBody": parcel.text, **ordered}, caller)


async def _to_function(call: CallOperation, parcel: Parcel, caller: Principal) -> None:
    request = {
        "FunctionName": str(parcel.arn),
        "InvocationType": "Event",
        "Payload": parcel.text.encode(),
    }
    await call("lambda", "Invoke", request, caller, parcel.arn.region)


async def _to_pipeline(call: CallOperation, parcel: Parcel, caller: Principal) -> None:
    """Starts the pipeline once, however often it is delivered: the token is the delivery's."""
    given = [(name, _parameter(value, parcel.event)) for name, value in parcel.target.pipeline_parameters]
    request = {
        "PipelineName": str(parcel.arn),
        "ClientRequestToken": parcel.id,
        "PipelineParameters": [{"Name": name, "Value": value} for name, value in given if value is not None],
    }
    await call("sagemaker", "StartPipelineExecution", request, caller, parcel.arn.region)


def _parameter(value: str, event: Mapping[str, Any]) -> str | None:
    """A parameter's value: a path is followed into the event, and one that leads nowhere gives none."""
    if not value.startswith("$."):
        return value
    try:
        found = value_at(event, value)
    except InvalidPath:
        return value
    if found is ABSENT or found is None:
        return None
    return found if isinstance(found, str) else str(found).lower() if isinstance(found, bool) else str(found)


async def _to_logs(call: CallOperation, parcel: Parcel, caller: Principal) -> None:
    """A stream for each event, as on AWS. Logs knows groups by name, so the account is compared here."""
    rule = arns.parse(parcel.rule_arn)
    if rule is None or rule.account != parcel.arn.account:
        raise Fault("ResourceNotFoundException", "The specified log group does not exist.")
    group = parcel.arn.resource.removeprefix("log-group:").removesuffix(":*")
    stream = {"logGroupName": group, "logStreamName": parcel.id}
    try:
        await call("logs", "CreateLogStream", stream, caller, parcel.arn.region)
    except Fault as fault:
        if fault.code != "ResourceAlreadyExistsException":
            raise
    event = {"timestamp": _milliseconds(parcel.event), "message": parcel.text}
    await call("logs", "PutLogEvents", {**stream, "logEvents": [event]}, caller, parcel.arn.region)


def _milliseconds(event: Mapping[str, Any]) -> int:
    return int(datetime.fromisoformat(str(event["time"])).timestamp() * 1000)


_PIPELINE_EVENTS = Kind(needs_role=False, deliver=None)

KINDS: Mapping[str, Kind] = {
    "sqs": Kind(needs_role=False, deliver=_to_queue),
    "lambda": Kind(needs_role=False, deliver=_to_function),
    "sagemaker": Kind(needs_role=True, deliver=_to_pipeline),
    "logs": Kind(needs_role=False, deliver=_to_logs),
}
