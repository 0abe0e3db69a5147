"""Reads the members that several types of steps have."""

from collections.abc import Mapping, Sequence
from typing import Final, TypedDict, get_args

from passrole.definition import cache_age
from passrole.definition import problems as problem
from passrole.definition.expressions import Constant, Expression
from passrole.definition.node import Node
from passrole.definition.steps import CacheConfig, OutputParameter, OutputType, RetryPolicy, Trigger

OUTPUTS_MAX = 50
RETRIED_ALWAYS: Final = ("Step.SERVICE_FAULT", "Step.THROTTLING")
"""What SageMaker itself retries in a step of any type; a step's own policies may say how often."""
RETRIED_JOBS: Final = (
    *RETRIED_ALWAYS,
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
)
"""https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html"""

_DISPLAY_NAME_MAX, _DESCRIPTION_MAX, _OUTPUT_NAME_MAX = 256, 3072, 256


class Shared(TypedDict):
    """The members of Step."""

    name: str
    where: str
    display_name: str | None
    description: str | None
    depends_on: Mapping[str, Trigger]


class CreationMembers(Shared):
    """The members of CreationStep."""

    arguments: Expression
    retries: tuple[RetryPolicy, ...]


class JobMembers(CreationMembers):
    """The members of JobStep."""

    cache: CacheConfig | None


def read_shared(node: Node) -> Shared:
    """The members that a step of any type has."""
    return Shared(
        name=node.name("Name"),
        where=node.where,
        display_name=node.text("DisplayName", required=False, limit=_DISPLAY_NAME_MAX),
        description=node.text("Description", required=False, limit=_DESCRIPTION_MAX),
        depends_on=_depends_on(node),
    )


def read_job(node: Node) -> JobMembers:
    """The members that a step has which starts a job of SageMaker."""
    return JobMembers(**read_creation(node), cache=read_cache(node))


def read_creation(node: Node) -> CreationMembers:
    """The members that a step has which creates something of SageMaker."""
    node.object("Arguments")
    return CreationMembers(
        **read_shared(node),
        arguments=node.expression("Arguments", required=False),
        retries=read_retries(node, RETRIED_JOBS, limits=_RETRY_LIMITS),
    )


def read_arguments(node: Node) -> Expression:
    """The Arguments of a Lambda or Callback step."""
    if node.any("Arguments", required=False) is None:
        return Constant({})  # AWS documents no default for a step without inputs; the SDK sends {}
    node.object("Arguments")
    return node.expression("Arguments")


def read_outputs(node: Node) -> tuple[OutputParameter, ...]:
    """The outputs that a Lambda or Callback step declares."""
    outputs: dict[str, OutputParameter] = {}
    for each in node.objects("OutputParameters", required=False):
        name = each.text("OutputName", limit=_OUTPUT_NAME_MAX) or ""
        type_ = each.choice("OutputType", get_args(OutputType))
        each.close()
        if name in outputs:
            node.found.append(problem.duplicate_name(each.where, "OutputName", name))
        outputs[name] = OutputParameter(name, _OUTPUT_TYPES.get(type_ or "", "String"))
    if len(outputs) > OUTPUTS_MAX:
        node.found.append(problem.too_many_outputs(node.path("OutputParameters"), OUTPUTS_MAX))
    return tuple(outputs.values())


def is_declared(outputs: Sequence[OutputParameter], path: tuple[str | int, ...]) -> bool:
    """Whether a path such as `OutputParameters['x']` leads to a declared output.

    A longer path into the value is checked at run time: the step that refers to it fails.
    """
    return path[0] == "OutputParameters" and path[1:2] in {(output.name,) for output in outputs}


def read_cache(node: Node) -> CacheConfig | None:
    """The CacheConfig of a step.

    A definition that was stored when ExpireAfter was not read may have any text there. It is tolerated, and
    the step is not cached.
    """
    inner = node.object("CacheConfig", required=False)
    if inner is None:
        return None
    enabled, expire_after = inner.flag("Enabled"), inner.text("ExpireAfter", required=False)
    inner.close()
    if not enabled or expire_after is None:
        return CacheConfig(enabled)
    try:
        return CacheConfig(enabled, cache_age.seconds(expire_after))
    except cache_age.InvalidAge:
        node.found.append(problem.bad_duration(inner.path("ExpireAfter"), "ExpireAfter", expire_after))
        return CacheConfig(enabled=False)


def read_retries(
    node: Node, exceptions: Sequence[str], limits: Mapping[str, float] | None = None
) -> tuple[RetryPolicy, ...]:
    """The RetryPolicies of a step; `exceptions` are the types that they may name."""
    policies = node.objects("RetryPolicies", required=False)
    return tuple(_retry_policy(each, exceptions, limits) for each in policies)


def refuse_retries(node: Node) -> None:
    """Report RetryPolicies in a step of a type that has none."""
    if node.any("RetryPolicies", required=False):
        name, type_ = node.text("Name", required=False), node.text("Type")
        node.found.append(problem.no_retry_policies(node.path("RetryPolicies"), name or "", type_ or ""))


def _depends_on(node: Node) -> Mapping[str, Trigger]:
    named: dict[str, Trigger] = {}
    for index, needed in enumerate(node.list("DependsOn", required=False)):
        where = f"{node.path('DependsOn')}[{index}]"
        if isinstance(needed, str):
            name, trigger = needed, Trigger.COMPLETED
        elif isinstance(needed, dict):
            name, trigger = _triggered(Node(needed, where, node.found))
        else:
            node.found.append(problem.wrong_type(where, "DependsOn", "String"))
            continue
        if named.setdefault(name, trigger) is not trigger:
            node.found.append(problem.two_triggers(where, name))
    return named


def _triggered(node: Node) -> tuple[str, Trigger]:
    name = node.name("Step")
    chosen = node.choice("Trigger", tuple(trigger.value for trigger in Trigger))
    node.close()
    return name, Trigger(chosen) if chosen else Trigger.COMPLETED


def _retry_policy(node: Node, allowed: Sequence[str], limits: Mapping[str, float] | None) -> RetryPolicy:
    exceptions = _exceptions(node)
    for each in exceptions:
        if each not in allowed:
            node.found.append(problem.not_in_enum(node.path("ExceptionType"), each, "ExceptionType", allowed))
    interval, attempts, minutes = (
        node.whole_number(key, limit=(limits or {}).get(key))
        for key in ("IntervalSeconds", "MaxAttempts", "ExpireAfterMin")
    )
    backoff = node.number("BackoffRate")
    if limits is not None and attempts is not None and minutes is not None:
        node.found.append(problem.needs_one_of(node.where, ("MaxAttempts", "ExpireAfterMin")))
    node.close()
    return RetryPolicy(
        exceptions,
        interval or 1.0,
        backoff or 2.0,
        attempts,
        minutes,
    )


def _exceptions(node: Node) -> tuple[str, ...]:
    """A list in the guide and the SDK, one text in the published schema."""
    value = node.any("ExceptionType")
    given = [value] if isinstance(value, str) else node.list("ExceptionType", required=False)
    return tuple(each for each in given if isinstance(each, str))


_RETRY_LIMITS: Mapping[str, float] = {"IntervalSeconds": 43_200, "MaxAttempts": 20, "ExpireAfterMin": 14_400}
_OUTPUT_TYPES: dict[str, OutputType] = {type_: type_ for type_ in get_args(OutputType)}
