"""Callbacks that wait for an answer, answers by the name of the step, and who gave them."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from passrole import arns, history
from passrole.engine.facts import CallbackAnswered
from passrole.faults import Fault
from passrole.members import without_none
from passrole.services.context import Context
from passrole.services.operation import Parameters, operation
from passrole.services.sagemaker.callbacks import answer_of
from passrole.store import Tx

COMMENT_CHARACTERS_MAX = 1024
REASON_CHARACTERS_MAX = 256
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_SendPipelineExecutionStepFailure.html"""


def _execution(ctx: Context, parameters: Parameters) -> str:
    """The execution's ARN. Raises ValidationException for one of elsewhere."""
    arn = parameters["pipeline_execution_arn"]
    if not isinstance(arn, str) or not arn.startswith(arns.pipeline_prefix(ctx.region, ctx.account)):
        raise Fault("ValidationException", "PipelineExecutionArn must be of this account and region")
    return arn


@operation(None)
async def list_waiting_callbacks(
    ctx: Context, *, pipeline_execution_arn: str | None = None
) -> dict[str, Any]:
    """Callbacks of the region, or of one execution, that wait for an answer, oldest first, with what their
    messages carried.

    Those of executions whose steps the caller may not list are left out.
    """
    here = arns.pipeline_prefix(ctx.region, ctx.account)
    waiting = await ctx.store.read(history.waiting)
    executions = {
        callback.execution
        for callback in waiting
        if callback.execution.startswith(here) and pipeline_execution_arn in (None, callback.execution)
    }
    shown = {
        execution
        for execution in executions
        if await ctx.may("sagemaker", "ListPipelineExecutionSteps", {"PipelineExecutionArn": execution})
    }
    return {
        "Callbacks": [
            {
                "Token": callback.token,
                "PipelineExecutionArn": callback.execution,
                "StepName": callback.step,
                "AttemptCount": callback.attempt,
                "Issued": callback.issued,
                "QueueUrl": callback.queue_url,
                "Arguments": callback.arguments,
            }
            for callback in waiting
            if callback.execution in shown
        ]
    }


@operation("sagemaker:SendPipelineExecutionStepSuccess", resource=_execution)
async def approve_callback(
    ctx: Context,
    *,
    pipeline_execution_arn: str,
    step_name: str,
    attempt_count: int,
    output_parameters: Sequence[Mapping[str, str]] = (),
    comment: str = "",
) -> dict[str, Any]:
    """SendPipelineExecutionStepSuccess for people: they name the step, and may say why.

    Raises ResourceNotFound, ConflictException with the name of who was first, ValidationException.
    """
    _check_texts(comment, *(text for each in output_parameters for text in each.values()))
    answered = partial(answer_of, ctx, "success", outputs=output_parameters, comment=comment)
    return await _answer(ctx, pipeline_execution_arn, step_name, attempt_count, answered)


@operation("sagemaker:SendPipelineExecutionStepFailure", resource=_execution)
async def reject_callback(
    ctx: Context,
    *,
    pipeline_execution_arn: str,
    step_name: str,
    attempt_count: int,
    failure_reason: str | None = None,
    comment: str = "",
) -> dict[str, Any]:
    """SendPipelineExecutionStepFailure in the same way."""
    _check_texts(comment, failure_reason or "")
    if len(failure_reason or "") > REASON_CHARACTERS_MAX:
        raise Fault("ValidationException", f"FailureReason has {REASON_CHARACTERS_MAX} characters at most")
    answered = partial(answer_of, ctx, "failure", reason=failure_reason, comment=comment)
    return await _answer(ctx, pipeline_execution_arn, step_name, attempt_count, answered)


@operation("sagemaker:ListPipelineExecutionSteps", resource=_execution)
async def list_callback_answers(ctx: Context, *, pipeline_execution_arn: str) -> dict[str, Any]:
    """Who answered the callbacks of an execution, when, and what, in the order of the answers."""
    found = await ctx.store.read(lambda tx: history.answers(tx, pipeline_execution_arn))
    return {"Answers": [_shown(each) for each in found]}


async def _answer(
    ctx: Context, execution: str, step: object, attempt: object, answered: Any
) -> dict[str, Any]:
    if not isinstance(step, str) or isinstance(attempt, bool) or not isinstance(attempt, int):
        raise Fault("ValidationException", "StepName must be a text, and AttemptCount a number")

    def answer(tx: Tx) -> dict[str, Any]:
        callback = history.callbacks.of_step(tx, execution, step, attempt)
        if callback is None:
            raise Fault("ResourceNotFound", f"Step {step} of {execution} waits for no answer.")
        if not history.advance(tx, execution, answered(callback)):
            raise Fault("ConflictException", _why_not(tx, execution, step, attempt))
        return {"PipelineExecutionArn": execution}

    return await ctx.store.write(answer)


def _why_not(tx: Tx, execution: str, step: str, attempt: int) -> str:
    for each in history.answers(tx, execution):
        if (each.step, each.attempt) == (step, attempt):
            word = "approved" if each.outcome == "success" else "rejected"
            return f"Step {step} was {word} by {each.by or 'somebody'} already."
    return f"Step {step} does not wait for an answer any more."


def _shown(answer: CallbackAnswered) -> dict[str, Any]:
    return without_none(
        StepName=answer.step,
        AttemptCount=answer.attempt,
        Outcome=answer.outcome,
        Time=answer.at,
        By=answer.by or None,
        Comment=answer.comment or None,
        FailureReason=answer.reason,
        OutputParameters=[{"Name": each.name, "Value": each.value} for each in answer.outputs],
    )


def _check_texts(comment: object, *others: object) -> None:
    if not all(isinstance(text, str) for text in (comment, *others)):
        raise Fault("ValidationException", "outputs, reasons and comments must be texts")
    if len(str(comment)) > COMMENT_CHARACTERS_MAX:
        raise Fault("ValidationException", f"Comment has {COMMENT_CHARACTERS_MAX} characters at most")
