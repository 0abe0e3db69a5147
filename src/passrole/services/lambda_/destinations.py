"""Destinations and dead-letter queues of asynchronous invocations, called as the function's role.

What a function succeeded or failed with goes to the destinations of its event invoke config, as a record
that has event and response; an event that failed on its last attempt goes to the dead-letter queue.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from passrole import arns
from passrole.arns import Arn
from passrole.faults import Fault
from passrole.policy.request import Principal
from passrole.services import deliveries
from passrole.services.context import CallOperation, Context
from passrole.services.lambda_ import refusals, sessions
from passrole.services.lambda_.records import Function

ERROR_MESSAGE_CHARS_MAX = 1_024
_ELSEWHERE = ("sns", "events", "s3")
"""Kinds of destinations that AWS has and passrole has not."""

AsRole = Callable[[str, str, Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""Calls a service as the role: service, operation, parameters. Raises the operation's Fault."""


def queue_url(queue_arn: str) -> str:
    """A URL by which SQS knows the queue; it reads account and name, and not the host."""
    return deliveries.queue_url(_parsed(queue_arn))


async def check(ctx: Context, function: Function, arn: str, given: Mapping[str, str | None]) -> None:
    """Refuse a destination that the function's role does not reach. Raises InvalidParameterValueException.

    `given` are both destinations of the call, for the sentence that names them.
    """
    service = _parsed(arn).service
    if service in _ELSEWHERE:
        raise refusals.unsupported(f"the destination {arn}: destinations are SQS queues and functions")
    if service not in _TRIED:
        raise refusals.bad_destinations(given.get("OnSuccess"), given.get("OnFailure"))
    if _parsed(arn).region != ctx.region:
        raise refusals.no_destination(arn)
    if service == "lambda" and _name(arn) == function.name:
        raise refusals.invalid("You can't specify the function as a destination for itself.")
    operation, tried = _TRIED[service]
    try:
        await tried(await _as_role(ctx, function.role, function.arn), arn)
    except Fault as fault:
        if fault.code.startswith("AccessDenied"):
            raise refusals.unreachable_destination(operation, arn) from fault
        raise refusals.no_destination(arn) from fault


async def check_dead_letters(ctx: Context, role: str, function_arn: str, target: str) -> None:
    """Refuse a dead-letter queue that the role may not send to. Raises InvalidParameterValueException."""
    if _parsed(target).service != "sqs":
        raise refusals.unsupported(f"the dead-letter target {target}: it takes SQS queues")
    if _parsed(target).region != ctx.region:
        raise refusals.bad_dead_letter_target(target)
    try:
        await _try_queue(await _as_role(ctx, role, function_arn), target)
    except Fault as fault:
        if fault.code.startswith("AccessDenied"):
            raise refusals.no_dead_letter_permission() from fault
        raise refusals.bad_dead_letter_target(target) from fault


async def deliver(call: CallOperation, principal: Principal, arn: str, record: Mapping[str, Any]) -> None:
    """Send the record of an invocation to a destination. Raises Fault as SQS or Lambda do."""
    found, text = _parsed(arn), orjson.dumps(record)
    if found.service == "sqs":
        parameters: dict[str, Any] = {"QueueUrl": queue_url(arn), "MessageBody": text.decode()}
        await call("sqs", "SendMessage", parameters, principal, found.region)
    else:
        parameters = {"FunctionName": arn, "InvocationType": "Event", "Payload": text}
        await call("lambda", "Invoke", parameters, principal, found.region)


async def send_dead_letter(
    call: CallOperation,
    principal: Principal,
    target: str,
    event: str,
    attributes: Mapping[str, tuple[str, str]],
) -> None:
    """Send an event to the dead-letter queue; `attributes` have type and value.

    Raises what SendMessage raises.
    """
    parameters = {
        "QueueUrl": queue_url(target),
        "MessageBody": event,
        "MessageAttributes": {
            name: {"DataType": type_, "StringValue": _legal(value)}
            for name, (type_, value) in attributes.items()
        },
    }
    await call("sqs", "SendMessage", parameters, principal, _parsed(target).region)


async def _try_queue(as_role: AsRole, arn: str) -> None:
    """Ask whether a message may be sent, without sending one.

    A standard queue refuses a deduplication id and a FIFO queue, which cannot be a destination, refuses
    the missing group, both only after the permission and the queue were looked at.
    """
    parameters = {"QueueUrl": queue_url(arn), "MessageBody": "-", "MessageDeduplicationId": "-"}
    try:
        await as_role("sqs", "SendMessage", parameters)
    except Fault as fault:
        if fault.code != "InvalidParameterValue":
            raise


async def _try_function(as_role: AsRole, arn: str) -> None:
    await as_role("lambda", "Invoke", {"FunctionName": arn, "InvocationType": "DryRun"})


_TRIED: Mapping[str, tuple[str, Callable[[AsRole, str], Awaitable[None]]]] = {
    "sqs": ("SendMessage", _try_queue),
    "lambda": ("InvokeFunction", _try_function),
}


async def _as_role(ctx: Context, role: str, function_arn: str) -> AsRole:
    principal = await sessions.of_role(ctx, role, function_arn)

    async def call(service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return await ctx.call(service, operation, parameters, principal=principal)

    return call


def _parsed(text: str) -> Arn:
    arn = arns.parse(text)
    if arn is None:
        raise refusals.no_destination(text)
    return arn


def _name(function_arn: str) -> str:
    return _parsed(function_arn).resource.removeprefix("function:").partition(":")[0]


def _legal(text: str) -> str:
    """Without characters that SQS refuses, and never empty."""
    kept = "".join(each if each.isprintable() or each in "\t\r\n" else "?" for each in text)
    return kept[:ERROR_MESSAGE_CHARS_MAX] or "-"
