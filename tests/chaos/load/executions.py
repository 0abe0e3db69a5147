"""Starts of executions, whichever pipeline's: what their clients have in common."""

from tests.chaos.caller import Caller
from tests.chaos.told import Told


def started(caller: Caller, pipeline: str, token: str) -> str:
    """The ARN of the execution with this token, asked for until it is told, and noted."""
    arn: str = caller.until_told(
        "sagemaker.start_pipeline_execution",
        PipelineName=pipeline,
        PipelineExecutionDisplayName=f"x{token}",
        ClientRequestToken=token,
    )["PipelineExecutionArn"]
    with caller.told.lock:
        caller.told.started[token].add(arn)
    return arn


def under_way(told: Told, pipeline: str) -> int:
    """How many executions of the pipeline are not known to be over."""
    return sum(f"/{pipeline}/" in arn for arn in told.open_executions())
