"""What an EMR step will ask of IAM: on a cluster that is there, or with a cluster of its own.

It judges nothing. SageMaker follows such steps by an EventBridge rule of a fixed name on the default bus.
RunJobFlow, and AddTags at creation, are authorised on the literal `cluster/*`, as real denials show, although
the service authorization reference lists no resource for them.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from passrole import arns
from passrole.definition.expressions import Json
from passrole.needs.document import Definition, RawStep, as_object
from passrole.needs.need import ANY, Moment, Need, Place, pass_role, role_arn
from passrole.policy.request import Values

STEP_RULE: Final = "SageMakerPipelineExecutionEMRStepStatusUpdateRule"
CLUSTER_RULE: Final = "SageMakerPipelineExecutionEMRClusterStatusUpdateRule"
AUTO_SCALING: Final = "application-autoscaling.amazonaws.com"

_RULE_ACTIONS: Final = ("DescribeRule", "PutRule", "PutTargets")
_ON_THE_CLUSTER: Final[tuple[tuple[str, str, Moment], ...]] = (
    ("DescribeStep", "follows the EMR step", "progress"),
    ("CancelSteps", "cancels it when the execution is stopped", "stop"),
)
_ON_ITS_OWN_CLUSTER: Final[tuple[tuple[str, str, Moment], ...]] = (
    ("ListSteps", "learns the EMR step's id", "progress"),
    ("DescribeCluster", "follows the cluster", "progress"),
    ("TerminateJobFlows", "ends it when the execution is stopped", "stop"),
)
_ROLES: Final = (
    ("ServiceRole", "elasticmapreduce.amazonaws.com"),
    ("JobFlowRole", "ec2.amazonaws.com"),
    ("AutoScalingRole", AUTO_SCALING),
)


def emr(step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
    """The needs of a step of type EMR, in the order in which they are asked."""
    config = step.arguments.get("ClusterConfig")
    if config is None:
        yield from _on_a_cluster(step, definition, place)
    else:
        yield from _with_its_own(step, as_object(config), definition, place)


def _on_a_cluster(step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
    cluster = definition.text(step.arguments.get("ClusterId"))
    arn, pattern = _cluster(place, cluster), ANY in cluster
    runtime_role = step.arguments.get("ExecutionRoleArn")
    context: dict[str, Values] = {}
    if runtime_role is not None:
        context["elasticmapreduce:ExecutionRoleArn"] = definition.text(runtime_role)
    yield from _rule(step, STEP_RULE, place)
    submit = "elasticmapreduce:AddJobFlowSteps"
    yield Need(step.name, submit, arn, "submits the EMR step", context, is_pattern=pattern)
    for action, why, when in _ON_THE_CLUSTER:
        yield Need(step.name, f"elasticmapreduce:{action}", arn, why, when=when, is_pattern=pattern)


def _with_its_own(
    step: RawStep, config: Mapping[str, Json], definition: Definition, place: Place
) -> Iterator[Need]:
    cluster = _cluster(place, ANY)
    tags = _tags(config.get("Tags"), definition)
    yield from _rule(step, CLUSTER_RULE, place)
    yield Need(step.name, "elasticmapreduce:RunJobFlow", cluster, "creates the cluster", tags)
    for member, service in _ROLES:
        if config.get(member):
            given = role_arn(definition.text(config[member]), place)
            yield pass_role(step.name, given, service, member)
    if tags:
        yield Need(step.name, "elasticmapreduce:AddTags", cluster, "gives the cluster its Tags", tags)
    for action, why, when in _ON_ITS_OWN_CLUSTER:
        yield Need(step.name, f"elasticmapreduce:{action}", cluster, why, when=when, is_pattern=True)


def _rule(step: RawStep, name: str, place: Place) -> Iterator[Need]:
    arn = str(arns.Arn(arns.PARTITION, "events", place.region, place.account, f"rule/{name}"))
    for action in _RULE_ACTIONS:
        yield Need(step.name, f"events:{action}", arn, "keeps the rule that reports progress")


def _cluster(place: Place, cluster: str) -> str:
    resource = f"cluster/{cluster}"
    return str(arns.Arn(arns.PARTITION, "elasticmapreduce", place.region, place.account, resource))


def _tags(value: Json, definition: Definition) -> dict[str, Values]:
    """The condition keys of the Tags that a cluster is created with."""
    pairs = [as_object(each) for each in value] if isinstance(value, list) else []
    tags = {definition.text(pair.get("Key")): definition.text(pair.get("Value")) for pair in pairs}
    if not tags:
        return {}
    named: dict[str, Values] = {"aws:TagKeys": tuple(tags)}
    for service in ("aws", "elasticmapreduce"):
        named |= {f"{service}:RequestTag/{key}": text for key, text in tags.items()}
    return named
