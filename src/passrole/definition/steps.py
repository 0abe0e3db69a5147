"""The types of steps as frozen dataclasses.

Knows no execution. A new type needs a dataclass, a reader and a row in the table at the end (and rules in the
engine). The steps of a branch are steps like all others: a ConditionStep only names them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain
from typing import Literal, TypeAlias, get_args

from passrole.definition import problems as problem
from passrole.definition.conditions import Condition, expressions_of, read_condition
from passrole.definition.expressions import Constant, Expression
from passrole.definition.node import Node

OutputType: TypeAlias = Literal["String", "Integer", "Boolean", "Float"]
OUTPUTS_MAX = 50
_DISPLAY_NAME_MAX, _DESCRIPTION_MAX, _OUTPUT_NAME_MAX, _QUEUE_URL_MAX = 256, 3072, 256, 256

KNOWN_BUT_UNSUPPORTED = frozenset(
    {
        "Athena",
        "AutoML",
        "Bedrock",
        "BedrockCustomModel",
        "BedrockCustomModelDeployment",
        "BedrockModelImport",
        "BedrockProvisionedModelThroughput",
        "ClarifyCheck",
        "Cleanup",
        "EMRServerless",
        "Endpoint",
        "EndpointConfig",
        "ForEach",
        "InferenceComponent",
        "Job",
        "Lineage",
        "Model",
        "Processing",
        "QualityCheck",
        "RegisterModel",
        "Training",
        "Transform",
        "Tuning",
    }
)
"""SageMaker's step types that passrole does not run; they are refused by name, not as unknown types."""


@dataclass(frozen=True, slots=True)
class OutputParameter:
    """A declared output of a Lambda or Callback step."""

    name: str
    type_: OutputType


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """The cache configuration, not applied yet. `expire_after` is an ISO 8601 duration."""

    enabled: bool
    expire_after: str | None


class Trigger(Enum):
    """The end of a step after which a dependent may start: StepDependency of SDK v3."""

    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"
    ANY = "Any"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    name: str
    where: str
    display_name: str | None = None
    description: str | None = None
    depends_on: Mapping[str, Trigger] = field(default_factory=dict)
    """The steps in DependsOn, and how each must have ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaStep(_Named):
    """Invokes a function with the resolved arguments as its event."""

    function_arn: Expression
    arguments: Expression
    outputs: tuple[OutputParameter, ...] = ()
    cache: CacheConfig | None = None
    type_: Literal["Lambda"] = "Lambda"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackStep(_Named):
    """Sends a message with a token to a queue and waits for an answer with the token."""

    queue_url: Expression
    arguments: Expression
    outputs: tuple[OutputParameter, ...] = ()
    cache: CacheConfig | None = None
    type_: Literal["Callback"] = "Callback"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a failed call of the step is retried, until one of the two limits is reached.

    `interval_seconds` is the first delay; each further delay is `backoff` times the one before.
    """

    exceptions: tuple[str, ...]
    interval_seconds: float = 1.0
    backoff: float = 2.0
    attempts_max: int | None = None
    expire_minutes: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmrStep(_Named):
    """Runs a program on an EMR cluster: an existing one, or one created for the step; the other is None.

    `cluster_config` is RunJobFlow's request without the members that the step sets; `step_config` is an EMR
    StepConfig.
    """

    cluster_id: Expression | None
    cluster_config: Expression | None
    step_config: Expression
    role: Expression | None = None
    retries: tuple[RetryPolicy, ...] = ()
    cache: CacheConfig | None = None
    type_: Literal["EMR"] = "EMR"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionStep(_Named):
    """Chooses between two branches (step names): the first if all conditions hold."""

    conditions: tuple[Condition, ...]
    if_steps: tuple[str, ...] = ()
    else_steps: tuple[str, ...] = ()
    type_: Literal["Condition"] = "Condition"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailStep(_Named):
    """Ends the execution as Failed with a message."""

    error_message: Expression
    type_: Literal["Fail"] = "Fail"


Step: TypeAlias = LambdaStep | CallbackStep | EmrStep | ConditionStep | FailStep


