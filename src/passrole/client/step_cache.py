"""Why a step took the result of an earlier execution over, or ran."""

from botocore.exceptions import ClientError

from passrole.client.connection import Answer, Connection
from passrole.client.errors import InvalidInput

_UNKNOWN = ("ResourceNotFound", "ValidationException")


def explained(connection: Connection, execution: str, step: str) -> Answer:
    """The answer of ExplainStepCache; `execution` is an ARN. Raises InvalidInput, ClientError."""
    asked = {"PipelineExecutionArn": execution, "StepName": step}
    try:
        return connection.ask("ExplainStepCache", asked)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _UNKNOWN:
            raise
        raise InvalidInput(error.response["Error"]["Message"]) from error
