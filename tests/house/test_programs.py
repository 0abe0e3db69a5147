"""Programs that run under the user's interpreter need Python 3.8 and its library, and nothing of ours."""

import ast
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parents[2] / "src/passrole/runtimes/programs"
FILES = sorted(PROGRAMS.rglob("*.py"))
OLDEST = (3, 8)
NEWER_THAN_THAT = {"graphlib", "tomllib", "zoneinfo"}
LIBRARY = sys.stdlib_module_names - NEWER_THAN_THAT
# imported where they are needed, never on top: the user's packages, and a program's own parts
BELOW = {
    "script_mode.py": {"boto3"},
    "notebook_mode.py": {"papermill", "jupyter_client"},
    "xgboost_mode.py": {"xgboost_algorithm"},
    "serve_model.py": {"model_server"},
    "model_monitor.py": {"analysers"},
    "clarify.py": {"analysers"},
}


def imported(nodes: list[ast.stmt] | list[ast.AST], own: set[str]) -> set[str]:
    """The packages that some statements import; files beside this one are no package."""
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            name = (node.module or "").split(".")[0]
            beside = node.level == 1 and name in own
            names |= set() if beside else {"." * node.level + name}
    return names


def told(path: Path) -> str:
    return str(path.relative_to(PROGRAMS))


@pytest.mark.parametrize("path", FILES, ids=told)
def test_a_program_imports_the_library_alone(path: Path) -> None:
    tree = ast.parse(path.read_text())
    beside = {each.stem for each in path.parent.glob("*.py")} if path.parent != PROGRAMS else set()
    assert imported(tree.body, beside) - LIBRARY == set()
    assert imported(list(ast.walk(tree)), beside) - LIBRARY == BELOW.get(told(path), set())


@pytest.mark.parametrize("path", FILES, ids=told)
def test_a_program_is_written_in_the_oldest_python(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=OLDEST)
