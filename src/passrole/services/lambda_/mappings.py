"""Event source mappings: worker/queue_pollers.py brings the messages of a queue to the function.

Queues of SQS only; Kinesis, DynamoDB and the others are refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from passrole import arns, ids
from passrole.faults import Fault
from passrole.members import without_none
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.lambda_ import filters, names, refusals, sessions
from passrole.services.lambda_.destinations import queue_url
from passrole.services.lambda_.mapping_records import (
    CHANNEL,
    MAPPINGS,
    RESULTS,
    EventSourceMapping,
    configuration,
    existing,
)
from passrole.services.lambda_.paging import PAGES
from passrole.services.lambda_.qualifiers import find
from passrole.services.lambda_.records import Function
from passrole.services.operation import Parameters, Permission, operation
from passrole.services.pages import wanted_rows
from passrole.store import Tx

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FilterCriteriaTypeDef, ScalingConfigTypeDef

PAGE_MAX = 100
BATCH_DEFAULT, FIFO_BATCH_MAX = 10, 10
_FUNCTION_ARN = "lambda:FunctionArn"


def _mapping_arn(ctx: Context, parameters: Parameters) -> str:
    return arns.event_source_mapping(ctx.region, ctx.account, parameters["uuid"])


def _function_key(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The function that is named, without a qualifier: a policy means it by any name."""
    name = parameters.get("function_name")
    if not name:
        return {}
    return {_FUNCTION_ARN: names.parse(ctx, name).unqualified}


async def _mapped_key(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The function that the mapping has now; nothing where there is no such mapping."""
    mapping = await ctx.store.read(lambda tx: MAPPINGS.get(tx, ctx.key(parameters["uuid"])))
    if mapping is None:
        return {}
    return {_FUNCTION_ARN: arns.function(mapping.region, mapping.account, mapping.function)}


def _to_another(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    """Who gives a mapping another function needs the permission for that one, too."""
    keys = _function_key(ctx, parameters)
    if not keys:
        return ()
    return (Permission("lambda:UpdateEventSourceMapping", _mapping_arn(ctx, parameters), keys),)


@operation("lambda:CreateEventSourceMapping", keys=_function_key)
async def create_event_source_mapping(
    ctx: Context,
    *,
    function_name: str,
    event_source_arn: str | None = None,
    enabled: bool = True,
    batch_size: int = BATCH_DEFAULT,
    maximum_batching_window_in_seconds: int = 0,
    function_response_types: Sequence[str] = (),
    scaling_config: "ScalingConfigTypeDef | None" = None,
    filter_criteria: "FilterCriteriaTypeDef | None" = None,
) -> dict[str, Any]:
    """Create a mapping; the function's role must be allowed to receive."""
    filters_given = filters.checked(filter_criteria)
    function = await find(ctx, function_name)
    queue_arn = _checked_source(ctx, event_source_arn)
    _check_batch(queue_arn, batch_size, maximum_batching_window_in_seconds)
    await _check_queue(ctx, function, queue_arn)
    mapping = EventSourceMapping(
        uuid=ids.request_id(),
        account=ctx.account,
        region=ctx.region,
        queue_arn=queue_arn,
        function=function.name,
        batch_size=batch_size,
        window_seconds=maximum_batching_window_in_seconds,
        enabled=enabled,
        partial="ReportBatchItemFailures" in function_response_types,
        modified=ctx.clock(),
        at_once_max=(scaling_config or {}).get("MaximumConcurrency"),
        qualifier=names.parse(ctx, function_name).qualifier,
        filters=filters_given,
    )

    def create(tx: Tx) -> dict[str, Any]:
        _check_alone(tx, ctx, mapping)
        MAPPINGS.put(tx, mapping.key, mapping)
        tx.notify(CHANNEL, mapping.key)
        return configuration(tx, mapping, "Creating")

    return await ctx.store.write(create)


@operation("lambda:GetEventSourceMapping", resource=_mapping_arn, keys=_mapped_key)
async def get_event_source_mapping(ctx: Context, *, uuid: str) -> dict[str, Any]:
    """A mapping, and the result of its last batch."""
    return await ctx.store.read(lambda tx: configuration(tx, existing(tx, ctx, uuid)))


@operation("lambda:UpdateEventSourceMapping", resource=_mapping_arn, keys=_mapped_key, also=_to_another)
async def update_event_source_mapping(
    ctx: Context,
    *,
    uuid: str,
    function_name: str | None = None,
    enabled: bool | None = None,
    batch_size: int | None = None,
    maximum_batching_window_in_seconds: int | None = None,
    function_response_types: Sequence[str] | None = None,
    scaling_config: "ScalingConfigTypeDef | None" = None,
    filter_criteria: "FilterCriteriaTypeDef | None" = None,
) -> dict[str, Any]:
    """Change the given fields; they count from the next batch."""
    filters_given = None if filter_criteria is None else filters.checked(filter_criteria)
    before = await ctx.store.read(lambda tx: existing(tx, ctx, uuid))
    changes: dict[str, Any] = {
        "enabled": enabled,
        "filters": filters_given,
        "batch_size": batch_size,
        "window_seconds": maximum_batching_window_in_seconds,
        "modified": ctx.clock(),
    }
    if function_response_types is not None:
        changes["partial"] = "ReportBatchItemFailures" in function_response_types
    if function_name is not None:
        function = await find(ctx, function_name)
        await _check_queue(ctx, function, before.queue_arn)
        changes["function"] = function.name
    given = without_none(**changes)
    if function_name is not None:
        given["qualifier"] = names.parse(ctx, function_name).qualifier
    if scaling_config is not None:
        given["at_once_max"] = scaling_config.get("MaximumConcurrency")

    def update(tx: Tx) -> dict[str, Any]:
        mapping: EventSourceMapping = replace(existing(tx, ctx, uuid), **given)
        _check_batch(mapping.queue_arn, mapping.batch_size, mapping.window_seconds)
        _check_alone(tx, ctx, mapping)
        MAPPINGS.put(tx, mapping.key, mapping)
        tx.notify(CHANNEL, mapping.key)
        return configuration(tx, mapping, "Updating")

    return await ctx.store.write(update)


@operation("lambda:DeleteEventSourceMapping", resource=_mapping_arn, keys=_mapped_key)
async def delete_event_source_mapping(ctx: Context, *, uuid: str) -> dict[str, Any]:
    """Delete a mapping; a batch that a function has ends as usual."""

    def delete(tx: Tx) -> dict[str, Any]:
        mapping = existing(tx, ctx, uuid)
        shown = configuration(tx, mapping, "Deleting")
        MAPPINGS.delete(tx, mapping.key)
        RESULTS.delete(tx, mapping.key)
        tx.notify(CHANNEL, mapping.key)
        return shown

    return await ctx.store.write(delete)


@operation("lambda:ListEventSourceMappings")
async def list_event_source_mappings(
    ctx: Context,
    *,
    event_source_arn: str | None = None,
    function_name: str | None = None,
    marker: str | None = None,
    max_items: int = PAGE_MAX,
) -> dict[str, Any]:
    """Mappings of the region, of one queue or of one function."""
    key = names.key(ctx, names.parse(ctx, function_name)) if function_name else None
    limit = min(max_items, PAGE_MAX)

    def wanted(mapping: EventSourceMapping) -> bool:
        return event_source_arn in (None, mapping.queue_arn) and key in (None, mapping.function_key)

    def read(tx: Tx) -> dict[str, Any]:
        rows = wanted_rows(
            lambda after, limit: MAPPINGS.within(tx, *ctx.location, after=after, limit=limit),
            wanted,
            after=PAGES.after(marker or None, ctx.key),
            limit=limit + 1,
        )
        found, more = PAGES.page(rows, limit, lambda mapping: mapping.uuid)
        return {"EventSourceMappings": [configuration(tx, mapping) for mapping in found], **more}

    return await ctx.store.read(read)


def _check_alone(tx: Tx, ctx: Context, mapping: EventSourceMapping) -> None:
    """A queue is mapped to a function once. Raises ResourceConflictException."""
    for _, other in MAPPINGS.within(tx, *ctx.location):
        same = (other.queue_arn, other.function_arn) == (mapping.queue_arn, mapping.function_arn)
        if same and other.uuid != mapping.uuid:
            raise refusals.mapping_exists(mapping.queue_arn, mapping.function_arn, other.uuid)


def _checked_source(ctx: Context, text: str | None) -> str:
    arn = arns.parse(text or "")
    if arn is None or (arn.partition, arn.service) != (arns.PARTITION, "sqs"):
        raise refusals.unsupported(f"the event source {text}: it maps queues of SQS")
    if (arn.region, arn.account) != (ctx.region, ctx.account):
        raise refusals.unsupported("queues of another region or account as event sources")
    return str(arn)


def _check_batch(queue_arn: str, size: int, window: int) -> None:
    if queue_arn.endswith(".fifo") and (size > FIFO_BATCH_MAX or window):
        raise refusals.invalid(
            "Batch size greater than 10 and batching windows are not supported for FIFO queues."
        )
    if size > BATCH_DEFAULT and not window:
        raise refusals.invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )


