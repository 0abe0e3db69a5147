"""Steps: described, listed, cancelled."""

from collections.abc import Sequence
from typing import Any

from passrole.services.context import Context
from passrole.services.emr import refusals, shapes
from passrole.services.emr.lifecycle import SIGKILL, SIGTERM, cancel
from passrole.services.emr.paging import page
from passrole.services.emr.records import EmrStep, cluster_keys, existing, find_step, steps_of, the_cluster
from passrole.services.operation import operation
from passrole.store import Tx

STEP_IDS_MAX = 10
CANCEL_MAX = 256
_SIGNALS = {"SEND_INTERRUPT": SIGTERM, "TERMINATE_PROCESS": SIGKILL}
_CANCELLABLE = ("PENDING", "RUNNING")


@operation("elasticmapreduce:DescribeStep", resource=the_cluster, keys=cluster_keys)
async def describe_step(ctx: Context, *, cluster_id: str, step_id: str) -> dict[str, Any]:
    """Everything about a step."""

    def find(tx: Tx) -> EmrStep:
        cluster = existing(tx, ctx, cluster_id)
        found = find_step(tx, cluster.key, step_id)
        if found is None:
            raise refusals.no_step(step_id)
        return found

    return {"Step": shapes.step(await ctx.store.read(find))}


@operation("elasticmapreduce:ListSteps", resource=the_cluster, keys=cluster_keys)
async def list_steps(
    ctx: Context,
    *,
    cluster_id: str,
    step_states: Sequence[str] = (),
    step_ids: Sequence[str] = (),
    marker: str | None = None,
) -> dict[str, Any]:
    """A cluster's steps, newest first."""
    if len(step_ids) > STEP_IDS_MAX:
        raise refusals.invalid_request(f"Step ids length must not exceed {STEP_IDS_MAX}.")

    def find(tx: Tx) -> list[EmrStep]:
        return steps_of(tx, existing(tx, ctx, cluster_id).key)

    wanted = [
        step
        for step in reversed(await ctx.store.read(find))
        if (not step_states or step.state in step_states) and (not step_ids or step.id in step_ids)
    ]
    return page("Steps", wanted, lambda step: step.id, shapes.summary, marker)


@operation("elasticmapreduce:CancelSteps", resource=the_cluster, keys=cluster_keys)
async def cancel_steps(
    ctx: Context,
    *,
    cluster_id: str,
    step_ids: Sequence[str],
    step_cancellation_option: str = "SEND_INTERRUPT",
) -> dict[str, Any]:
    """Ask steps to end; the answer says of each whether that was possible."""
    if len(step_ids) > CANCEL_MAX:
        raise refusals.invalid_request(f"Step ids length must not exceed {CANCEL_MAX}.")
    how = _SIGNALS[step_cancellation_option]

    def ask(tx: Tx) -> list[dict[str, str]]:
        cluster = existing(tx, ctx, cluster_id)
        steps = {step.id: step for step in steps_of(tx, cluster.key)}
        answers = []
        for each in dict.fromkeys(step_ids):
            step = steps.get(each)
            refused = _why_not(step)
            if refused is None and step is not None:
                cancel(tx, cluster, step, ctx.clock(), how)
                answers.append({"StepId": each, "Status": "SUBMITTED"})
            else:
                answers.append({"StepId": each, "Status": "FAILED", "Reason": refused or ""})
        return answers

    return {"CancelStepsInfoList": await ctx.store.write(ask)}


def _why_not(step: EmrStep | None) -> str | None:
    """Why a step cannot be cancelled; None where it can."""
    if step is None:
        return "Step does not exist."
    if step.state == "CANCEL_PENDING":
        return "Step is already pending cancellation."
    return None if step.state in _CANCELLABLE else f"Step is in state {step.state} and cannot be cancelled."
