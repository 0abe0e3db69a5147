"""SimulateCustomPolicy, SimulatePrincipalPolicy: what would be decided, without the call.

Parameters are read and refused here; `simulation` asks the evaluator, the same that the door asks.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from passrole import arns
from passrole.arns import Account, InvalidPart
from passrole.policy import Principal
from passrole.policy.request import Values
from passrole.policy.trust import asks_trust
from passrole.services.context import Context
from passrole.services.iam import refusals
from passrole.services.iam.paging import PAGE_ITEMS, page
from passrole.services.iam.policy_sources import Source, given, given_one, policies_of, policy_source
from passrole.services.iam.simulation import ANY_RESOURCE, Simulation, result
from passrole.services.operation import operation

# A role is simulated as one of its sessions; results never show the name.
SESSION = "simulation"

# Decisions of one page, so that a single call cannot keep the server from all others.
DECISIONS_MAX = 10_000

Entries = Sequence[Mapping[str, Any]]


@operation("iam:SimulateCustomPolicy")
async def simulate_custom_policy(
    ctx: Context,
    *,
    policy_input_list: Sequence[str],
    action_names: Sequence[str],
    permissions_boundary_policy_input_list: Sequence[str] = (),
    ordered_organization_policy_input_list: Sequence[Mapping[str, Any]] = (),
    resource_arns: Sequence[str] = (),
    resource_policy: str | None = None,
    resource_owner: str | None = None,
    caller_arn: str | None = None,
    context_entries: Entries = (),
    resource_handling_option: str | None = None,
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """Decide each action on each resource by the policies given alone."""
    _refuse_scenario(resource_handling_option)
    if resource_policy is not None and caller_arn is None:
        raise refusals.invalid_input("CallerArn is required if a ResourcePolicy is given.")

    def simulated() -> dict[str, Any]:
        simulation = Simulation(
            sources=given(policy_input_list, "PolicyInputList"),
            resource=_resource_source(resource_policy, action_names),
            boundary=_boundary(permissions_boundary_policy_input_list),
            scps=_levels(ordered_organization_policy_input_list),
            caller=_caller(caller_arn) if caller_arn else _nobody(ctx.account),
            has_caller=caller_arn is not None,
            owner=_owner(resource_owner) or (_account(caller_arn) if caller_arn else ctx.account),
            context=_context(context_entries),
        )
        return _answer(simulation, action_names, resource_arns, marker, max_items)

    return await asyncio.to_thread(simulated)


@operation("iam:SimulatePrincipalPolicy", resource=policy_source)
async def simulate_principal_policy(
    ctx: Context,
    *,
    policy_source_arn: str,
    action_names: Sequence[str],
    policy_input_list: Sequence[str] = (),
    permissions_boundary_policy_input_list: Sequence[str] = (),
    resource_arns: Sequence[str] = (),
    resource_policy: str | None = None,
    resource_owner: str | None = None,
    caller_arn: str | None = None,
    context_entries: Entries = (),
    resource_handling_option: str | None = None,
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """Decide by what a user or role has, and by what is given besides; a boundary given replaces its own."""
    _refuse_scenario(resource_handling_option)
    own = await policies_of(ctx, policy_source_arn)
    # Another caller has the policies of the source, and neither its id nor its tags.
    is_itself = caller_arn in (None, policy_source_arn)
    caller = (
        _caller(policy_source_arn, own.holder.id, own.holder.tags) if is_itself else _caller(caller_arn or "")
    )

    def simulated() -> dict[str, Any]:
        simulation = Simulation(
            sources=[*own.sources, *given(policy_input_list, "PolicyInputList")],
            resource=_resource_source(resource_policy, action_names),
            boundary=_boundary(permissions_boundary_policy_input_list) or own.boundary,
            scps=(),
            caller=caller,
            has_caller=True,
            owner=_owner(resource_owner) or caller.account,
            context=_context(context_entries),
        )
        return _answer(simulation, action_names, resource_arns, marker, max_items, wildcards=True)

    return await asyncio.to_thread(simulated)


def _answer(
    simulation: Simulation,
    actions: Sequence[str],
    resources: Sequence[str],
    marker: str | None,
    max_items: int | None,
    *,
    wildcards: bool = False,
) -> dict[str, Any]:
    for action in actions:
        if not _is_action(action, wildcards=wildcards):
            raise refusals.invalid_input(f"Invalid Action Name: {action}")
    if min(len(actions), max_items or PAGE_ITEMS) * len(resources) > DECISIONS_MAX:
        raise refusals.invalid_input(
            f"One page can have {DECISIONS_MAX} decisions: ask for fewer resources, or for smaller pages."
        )
    return page(
        "EvaluationResults",
        enumerate(actions),
        by=lambda each: f"{each[0]:09d}",
        shape=lambda each: result(simulation, each[1], resources or [ANY_RESOURCE]),
        marker=marker,
        max_items=max_items,
    )


def _is_action(action: str, *, wildcards: bool) -> bool:
    """A wildcard is compared as it stands: `s3:Get*` is allowed by what allows all that it stands for."""
    service, colon, name = action.partition(":")
    return bool(service and colon and name) and (wildcards or not {"*", "?"} & set(action))


def _refuse_scenario(option: str | None) -> None:
    if option is not None:
        raise refusals.invalid_input(
            f"ResourceHandlingOption {option} is not supported: no scenario of Amazon EC2 is simulated."
        )


def _resource_source(text: str | None, actions: Sequence[str]) -> Source | None:
    """A role's trust, where the actions assume roles, as at the door; else the policy of a resource."""
    if text is None:
        return None
    assuming = [asks_trust(action) for action in actions]
    if any(assuming) and not all(assuming):
        asking = actions[assuming.index(True)]
        raise refusals.invalid_input(f"{asking} asks a trust policy: simulate it by itself.")
    return given_one(text, "ResourcePolicy", "trust" if any(assuming) else "resource")


