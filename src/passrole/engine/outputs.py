"""A step's outputs, made of what the outside answered.

In the API every value is a string; a value that is not one becomes its JSON text, nested values
included, and its declared type counts again when another step reads it (`resolve.py`).
"""

from collections.abc import Iterable

import orjson

from passrole.definition.expressions import Json
from passrole.definition.steps import OutputParameter
from passrole.engine.facts import Output

VALUE_MAX = 1024
"""Characters, as PipelineExecutionStepMetadata's OutputParameters allow."""


class UnusableResult(Exception):
    """The answer does not hold what the step declares; `reason` is the step's FailureReason."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = f"ClientError: {sentence}"


def of_payload(payload: str, declared: tuple[OutputParameter, ...]) -> tuple[Output, ...]:
    """The declared outputs out of a function's result; what is not declared is not looked at."""
    if not declared:
        return ()
    try:
        result: Json = orjson.loads(payload)
    except orjson.JSONDecodeError:
        result = None
    if not isinstance(result, dict):
        raise UnusableResult("The result of the Lambda function is not a JSON object.")
    return tuple(_output(each.name, result) for each in declared)


def as_metadata(outputs: Iterable[Output]) -> list[Json]:
    """The outputs as AWS's metadata list them."""
    return [{"Name": name, "Value": value} for name, value in outputs]


def _output(name: str, result: dict[str, Json]) -> Output:
    if name not in result:
        raise UnusableResult(f"The result of the Lambda function has no key '{name}'.")
    value = result[name]
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    if len(text) > VALUE_MAX:
        raise UnusableResult(f"Output '{name}' has {len(text)} characters, the maximum is {VALUE_MAX}.")
    return Output(name, text)
