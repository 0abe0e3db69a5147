"""Targets of rules: put, removed, listed, and rules by target."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from passrole import arns
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.events import refusals
from passrole.services.events.destinations import KINDS, kind_of
from passrole.services.events.inputs import InvalidInput, check_input
from passrole.services.events.paging import page
from passrole.services.events.records import (
    TARGETS,
    Target,
    bus_here,
    check_bus,
    creator,
    existing,
    rules_of,
    targets_of,
    the_rule,
)
from passrole.services.events.roles import SERVICE, check_role
from passrole.services.operation import Parameters, Permission, operation, passing
from passrole.store import Tx

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import TargetTypeDef

TARGETS_MAX = 5
ENTRIES_MAX = 10


def _keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    targets = tuple(dict.fromkeys(target["Arn"] for target in parameters["targets"]))
    return {"events:TargetArn": targets, **creator(ctx, parameters)}


def _passed(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    roles = dict.fromkeys(target["RoleArn"] for target in parameters["targets"] if target.get("RoleArn"))
    return [passing(role, SERVICE, the_rule(ctx, parameters)) for role in roles]


@operation("events:PutTargets", resource=the_rule, keys=_keys, also=_passed)
async def put_targets(
    ctx: Context, *, rule: str, targets: "Sequence[TargetTypeDef]", event_bus_name: str | None = None
) -> dict[str, Any]:
    """Add targets to a rule, or put them in the place of those with the same ids."""
    if len(targets) > ENTRIES_MAX:
        raise refusals.limit()
    bus = bus_here(ctx, event_bus_name)
    for target in targets:
        await _check(ctx, target, arns.rule(ctx.region, ctx.account, rule, bus))

    def put(tx: Tx) -> None:
        found = existing(tx, ctx, rule, bus)
        ids = {target["Id"] for target in (*targets_of(tx, found.key), *targets)}
        if len(ids) > TARGETS_MAX:
            raise refusals.limit()
        for target in targets:
            TARGETS.put(tx, TARGETS.child(found.key, target["Id"]), Target(target))

    await ctx.store.write(put)
    return {"FailedEntryCount": 0, "FailedEntries": []}


@operation("events:RemoveTargets", resource=the_rule, keys=creator, ignores=("force",))
async def remove_targets(
    ctx: Context, *, rule: str, ids: Sequence[str], event_bus_name: str | None = None
) -> dict[str, Any]:
    """Take targets from a rule; those that are not there are passed over."""
    bus = bus_here(ctx, event_bus_name)

    def remove(tx: Tx) -> None:
        found = existing(tx, ctx, rule, bus)
        for each in ids:
            TARGETS.delete(tx, TARGETS.child(found.key, each))

    await ctx.store.write(remove)
    return {"FailedEntryCount": 0, "FailedEntries": []}


@operation("events:ListTargetsByRule", resource=the_rule, keys=creator)
async def list_targets_by_rule(
    ctx: Context,
    *,
    rule: str,
    event_bus_name: str | None = None,
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """A rule's targets by id, as they were put."""
    bus = bus_here(ctx, event_bus_name)
    found = await ctx.store.read(lambda tx: targets_of(tx, existing(tx, ctx, rule, bus).key))
    return page("Targets", found, lambda target: str(target["Id"]), dict, limit, next_token)


@operation("events:ListRuleNamesByTarget")
async def list_rule_names_by_target(
    ctx: Context,
    *,
    target_arn: str,
    event_bus_name: str | None = None,
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """The names of a bus's rules that have this target."""
    bus = bus_here(ctx, event_bus_name)

    def find(tx: Tx) -> list[str]:
        check_bus(tx, ctx, bus)
        return [
            rule.name
            for rule in rules_of(tx, ctx.key(bus))
            if any(target["Arn"] == target_arn for target in targets_of(tx, rule.key))
        ]

    return page("RuleNames", await ctx.store.read(find), str, str, limit, next_token)


async def _check(ctx: Context, target: "TargetTypeDef", rule: str) -> None:
    """Refuse a target of a rule (its ARN) to which nothing could be delivered.

    AWS does not ask whether it exists.
    """
    arn = arns.parse(target["Arn"])
    if arn is None or arn.partition != arns.PARTITION:
        raise refusals.bad_arn(target["Arn"])
    kind = kind_of(arn)
    if kind is None:
        known = ", ".join(KINDS)
        raise refusals.invalid(f"passrole does not support targets of {arn.service}: it delivers to {known}")
    if kind.needs_role and not target.get("RoleArn"):
        raise refusals.invalid(f"RoleArn is required for target {target['Arn']}.")
    is_fifo = arn.service == "sqs" and arn.resource.endswith(".fifo")
    if is_fifo and not target.get("SqsParameters"):
        raise refusals.invalid(f"Parameter(s) SqsParameters must be specified for target: {target['Id']}.")
    unknown = sorted(set(target) - _KNOWN)
    if unknown:
        raise refusals.invalid(f"passrole does not support {unknown[0]} of target {target['Id']}")
    try:
        check_input(target)
    except InvalidInput as error:
        raise refusals.invalid(str(error)) from None
    dead_letter_queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if dead_letter_queue is not None and not dead_letter_queue.startswith(f"arn:{arns.PARTITION}:sqs:"):
        raise refusals.bad_arn(dead_letter_queue)
    if target.get("RoleArn"):
        await check_role(ctx, target["RoleArn"], rule)


_KNOWN = frozenset(
    {
        "Arn",
        "DeadLetterConfig",
        "Id",
        "Input",
        "InputPath",
        "InputTransformer",
        "RetryPolicy",
        "RoleArn",
        "SageMakerPipelineParameters",
        "SqsParameters",
    }
)