def read_steps(nodes: tuple[Node, ...]) -> Iterator[Step]:
    """The steps of a list; those of its branches follow each Condition step."""
    for node in nodes:
        type_ = node.text("Type")
        reader = _READERS.get(type_ or "")
        if reader is not None:
            yield from reader(node)
        elif type_ in KNOWN_BUT_UNSUPPORTED:
            node.found.append(problem.unsupported_step_type(node.path("Type"), type_, _READERS))
        elif type_ is not None:
            node.found.append(problem.not_in_enum(node.path("Type"), type_, "Type", _READERS))


def expressions_in(step: Step) -> Iterator[Expression]:
    """Every expression of a step."""
    match step:
        case LambdaStep():
            return iter((step.function_arn, step.arguments))
        case CallbackStep():
            return iter((step.queue_url, step.arguments))
        case EmrStep():
            given = (step.cluster_id, step.cluster_config, step.step_config, step.role)
            return (each for each in given if each is not None)
        case ConditionStep():
            return chain.from_iterable(map(expressions_of, step.conditions))
        case FailStep():
            return iter((step.error_message,))


def _read_lambda(node: Node) -> Iterator[Step]:
    _refuse_retry_policies(node)
    step = LambdaStep(
        name=node.name("Name"),
        where=node.where,
        display_name=_display_name(node),
        description=_description(node),
        depends_on=_depends_on(node),
        function_arn=node.text_expression("FunctionArn"),
        arguments=_arguments(node),
        outputs=_outputs(node),
        cache=_cache(node),
    )
    node.close()
    yield step


def _read_callback(node: Node) -> Iterator[Step]:
    _refuse_retry_policies(node)
    queue_url = node.text_expression("SqsQueueUrl")
    literal = queue_url.value if isinstance(queue_url, Constant) else None
    if isinstance(literal, str) and len(literal) > _QUEUE_URL_MAX:
        node.found.append(
            problem.too_many_characters(node.path("SqsQueueUrl"), "SqsQueueUrl", _QUEUE_URL_MAX)
        )
    step = CallbackStep(
        name=node.name("Name"),
        where=node.where,
        display_name=_display_name(node),
        description=_description(node),
        depends_on=_depends_on(node),
        queue_url=queue_url,
        arguments=_arguments(node),
        outputs=_outputs(node),
        cache=_cache(node),
    )
    node.close()
    yield step


def _read_emr(node: Node) -> Iterator[Step]:
    inner = node.object("Arguments") or Node({}, node.where, [])
    _check_clusters(inner)
    _check_step_config(inner)
    step = EmrStep(
        name=node.name("Name"),
        where=node.where,
        display_name=_display_name(node),
        description=_description(node),
        depends_on=_depends_on(node),
        cluster_id=inner.text_expression("ClusterId") if inner.has("ClusterId") else None,
        cluster_config=inner.expression("ClusterConfig") if inner.has("ClusterConfig") else None,
        step_config=inner.expression("StepConfig", required=False),
        role=inner.text_expression("ExecutionRoleArn") if inner.has("ExecutionRoleArn") else None,
        retries=tuple(map(_retry_policy, node.objects("RetryPolicies", required=False))),
        cache=_cache(node),
    )
    inner.close()
    node.close()
    yield step


def _check_clusters(arguments: Node) -> None:
    """The checks that the SDK makes: exactly one cluster, and no member that the step sets."""
    if arguments.has("ClusterId") == arguments.has("ClusterConfig"):
        arguments.found.append(problem.needs_one_of(arguments.where, ("ClusterId", "ClusterConfig")))
    if arguments.has("ExecutionRoleArn") and not arguments.has("ClusterId"):
        arguments.found.append(problem.needs_other(arguments.where, "ExecutionRoleArn", "ClusterId"))
    config = arguments.object("ClusterConfig", required=False)
    if config is None:
        return
    instances = config.object("Instances")
    for node, reserved in ((config, _RESERVED_OF_CLUSTER), (instances, _RESERVED_OF_INSTANCES)):
        for key in reserved if node else ():
            if node and node.has(key):
                node.found.append(problem.reserved(node.path(key), key))
    if instances and instances.has("InstanceGroups") == instances.has("InstanceFleets"):
        instances.found.append(problem.needs_one_of(instances.where, ("InstanceGroups", "InstanceFleets")))


