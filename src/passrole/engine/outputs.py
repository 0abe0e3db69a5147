"""A step's outputs, made of what the outside answered.

An output that is declared and not returned does not fail its step: AWS's GeoSpatialPipeline declares one that
its functions never return, and Succeeded. Who refers to it fails.

In the API every value is a string; a value that is not one becomes its JSON text, nested values
included, and its declared type counts again when another step reads it (`resolve.py`).
"""

from collections.abc import Iterable

import orjson

from passrole import exact_json
from passrole.definition.expressions import Json
from passrole.definition.steps import OutputParameter
from passrole.engine.facts import Output

VALUE_MAX = 1024
"""Characters, as PipelineExecutionStepMetadata's OutputParameters allow."""


class UnusableResult(Exception):
    """An output cannot be what AWS allows; `reason` is the step's FailureReason."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = f"ClientError: {sentence}"


def of_payload(payload: str, declared: tuple[OutputParameter, ...]) -> tuple[Output, ...]:
    """The declared outputs that a function's result has; what is not declared is not looked at."""
    if not declared:
        return ()
    try:
        result: Json = exact_json.loads(payload)
    except orjson.JSONDecodeError:
        return ()
    if not isinstance(result, dict):
        return ()
    return tuple(_output(each.name, result[each.name]) for each in declared if each.name in result)


def as_metadata(outputs: Iterable[Output]) -> list[Json]:
    """The outputs as AWS's metadata list them."""
    return [{"Name": name, "Value": value} for name, value in outputs]


def _output(name: str, value: Json) -> Output:
    text = value if isinstance(value, str) else exact_json.dumps(value).decode()
    if len(text) > VALUE_MAX:
        raise UnusableResult(f"Output '{name}' has {len(text)} characters, the maximum is {VALUE_MAX}.")
    return Output(name, text)
