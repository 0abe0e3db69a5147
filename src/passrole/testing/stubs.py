"""What stands for steps in tests: fixed results, or functions of a step's arguments."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from passrole.worker.effects import StubFailed

Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class StubFunctions:
    """The functions of a test by the names of their steps; they are asked from the server's thread."""

    def __init__(self) -> None:
        self._functions: dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {}

    def add(self, step: str, function: Answer) -> None:
        """Have the function stand for the step; it returns a stub."""
        self._functions[step] = function

    def clear(self) -> None:
        """No functions any more."""
        self._functions.clear()

    async def ask(self, step: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The stub that the function gives for the arguments. Raises StubFailed where it raises."""
        function = self._functions.get(step)
        if function is None:
            raise StubFailed(f"ClientError: no function stands for `{step}` any more.")
        try:
            return await asyncio.to_thread(function, arguments)
        except Exception as error:
            raise StubFailed(f"{type(error).__name__}: {error}") from error


def stub(
    *,
    properties: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
    outcome: bool | None = None,
    property_files: Mapping[str, Any] | None = None,
    error: str | None = None,
) -> dict[str, Any]:
    """The stub as the engine reads it."""
    given = {
        "Properties": properties,
        "Outputs": outputs,
        "Outcome": outcome,
        "PropertyFiles": property_files,
        "FailureReason": error,
    }
    return {name: value for name, value in given.items() if value is not None}
