"""The needs of EMR steps: on an existing cluster, or with a cluster created for the step.

SageMaker follows such steps with an EventBridge rule of a fixed name on the default bus. RunJobFlow, and
AddTags at creation, are authorised on the literal `cluster/*`, as real denials show, although the service
authorization reference lists no resource for them.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from passrole import arns
from passrole.definition.expressions import Json
from passrole.needs.document import Definition, RawStep, as_list, as_object
from passrole.needs.need import ANY, Need, Phase, Place, pass_role, role_arn
from passrole.needs.table import NOT_STOPPED
from passrole.patterns import compile_pattern
from passrole.policy.request import Values
from passrole.policy.request_keys import request_tag_keys, resource_tag_keys

STEP_RULE: Final = "SageMakerPipelineExecutionEMRStepStatusUpdateRule"
CLUSTER_RULE: Final = "SageMakerPipelineExecutionEMRClusterStatusUpdateRule"
AUTO_SCALING: Final = "application-autoscaling.amazonaws.com"

# What the rules want, by their names.
RULES: Final[Mapping[str, Mapping[str, Any]]] = {
    STEP_RULE: {
        "source": ["aws.emr"],
        "detail-type": ["EMR Step Status Change"],
        "detail": {"state": ("RUNNING", "COMPLETED", "CANCELLED", "FAILED", "INTERRUPTED")},
    },
    CLUSTER_RULE: {
        "source": ["aws.emr"],
        "detail-type": ["EMR Cluster State Change"],
        "detail": {"state": ("RUNNING", "TERMINATED", "TERMINATED_WITH_ERRORS")},
    },
}

# Every cluster's id begins so.
# https://docs.aws.amazon.com/emr/latest/APIReference/API_RunJobFlow.html#EMR-RunJobFlow-response-JobFlowId
_ID: Final = f"j-{ANY}"
_TAG_PREFIXES: Final = ("aws", "elasticmapreduce")
_ON_THE_CLUSTER: Final[tuple[tuple[str, str, Phase], ...]] = (
    ("DescribeStep", "follows the EMR step", "progress"),
    ("CancelSteps", "cancels it when the execution is stopped", "stop"),
)
_ON_ITS_OWN_CLUSTER: Final[tuple[tuple[str, str, Phase], ...]] = (
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
    runtime_role = step.arguments.get("ExecutionRoleArn")
    context: dict[str, Values] = {}
    if runtime_role is not None:
        context["elasticmapreduce:ExecutionRoleArn"] = definition.text(runtime_role)
    yield from _rule(step, STEP_RULE, place)
    yield _need(step, place, cluster, ("AddJobFlowSteps", "submits the EMR step", "start"), context)
    yield from (_need(step, place, cluster, call) for call in _ON_THE_CLUSTER)


def _with_its_own(
    step: RawStep, config: Mapping[str, Json], definition: Definition, place: Place
) -> Iterator[Need]:
    cluster, given = place.arn("elasticmapreduce", f"cluster/{ANY}"), _tags(config.get("Tags"), definition)
    tags = request_tag_keys(given, _TAG_PREFIXES)
    yield from _rule(step, CLUSTER_RULE, place)
    yield Need(step.name, "elasticmapreduce:RunJobFlow", cluster, "creates the cluster", tags)
    for member, service in _ROLES:
        if config.get(member):
            passed = role_arn(definition.text(config[member]), place)
            yield pass_role(step.name, passed, service, member)
    if tags:
        yield Need(step.name, "elasticmapreduce:AddTags", cluster, "gives the cluster its Tags", tags)
    known = resource_tag_keys(given, _TAG_PREFIXES)
    yield from (_need(step, place, ANY, call, known) for call in _ON_ITS_OWN_CLUSTER)


def _need(
    step: RawStep,
    place: Place,
    cluster: str,
    call: tuple[str, str, Phase],
    context: Mapping[str, Values] | None = None,
) -> Need:
    action, why, when = call
    return Need(
        step.name,
        f"elasticmapreduce:{action}",
        place.arn("elasticmapreduce", f"cluster/{cluster}"),
        why,
        context or {},
        when,
        is_pattern=ANY in cluster,
        optional=NOT_STOPPED if when == "stop" else None,
        shape=place.arn("elasticmapreduce", f"cluster/{_ID}") if cluster == ANY else None,
    )


def _rule(step: RawStep, name: str, place: Place) -> Iterator[Need]:
    arn, why = place.arn("events", f"rule/{name}"), "keeps the rule that reports progress"
    pattern = compile_pattern(json.dumps(RULES[name]))
    wanted: dict[str, Values] = {f"events:{each}": pattern.named(each) for each in ("source", "detail-type")}
    yield Need(step.name, "events:DescribeRule", arn, why)
    yield Need(step.name, "events:PutRule", arn, why, wanted)
    target = place.arn("sagemaker", arns.PIPELINE_EVENTS)
    yield Need(step.name, "events:PutTargets", arn, why, {"events:TargetArn": (target,)})


def _tags(value: Json, definition: Definition) -> dict[str, str]:
    """The Tags that a cluster is created with."""
    pairs = [as_object(each) for each in as_list(value)]
    return {
        definition.text(pair["Key"]): definition.text(pair.get("Value", ""))
        for pair in pairs
        if "Key" in pair
    }
