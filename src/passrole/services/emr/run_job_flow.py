"""RunJobFlow: a cluster, and the steps that it begins with."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from passrole import ids
from passrole.services.context import Context
from passrole.services.emr import refusals, status_events
from passrole.services.emr.add_job_flow_steps import add_steps
from passrole.services.emr.pass_role import every_cluster, passed, role_arn, role_in_profile
from passrole.services.emr.records import CHANNEL, CLUSTERS, SECURITY_CONFIGURATIONS, TAGS, Cluster
from passrole.services.operation import operation
from passrole.store import Tx

if TYPE_CHECKING:
    from mypy_boto3_emr.type_defs import (
        ApplicationTypeDef,
        AutoTerminationPolicyTypeDef,
        BootstrapActionConfigTypeDef,
        ConfigurationTypeDef,
        JobFlowInstancesConfigTypeDef,
        StepConfigTypeDef,
    )

CONCURRENCY_MAX = 256
IDLE_SECONDS = (60, 604_800)

WITHOUT_EFFECT = (
    "additional_info",
    "ami_version",
    "custom_ami_id",
    "ebs_root_volume_iops",
    "ebs_root_volume_size",
    "ebs_root_volume_throughput",
    "log_encryption_kms_key_id",
    "managed_scaling_policy",
    "new_supported_products",
    "os_release_label",
    "placement_group_configs",
    "repo_upgrade_on_boot",
    "scale_down_behavior",
    "supported_products",
    "visible_to_all_users",
)
"""What is about machines: there is one, and it is this one."""


@operation(
    "elasticmapreduce:RunJobFlow",
    resource=every_cluster,
    keys=TAGS.checked_request_keys,
    also=passed,
    ignores=WITHOUT_EFFECT,
)
async def run_job_flow(
    ctx: Context,
    *,
    name: str,
    instances: "JobFlowInstancesConfigTypeDef",
    log_uri: str | None = None,
    release_label: str | None = None,
    steps: "Sequence[StepConfigTypeDef]" = (),
    step_execution_role_arn: str | None = None,
    bootstrap_actions: "Sequence[BootstrapActionConfigTypeDef]" = (),
    applications: "Sequence[ApplicationTypeDef]" = (),
    configurations: "Sequence[ConfigurationTypeDef]" = (),
    job_flow_role: str | None = None,
    service_role: str | None = None,
    auto_scaling_role: str | None = None,
    tags: Sequence[Mapping[str, str]] = (),
    security_configuration: str | None = None,
    step_concurrency_level: int = 1,
    auto_termination_policy: "AutoTerminationPolicyTypeDef | None" = None,
) -> dict[str, Any]:
    """Create a cluster; it starts by itself."""
    _check(name, instances, release_label, step_concurrency_level, auto_termination_policy)
    asked = {
        "Instances": instances,
        "LogUri": log_uri,
        "ReleaseLabel": release_label,
        "Applications": list(applications),
        "Configurations": list(configurations),
        "JobFlowRole": job_flow_role,
        "ServiceRole": service_role,
        "AutoScalingRole": auto_scaling_role,
        "SecurityConfiguration": security_configuration,
    }

    new = Cluster(
        account=ctx.account,
        region=ctx.region,
        id=ids.cluster_id(),
        name=name,
        created=ctx.clock(),
        service_role="",
        instance_role="",
        instance=ids.instance_id(),
        request=ctx.request_id,
        asked={member: value for member, value in asked.items() if value not in (None, [])},
        keep_alive=bool(instances.get("KeepJobFlowAliveWhenNoSteps")),
        protected=bool(instances.get("TerminationProtected")),
        concurrency=step_concurrency_level,
        idle_seconds=(auto_termination_policy or {}).get("IdleTimeout"),
        step_role=step_execution_role_arn,
        bootstrap=list(bootstrap_actions),
        tags=TAGS.read(tags),
    )
    cluster = await ctx.store.write(lambda tx: _create(tx, ctx, new, steps))
    return {"JobFlowId": cluster.id, "ClusterArn": cluster.arn}


def _create(tx: Tx, ctx: Context, new: Cluster, steps: "Sequence[StepConfigTypeDef]") -> Cluster:
    """Store a cluster, now that its roles can be read, and its first steps."""
    again = _made_before(tx, ctx)
    if again is not None:
        return again
    cluster = replace(
        new,
        service_role=_service_role(tx, ctx, new.asked.get("ServiceRole")),
        instance_role=_instance_role(tx, ctx, new.asked.get("JobFlowRole")),
    )
    _check_security(tx, ctx, new.asked.get("SecurityConfiguration"))
    CLUSTERS.put(tx, cluster.key, cluster)
    status_events.emit_cluster(tx, cluster, cluster.created)
    add_steps(tx, ctx, cluster, steps, new.step_role)
    tx.notify(CHANNEL, cluster.key)
    return cluster


def _made_before(tx: Tx, ctx: Context) -> Cluster | None:
    """The cluster that this very call made: whoever repeats a call after a crash keeps its request id."""
    found = CLUSTERS.within(tx, *ctx.location)
    return next((cluster for _, cluster in found if cluster.request == ctx.request_id), None)


def _check(
    name: str,
    instances: "JobFlowInstancesConfigTypeDef",
    release_label: str | None,
    concurrency: int,
    auto_termination: "AutoTerminationPolicyTypeDef | None",
) -> None:
    if not name:
        raise refusals.invalid("The job flow name must not be empty.")
    if "InstanceGroups" in instances and "InstanceFleets" in instances:
        raise refusals.invalid("Instance groups and instance fleets are mutually exclusive.")
    if release_label is not None and not release_label.startswith("emr-"):
        raise refusals.invalid(f"The supplied release label is invalid: {release_label}.")
    if not 1 <= concurrency <= CONCURRENCY_MAX:
        raise refusals.invalid(f"The step concurrency level must be between 1 and {CONCURRENCY_MAX}.")
    low, high = IDLE_SECONDS
    if auto_termination and not low <= auto_termination.get("IdleTimeout", low) <= high:
        raise refusals.invalid(f"The idle timeout must be between {low} and {high} seconds.")


def _service_role(tx: Tx, ctx: Context, named: str | None) -> str:
    arn = role_arn(tx, ctx, named)
    if arn is None:
        raise refusals.invalid("ServiceRole is required for creating cluster.")
    return arn


def _instance_role(tx: Tx, ctx: Context, named: str | None) -> str:
    if not named:
        raise refusals.invalid("InstanceProfile is required for creating cluster.")
    arn = role_in_profile(tx, ctx, named)
    if arn is None:
        raise refusals.invalid(f"Invalid InstanceProfile: {named}.")
    return arn


def _check_security(tx: Tx, ctx: Context, named: str | None) -> None:
    if named is not None and SECURITY_CONFIGURATIONS.get(tx, ctx.key(named)) is None:
        raise refusals.invalid(f"Security configuration with name '{named}' does not exist.")
