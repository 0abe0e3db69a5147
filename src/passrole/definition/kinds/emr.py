"""EMR steps.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html#step-type-emr
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from passrole.definition import problems as problem
from passrole.definition.expressions import Expression
from passrole.definition.kinds.kind import Kind
from passrole.definition.node import Node
from passrole.definition.properties import Properties
from passrole.definition.step_members import RETRIED_ALWAYS, read_cache, read_retries, read_shared
from passrole.definition.steps import FollowedStep, Step

PROPERTIES: Final = Properties(
    ("ClusterId", "Id", "Name", "Config", "ActionOnFailure", "Status", "ExecutionRoleArn")
)
"""The cluster's id and the members of EMR's Step."""

_RESERVED_OF_CLUSTER = ("Name", "Steps", "AutoTerminationPolicy")
_RESERVED_OF_INSTANCES = ("KeepJobFlowAliveWhenNoSteps", "TerminationProtected")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmrStep(FollowedStep):
    """Runs a program on an EMR cluster: an existing one, or one created for the step; the other is None.

    `cluster_config` is RunJobFlow's request without the members that the step sets; `step_config` is an EMR
    StepConfig.
    """

    type_: ClassVar[str] = "EMR"

    cluster_id: Expression | None
    cluster_config: Expression | None
    step_config: Expression
    role: Expression | None = None


def _read(node: Node) -> Iterator[Step]:
    inner = node.object("Arguments") or Node({}, node.where, [])
    _check_clusters(inner)
    _check_step_config(inner)
    yield EmrStep(
        **read_shared(node),
        cluster_id=inner.text_expression("ClusterId") if inner.has("ClusterId") else None,
        cluster_config=inner.expression("ClusterConfig") if inner.has("ClusterConfig") else None,
        step_config=inner.expression("StepConfig", required=False),
        role=inner.text_expression("ExecutionRoleArn") if inner.has("ExecutionRoleArn") else None,
        retries=read_retries(node, RETRIED_ALWAYS),
        cache=read_cache(node),
    )
    inner.close()


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


def _expressions(step: EmrStep) -> Iterable[Expression]:
    given = (step.cluster_id, step.cluster_config, step.step_config, step.role)
    return (each for each in given if each is not None)


KIND = Kind(
    step=EmrStep,
    read=_read,
    expressions=_expressions,
    offers=lambda _step, path: PROPERTIES.has(path),
    properties=PROPERTIES,
)