async def _check_queue(ctx: Context, function: Function, queue_arn: str) -> None:
    """As the function's role, which will receive: may it, is the queue there, does it wait long enough?

    A receive of no messages is refused by SQS itself, but only after it asked whether the caller may
    receive, and touches nothing.
    """
    role = await sessions.of_role(ctx, function.role, function.arn)
    queue = queue_url(queue_arn)
    answer: dict[str, Any] = {}
    try:
        parameters = {"QueueUrl": queue, "AttributeNames": ["VisibilityTimeout"]}
        answer = await ctx.call("sqs", "GetQueueAttributes", parameters, principal=role)
        nothing = {"QueueUrl": queue, "MaxNumberOfMessages": 0}
        await ctx.call("sqs", "ReceiveMessage", nothing, principal=role)
    except Fault as fault:
        if fault.code == "AccessDenied":
            action = "GetQueueAttributes" if not answer else "ReceiveMessage"
            raise refusals.invalid(
                f"The function execution role does not have permissions to call {action} on SQS"
            ) from fault
        if not answer:
            code = "AWS.SimpleQueueService.NonExistentQueue"
            raise refusals.invalid(
                f"Error occurred while ReceiveMessage. SQS Error Code: {code}. SQS Error Message:"
                f" {fault.message}"
            ) from fault
    visible = int(answer["Attributes"]["VisibilityTimeout"])
    if visible < function.timeout:
        raise refusals.invalid(
            f"Queue visibility timeout: {visible} seconds is less than Function timeout:"
            f" {function.timeout} seconds"
        )
