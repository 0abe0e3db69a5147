"""AddJobFlowSteps, and the steps in RunJobFlow."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from passrole import ids
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.emr import refusals, status_events
from passrole.services.emr.lifecycle import notify
from passrole.services.emr.records import (
    ACCEPTING,
    STEPS,
    Cluster,
    EmrStep,
    active_steps,
    cluster_keys,
    job_flow,
    put_step,
    steps_of,
    the_cluster,
)
from passrole.services.emr.security import allows_step_roles
from passrole.services.operation import Parameters, operation
from passrole.store import Tx

if TYPE_CHECKING:
    from mypy_boto3_emr.type_defs import KeyValueTypeDef, StepConfigTypeDef

STEPS_MAX = 256
CHARACTERS_MAX = 10_240
DEFAULT_ON_FAILURE, ALONGSIDE = "TERMINATE_CLUSTER", "CONTINUE"


async def _keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    keys = dict(await cluster_keys(ctx, parameters))
    if parameters.get("execution_role_arn"):
        keys["elasticmapreduce:ExecutionRoleArn"] = str(parameters["execution_role_arn"])
    return keys


@operation("elasticmapreduce:AddJobFlowSteps", resource=the_cluster, keys=_keys)
async def add_job_flow_steps(
    ctx: Context,
    *,
    job_flow_id: str,
    steps: "Sequence[StepConfigTypeDef]",
    execution_role_arn: str | None = None,
) -> dict[str, Any]:
    """Submit steps to a cluster that is not ending."""

    def add(tx: Tx) -> list[EmrStep]:
        cluster = job_flow(tx, ctx, job_flow_id)
        again = [step for step in steps_of(tx, cluster.key) if step.request == ctx.request_id]
        if again:  # whoever repeats a call after a crash keeps its request id
            return again
        if cluster.state not in ACCEPTING:
            raise refusals.over()
        if execution_role_arn is not None:
            _check_step_roles(tx, ctx, cluster)
        added = add_steps(tx, ctx, cluster, steps, execution_role_arn or cluster.step_role)
        notify(tx, cluster)
        return added

    return {"StepIds": [step.id for step in await ctx.store.write(add)]}


def add_steps(
    tx: Tx, ctx: Context, cluster: Cluster, configs: "Sequence[StepConfigTypeDef]", role: str | None
) -> list[EmrStep]:
    """Store steps as PENDING, in their order. Raises ValidationException."""
    if len(active_steps(tx, cluster.key)) + len(configs) > STEPS_MAX:
        raise refusals.invalid(
            "Maximum number of active steps(State = 'Running', 'Pending' or 'Cancel_Pending') for cluster"
            f" exceeded. Maximum: {STEPS_MAX}"
        )
    last = STEPS.children(tx, cluster.key, limit=1, descending=True)
    first = last[0][1].number + 1 if last else 1
    added = [_step(ctx, cluster, config, first + index, role) for index, config in enumerate(configs)]
    for step in added:
        put_step(tx, step)
        status_events.emit_step(tx, cluster, step, step.created)
    return added


def _check_step_roles(tx: Tx, ctx: Context, cluster: Cluster) -> None:
    named = cluster.asked.get("SecurityConfiguration")
    if named is None or not allows_step_roles(tx, ctx.key(str(named))):
        raise refusals.invalid(
            "ExecutionRoleArn needs a cluster whose security configuration has"
            " EnableApplicationScopedIAMRole set to true."
        )


def _step(
    ctx: Context, cluster: Cluster, config: "StepConfigTypeDef", number: int, role: str | None
) -> EmrStep:
    jar = config["HadoopJarStep"]
    args, properties = list(jar.get("Args") or ()), _properties(jar.get("Properties") or ())
    if sum(map(len, (jar["Jar"], jar.get("MainClass") or "", *args, *properties, *properties.values()))) > (
        CHARACTERS_MAX
    ):
        raise refusals.invalid(
            f"The total length of the strings of a step must not exceed {CHARACTERS_MAX} characters."
        )
    return EmrStep(
        cluster=cluster.key,
        id=ids.emr_step_id(),
        number=number,
        name=config["Name"],
        on_failure=_on_failure(cluster, config.get("ActionOnFailure")),
        created=ctx.clock(),
        jar=jar["Jar"],
        args=args,
        main_class=jar.get("MainClass"),
        properties=properties,
        role=role,
        request=ctx.request_id,
    )


def _on_failure(cluster: Cluster, given: str | None) -> str:
    """With several steps at once only CONTINUE is allowed, and is the default."""
    if cluster.concurrency == 1:
        return given or DEFAULT_ON_FAILURE
    if given not in (None, ALONGSIDE):
        raise refusals.invalid(
            f"ActionOnFailure {given} is not valid for a cluster whose StepConcurrencyLevel is greater"
            " than 1."
        )
    return ALONGSIDE


def _properties(pairs: "Sequence[KeyValueTypeDef]") -> dict[str, str]:
    return {pair["Key"]: pair.get("Value", "") for pair in pairs if "Key" in pair}
