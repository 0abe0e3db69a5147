"""Reads the members that several types of steps have."""

from collections.abc import Mapping, Sequence
from typing import Final, TypedDict, get_args

from passrole.definition import problems as problem
from passrole.definition.expressions import Constant, Expression
from passrole.definition.node import Node
from passrole.definition.steps import CacheConfig, OutputParameter, OutputType, RetryPolicy, Trigger

OUTPUTS_MAX = 50
RETRIED_ALWAYS: Final = ("Step.SERVICE_FAULT", "Step.THROTTLING")
"""What SageMaker itself retries in a step of any type; a step's own policies may say how often."""

_DISPLAY_NAME_MAX, _DESCRIPTION_MAX, _OUTPUT_NAME_MAX = 256, 3072, 256


class Shared(TypedDict):
    """The members of Step."""

    name: str
    where: str
    display_name: str | None
    description: str | None
    depends_on: Mapping[str, Trigger]


def read_shared(node: Node) -> Shared:
    """The members that a step of any type has."""
    return Shared(
        name=node.name("Name"),
        where=node.where,
        display_name=node.text("DisplayName", required=False, limit=_DISPLAY_NAME_MAX),
        description=node.text("Description", required=False, limit=_DESCRIPTION_MAX),
        depends_on=_depends_on(node),
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
    """The CacheConfig of a step."""
    inner = node.object("CacheConfig", required=False)
    if inner is None:
        return None
    cache = CacheConfig(inner.flag("Enabled"), inner.text("ExpireAfter", required=False))
    inner.close()
    return cache


def read_retries(node: Node, exceptions: Sequence[str]) -> tuple[RetryPolicy, ...]:
    """The RetryPolicies of a step; `exceptions` are the types that they may name."""
    return tuple(_retry_policy(each, exceptions) for each in node.objects("RetryPolicies", required=False))


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


def _retry_policy(node: Node, allowed: Sequence[str]) -> RetryPolicy:
    exceptions = [each for each in node.list("ExceptionType") if isinstance(each, str)]
    for each in exceptions:
        if each not in allowed:
            node.found.append(problem.not_in_enum(node.path("ExceptionType"), each, "ExceptionType", allowed))
    numbers = {
        key: node.number(key) for key in ("IntervalSeconds", "BackoffRate", "MaxAttempts", "ExpireAfterMin")
    }
    node.close()
    attempts = numbers["MaxAttempts"]
    return RetryPolicy(
        tuple(exceptions),
        numbers["IntervalSeconds"] or 1.0,
        numbers["BackoffRate"] or 2.0,
        None if attempts is None else int(attempts),
        numbers["ExpireAfterMin"],
    )


_OUTPUT_TYPES: dict[str, OutputType] = {type_: type_ for type_ in get_args(OutputType)}
