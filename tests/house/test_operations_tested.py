"""Every supported operation is called by the tests of its own service.

It reads the tests' syntax. A method counts (`iam.get_role`). A text counts where it names what is called: in
`getattr` or `get_paginator`, or anywhere in a file that calls by a variable (`getattr(client, operation)`),
but for texts that are compared or looked up. A text with gaps (`getattr(iam, f"tag_{noun}")`) counts for the
operations whose gaps are filled by texts of the same file.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from passrole.api import table

SERVICES = Path(__file__).parents[1] / "services"
FOLDERS = {"emr-serverless": "emr_serverless", "lambda": "lambda_", "sagemaker-runtime": "sagemaker/hosting"}
OWN_SERVICE = "passrole"  # its operations are the command line's, and tested there
CALLERS = {"getattr": 1, "get_paginator": 0}  # and which of their arguments names what is called


def called(source: str, operations: set[str]) -> set[str]:
    """The operations that a file calls."""
    tree = ast.parse(source)
    names = [argument for node in ast.walk(tree) if (argument := _name_of_what_is_called(node))]
    texts = set(_texts(tree))
    found = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found |= {str(name.value) for name in names if isinstance(name, ast.Constant)}
    if any(not isinstance(name, ast.Constant | ast.JoinedStr) for name in names):
        found |= texts
    for name in names:
        if isinstance(name, ast.JoinedStr):
            found |= {operation for operation in operations if _is_filled(name, operation, texts)}
    return found & operations


def _name_of_what_is_called(node: ast.AST) -> ast.expr | None:
    if not isinstance(node, ast.Call):
        return None
    caller = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    place = CALLERS.get(caller)
    return None if place is None or len(node.args) <= place else node.args[place]


def _texts(node: ast.AST) -> Iterator[str]:
    """Of a file; not those that are compared or looked up."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    if isinstance(node, ast.Compare | ast.Subscript):
        return
    for child in ast.iter_child_nodes(node):
        yield from _texts(child)


def _is_filled(template: ast.JoinedStr, operation: str, texts: set[str]) -> bool:
    parts = [
        re.escape(str(part.value)) if isinstance(part, ast.Constant) else "(.+)" for part in template.values
    ]
    match = re.fullmatch("".join(parts), operation)
    return match is not None and set(match.groups()) <= texts


@pytest.mark.parametrize("service", sorted({service for service, _ in table.operations()} - {OWN_SERVICE}))
def test_every_operation_is_called(service: str) -> None:
    operations = {operation for of, operation in table.operations() if of == service}
    found = set[str]()
    for path in (SERVICES / FOLDERS.get(service, service)).rglob("test_*.py"):
        found |= called(path.read_text(), operations)
    assert operations - found == set()


COUNTS = [
    # a file of tests                                                    what it calls
    ("iam.get_role()",                                                   "get_role"),
    ("refusal(iam.get_role, RoleName='r')",                              "get_role"),
    ("iam.get_paginator('list_roles')",                                  "list_roles"),
    ("for name in ('get_role', 'list_roles'): getattr(iam, name)()",     "get_role list_roles"),
    ("for noun in ('role',): getattr(iam, f'get_{noun}')",               "get_role"),
    ("TABLE = ['get_role']",                                             ""),
    ("assert line['operation'] == 'get_role'; getattr(iam, name)",       ""),
    ("lines['get_role']; getattr(iam, name)",                            ""),
    ("getattr(iam, f'get_{noun}')",                                      ""),
    ("print(f'get_{noun}', 'role')",                                     ""),
]  # fmt: skip


@pytest.mark.parametrize("source, expected", COUNTS)
def test_a_text_counts_only_where_it_calls(source: str, expected: str) -> None:
    assert called(source, {"get_role", "list_roles"}) == set(expected.split())