def _check_step_config(arguments: Node) -> None:
    config = arguments.object("StepConfig")
    jar = config.object("HadoopJarStep") if config else None
    if config:
        config.allow("Name", "ActionOnFailure")
        config.close()
    if jar:
        jar.any("Jar")
        jar.allow("Args", "MainClass", "Properties")
        jar.close()


def _retry_policy(node: Node) -> RetryPolicy:
    exceptions = [each for each in node.list("ExceptionType") if isinstance(each, str)]
    for each in exceptions:
        if each not in _RETRIED:
            node.found.append(
                problem.not_in_enum(node.path("ExceptionType"), each, "ExceptionType", _RETRIED)
            )
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


def _read_condition_step(node: Node) -> Iterator[Step]:
    inner = node.object("Arguments") or Node({}, node.where, [])
    branches = {key: tuple(inner.objects(key, required=False)) for key in ("IfSteps", "ElseSteps")}
    step = ConditionStep(
        name=node.name("Name"),
        where=node.where,
        display_name=_display_name(node),
        description=_description(node),
        depends_on=_depends_on(node),
        conditions=tuple(read_condition(each) for each in inner.objects("Conditions")),
        if_steps=_names(branches["IfSteps"]),
        else_steps=_names(branches["ElseSteps"]),
    )
    inner.close()
    node.close()
    yield step
    yield from read_steps(branches["IfSteps"])
    yield from read_steps(branches["ElseSteps"])


def _read_fail(node: Node) -> Iterator[Step]:
    inner = node.object("Arguments", required=False)
    step = FailStep(
        name=node.name("Name"),
        where=node.where,
        display_name=_display_name(node),
        description=_description(node),
        depends_on=_depends_on(node),
        error_message=_error_message(inner),
    )
    if inner:
        inner.close()
    node.close()
    yield step


def _error_message(arguments: Node | None) -> Expression:
    if arguments is None or arguments.any("ErrorMessage", required=False) is None:
        return Constant("")
    return arguments.text_expression("ErrorMessage")


def _refuse_retry_policies(node: Node) -> None:
    if node.any("RetryPolicies", required=False):
        name, type_ = node.text("Name", required=False), node.text("Type")
        node.found.append(problem.no_retry_policies(node.path("RetryPolicies"), name or "", type_ or ""))


def _display_name(node: Node) -> str | None:
    return node.text("DisplayName", required=False, limit=_DISPLAY_NAME_MAX)


def _description(node: Node) -> str | None:
    return node.text("Description", required=False, limit=_DESCRIPTION_MAX)


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


def _arguments(node: Node) -> Expression:
    if node.any("Arguments", required=False) is None:
        return Constant({})  # AWS documents no default for a step without inputs; the SDK sends {}
    node.object("Arguments")
    return node.expression("Arguments")


def _outputs(node: Node) -> tuple[OutputParameter, ...]:
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


def _cache(node: Node) -> CacheConfig | None:
    inner = node.object("CacheConfig", required=False)
    if inner is None:
        return None
    cache = CacheConfig(inner.flag("Enabled"), inner.text("ExpireAfter", required=False))
    inner.close()
    return cache


def _names(nodes: tuple[Node, ...]) -> tuple[str, ...]:
    """The step names of a branch; their problems are reported when the steps themselves are read."""
    names = (node.any("Name", required=False) for node in nodes)
    return tuple(name for name in names if isinstance(name, str))


_RESERVED_OF_CLUSTER = ("Name", "Steps", "AutoTerminationPolicy")
_RESERVED_OF_INSTANCES = ("KeepJobFlowAliveWhenNoSteps", "TerminationProtected")
_RETRIED = ("Step.SERVICE_FAULT", "Step.THROTTLING")

_OUTPUT_TYPES: dict[str, OutputType] = {type_: type_ for type_ in get_args(OutputType)}

_READERS: dict[str, Callable[[Node], Iterator[Step]]] = {
    "Lambda": _read_lambda,
    "Callback": _read_callback,
    "EMR": _read_emr,
    "Condition": _read_condition_step,
    "Fail": _read_fail,
}
