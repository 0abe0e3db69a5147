"""Programs that run under the user's interpreter need Python 3.8 and its library, and nothing of ours."""

import ast
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parents[2] / "src/passrole/runtimes/programs"
FILES = sorted(PROGRAMS.glob("*.py"))
OLDEST = (3, 8)
NEWER_THAN_THAT = {"graphlib", "tomllib", "zoneinfo"}
LIBRARY = sys.stdlib_module_names - NEWER_THAN_THAT
THE_USERS = {"script_mode.py": {"boto3"}}  # imported where they are needed, never on top


def imported(nodes: list[ast.stmt] | list[ast.AST]) -> set[str]:
    """The packages that some statements import."""
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("" if node.level else (node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_program_imports_the_library_alone(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert imported(tree.body) - LIBRARY == set()
    assert imported(list(ast.walk(tree))) - LIBRARY == THE_USERS.get(path.name, set())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_program_is_written_in_the_oldest_python(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=OLDEST)
