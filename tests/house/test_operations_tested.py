"""Every supported operation is called by the tests of its own service.

It reads the tests' syntax: an attribute (`iam.get_role`), a text (`get_paginator("list_roles")`) or a text
with gaps (`f"tag_{noun}"`) counts as a call, if it stands in the folder of the service.
"""

import ast
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from passrole.api import table

SERVICES = Path(__file__).parents[1] / "services"
FOLDERS = {"lambda": "lambda_"}
OWN_SERVICE = "passrole"  # its operations are the command line's, and tested there
LETTERS_MIN = 4


def named_in(folder: Path) -> tuple[set[str], set[str]]:
    """Names, and names with gaps, in a folder's tests."""
    names, gaps = set[str](), set[str]()
    for path in folder.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                names.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                gaps.add("".join(_text(each) for each in node.values))
    return names, {each for each in gaps if len(each.replace("*", "")) >= LETTERS_MIN}


def _text(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else "*"


@pytest.mark.parametrize("service", sorted({service for service, _ in table.operations()} - {OWN_SERVICE}))
def test_every_operation_is_called(service: str) -> None:
    names, gaps = named_in(SERVICES / FOLDERS.get(service, service))
    untested = [
        operation
        for of, operation in table.operations()
        if of == service and operation not in names and not any(fnmatchcase(operation, gap) for gap in gaps)
    ]
    assert untested == []
