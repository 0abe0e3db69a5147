"""Definitions for tests: a few lines instead of a whole document."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from passrole.definition import DefinitionError, parse

Document = dict[str, Any]


@pytest.fixture(scope="session")
def lambda_step() -> Callable[..., Document]:
    """A Lambda step by name, with further members."""

    def build(name: str, **members: Any) -> Document:
        return {"Name": name, "Type": "Lambda", "FunctionArn": f"arn:{name}", "Arguments": {}} | members

    return build


@pytest.fixture(scope="session")
def text_of() -> Callable[..., str]:
    """The JSON text of a definition with these steps."""

    def build(*steps: Document, **members: Any) -> str:
        return json.dumps({"Version": "2020-12-01", "Steps": steps} | members)

    return build


@pytest.fixture(scope="session")
def problems_of() -> Callable[[str], Sequence[str]]:
    """The messages of what is wrong with a definition, none where it is right."""

    def read(text: str) -> Sequence[str]:
        try:
            parse(text)
        except DefinitionError as error:
            return [problem.message for problem in error.problems]
        return []

    return read
