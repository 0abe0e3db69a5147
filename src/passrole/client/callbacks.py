"""Waiting callbacks: listing them, and sending a success or a failure for one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from passrole.definition import CallbackStep, parse_stored
from passrole.definition.parameters import read_typed
from passrole.definition.steps import OutputParameter
from passrole.engine.outputs import VALUE_MAX

if TYPE_CHECKING:
    from passrole.client.connection import Connection

REASON_CHARACTERS_MAX = 256

TYPES: Final[Mapping[str, str]] = {
    "Boolean": "true or false",
    "Float": "a number",
    "Integer": "an integer",
    "String": "a text",
}
"""The types of outputs in words."""


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


def declared_outputs(connection: "Connection", token: str) -> Mapping[str, OutputParameter]:
    """The outputs by name that the step of a waiting callback declares; none where nothing waits.

    Raises ClientError.
    """
    waiting = next((each for each in waiting_callbacks(connection) if each.token == token), None)
    if waiting is None:
        return {}
    described = connection.client("sagemaker").describe_pipeline_definition_for_execution(
        PipelineExecutionArn=waiting.execution
    )
    step = parse_stored(described["PipelineDefinition"]).find(waiting.step)
    return {each.name: each for each in step.outputs} if isinstance(step, CallbackStep) else {}


def unusable_output(declared: OutputParameter, value: str) -> str | None:
    """Why a value cannot be the output; None if it can. The server takes any text, and a later step fails."""
    if len(value) > VALUE_MAX:
        return f"an output has at most {VALUE_MAX} characters"
    if read_typed(declared.type_, value) is None:
        return f"`{value}` is not {TYPES[declared.type_]}" if value else f"give {TYPES[declared.type_]}"
    return None
