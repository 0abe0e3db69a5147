"""SendPipelineExecutionStepSuccess and -Failure: the one answer to a Callback step, by its token.

AWS documents "at most once per ClientRequestToken" and no more. Here a second answer is a
ConflictException, unless it is the first one sent again with the same ClientRequestToken.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from passrole import arns, history
from passrole.engine.facts import CallbackAnswered, Output
from passrole.faults import Fault
from passrole.history import Callback
from passrole.services.context import Context
from passrole.services.operation import Parameters, operation
from passrole.services.sagemaker.client_request_tokens import Request, once
from passrole.services.sagemaker.records import is_own
from passrole.store import Tx


async def _execution_of_token(ctx: Context, parameters: Parameters) -> str:
    """IAM authorises on the execution; a token that nobody issued belongs to any execution, so that only
    who may answer all of them learns that it does not exist.
    """
    callback = await ctx.store.read(lambda tx: _find(tx, ctx, parameters["callback_token"]))
    return callback.execution if callback else arns.execution(ctx.region, ctx.account, "*", "*")


@operation("sagemaker:SendPipelineExecutionStepSuccess", resource=_execution_of_token)
async def send_pipeline_execution_step_success(
    ctx: Context,
    *,
    callback_token: str,
    output_parameters: Sequence[Mapping[str, str]] = (),
    client_request_token: str | None = None,
) -> dict[str, Any]:
    """The step succeeded, with these outputs."""
    request = Request(callback_token, client_request_token, {"outputs": output_parameters})
    answered = partial(answer_of, ctx, "success", outputs=output_parameters)
    return await _answer(ctx, callback_token, request, answered)


@operation("sagemaker:SendPipelineExecutionStepFailure", resource=_execution_of_token)
async def send_pipeline_execution_step_failure(
    ctx: Context,
    *,
    callback_token: str,
    failure_reason: str | None = None,
    client_request_token: str | None = None,
) -> dict[str, Any]:
    """The step failed; the reason appears as it is given."""
    request = Request(callback_token, client_request_token, {"reason": failure_reason})
    answered = partial(answer_of, ctx, "failure", reason=failure_reason)
    return await _answer(ctx, callback_token, request, answered)


def answer_of(
    ctx: Context,
    outcome: Literal["success", "failure"],
    callback: Callback,
    *,
    outputs: Sequence[Mapping[str, str]] = (),
    reason: str | None = None,
    comment: str = "",
) -> CallbackAnswered:
    """The fact that the caller answers a callback; the journal keeps who it was."""
    return CallbackAnswered(
        at=ctx.clock(),
        step=callback.step,
        attempt=callback.attempt,
        outcome=outcome,
        outputs=tuple(Output(each["Name"], each["Value"]) for each in outputs),
        reason=reason,
        by=ctx.principal.arn,
        comment=comment,
    )


async def _answer(
    ctx: Context, token: str, request: Request, answered: Callable[[Callback], CallbackAnswered]
) -> dict[str, Any]:
    def answer(tx: Tx) -> dict[str, Any]:
        callback = _find(tx, ctx, token)
        if callback is None:
            raise Fault("ResourceNotFound", f"Callback token {token} does not exist.")
        if not history.advance(tx, callback.execution, answered(callback)):
            raise Fault("ConflictException", f"The step of callback token {token} is already complete.")
        return {"PipelineExecutionArn": callback.execution}

    return await ctx.store.write(lambda tx: once(tx, ctx, request, lambda: answer(tx)))


def _find(tx: Tx, ctx: Context, token: str) -> Callback | None:
    callback = history.callbacks.find(tx, token)
    return callback if callback and is_own(ctx, callback.execution) else None
