"""Waiting callbacks: listing them, and sending a success or a failure for one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from passrole.client.connection import Connection


@dataclass(frozen=True)
class WaitingCallback:
    """A waiting callback; `issued` in seconds since the epoch."""

    token: str
    execution: str
    step: str
    issued: float
    queue_url: str
    arguments: Mapping[str, Any]


def waiting_callbacks(connection: "Connection") -> list[WaitingCallback]:
    """All waiting callbacks of the server, oldest first. Raises ClientError."""
    answer = connection.ask("ListWaitingCallbacks", {})
    return [
        WaitingCallback(
            token=each["Token"],
            execution=each["PipelineExecutionArn"],
            step=each["StepName"],
            issued=each["Issued"],
            queue_url=each["QueueUrl"],
            arguments=each["Arguments"],
        )
        for each in answer["Callbacks"]
    ]


def approve(connection: "Connection", token: str, outputs: Mapping[str, str]) -> str:
    """Send a success and return the execution's ARN. Raises ClientError."""
    given = [{"Name": name, "Value": value} for name, value in outputs.items()]
    answer = connection.client("sagemaker").send_pipeline_execution_step_success(
        CallbackToken=token, OutputParameters=given
    )
    return str(answer["PipelineExecutionArn"])


def reject(connection: "Connection", token: str, reason: str) -> str:
    """Send a failure and return the execution's ARN. Raises ClientError."""
    answer = connection.client("sagemaker").send_pipeline_execution_step_failure(
        CallbackToken=token, FailureReason=reason
    )
    return str(answer["PipelineExecutionArn"])


def declared_outputs(definition: Mapping[str, Any], step_name: str) -> list[str]:
    """The names of the outputs that a step of the definition declares."""
    return [
        str(output["OutputName"])
        for step in _every_step(definition.get("Steps", ()))
        if step.get("Name") == step_name
        for output in step.get("OutputParameters", ())
    ]


def _every_step(steps: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """All steps, also those in the branches of conditions."""
    for step in steps:
        yield step
        inner = step.get("Arguments")
        if step.get("Type") == "Condition" and isinstance(inner, Mapping):
            yield from _every_step(inner.get("IfSteps", ()))
            yield from _every_step(inner.get("ElseSteps", ()))
