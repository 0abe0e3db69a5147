"""What a step's attempts were asked to do, and what came of each."""

import asyncio
from typing import Any

from passrole import exact_json
from passrole.definition.expressions import Json
from passrole.faults import Fault
from passrole.history import step_attempts
from passrole.history.step_attempts import Attempt
from passrole.members import without_none
from passrole.services.context import Context
from passrole.services.operation import operation

DOCUMENT_BYTES_MAX = 65_536
"""Of arguments and of an answer. Of what is larger the beginning is shown, as a text."""


@operation(None)
async def list_step_attempts(ctx: Context, *, pipeline_execution_arn: str, step_name: str) -> dict[str, Any]:
    """The attempts of a step, the first one first: arguments as they were sent, the answer, how it ended.

    The caller must be allowed to see the definition and the steps of the execution. No callback token is in
    it. Raises ValidationException.
    """
    if not isinstance(step_name, str):
        raise Fault("ValidationException", "StepName must be a text")
    asked = {"PipelineExecutionArn": pipeline_execution_arn}
    await ctx.call("sagemaker", "DescribePipelineDefinitionForExecution", asked)
    await ctx.call("sagemaker", "ListPipelineExecutionSteps", {**asked, "MaxResults": 1})
    pipeline, rows = await ctx.store.read(lambda tx: step_attempts.rows(tx, pipeline_execution_arn))
    found = await asyncio.to_thread(step_attempts.attempts, pipeline, rows, step_name)
    return {"Attempts": [_shown(each) for each in found]}


def _shown(attempt: Attempt) -> dict[str, Any]:
    return without_none(
        AttemptCount=attempt.number,
        StartTime=attempt.began,
        EndTime=attempt.ended,
        Status=attempt.status,
        FailureReason=attempt.reason,
        RetryTime=attempt.retry_due,
        Sent=[{**each, "Arguments": _bounded(each["Arguments"])} for each in attempt.sent],
        Job=attempt.handle or None,
        Response=_bounded(attempt.received),
    )


def _bounded(document: Json) -> Json:
    """The document, or the beginning of its text."""
    text = exact_json.dumps(document)
    if len(text) <= DOCUMENT_BYTES_MAX:
        return document
    return text[:DOCUMENT_BYTES_MAX].decode(errors="ignore") + "…"