def _boundary(texts: Sequence[str]) -> Source | None:
    if len(texts) > 1:
        raise refusals.invalid_input("PermissionsBoundaryPolicyInputList can have one policy only.")
    return given(texts, "PermissionsBoundaryPolicyInputList")[0] if texts else None


def _levels(levels: Sequence[Mapping[str, Any]]) -> list[list[Source]]:
    """The organisation's policies, from its root down."""
    name = "OrderedOrganizationPolicyInputList.{}.ServiceControlPolicyInputList"
    return [
        given(level.get("ServiceControlPolicyInputList", ()), name.format(number))
        for number, level in enumerate(levels, 1)
    ]


def _caller(arn: str, id_: str = "", tags: Mapping[str, str] | None = None) -> Principal:
    """A user, or a role as a session of it. Raises ValidationError, InvalidInput."""
    if len(arn.split(":", 5)) != 6 or not arn.startswith("arn:"):
        raise refusals.no_arn()
    account, (kind, _, path) = _account(arn), arn.split(":", 5)[-1].partition("/")
    name = path.rpartition("/")[2]
    if kind == "user" and name:
        return Principal("user", arn, account, id_, name, tags=tags or {})
    if kind == "role" and name:
        session = arns.assumed_role(account, name, SESSION)
        id_ = f"{id_}:{SESSION}" if id_ else ""
        return Principal("role", session, account, id_, name, arn, SESSION, tags=tags or {})
    raise refusals.invalid_input(f"Invalid CallerArn: {arn} is neither a user nor a role.")


def _account(arn: str) -> Account:
    parsed = arns.parse(arn)
    if parsed is not None and parsed.service == "iam":
        with suppress(InvalidPart):
            return Account(parsed.account)
    raise refusals.invalid_input(f"Invalid CallerArn: {arn} is neither a user nor a role.")


def _nobody(account: str) -> Principal:
    """A caller of the account of whom nothing is known, not even a name."""
    return Principal("role", "", account, "", "")


def _owner(given_owner: str | None) -> str | None:
    """The account, which may be given as a principal's ARN as well."""
    parsed = arns.parse(given_owner) if given_owner else None
    return parsed.account if parsed else given_owner


def _context(entries: Entries) -> dict[str, Values]:
    context: dict[str, Values] = {}
    for entry in entries:
        name, type_, values = (entry.get(f"ContextKey{part}") for part in ("Name", "Type", "Values"))
        if not name or not type_ or values is None:
            raise refusals.invalid_input("A context entry needs ContextKeyName, ContextKeyType and values.")
        is_list = type_.endswith("List")
        if not is_list and len(values) != 1:
            raise refusals.invalid_input(f"Context key {name} of type {type_} must have one value.")
        context[name] = tuple(values) if is_list else values[0]
    return context
