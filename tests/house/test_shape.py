"""The house keeps its shape: sizes, names, and docs that tell of everything there is."""

import ast
import builtins
import dataclasses
import keyword
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from botocore import xform_name
from botocore.session import Session

from passrole.api import table
from passrole.cli import main
from passrole.config import Config

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
DOCS = ROOT / "docs"
OWN_SERVICE = "passrole"
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "misc"}
TAKEN = set(keyword.kwlist) | set(dir(builtins))


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")


COMMANDS = list(_commands(main, "passrole"))
FUNCTIONS = [
    (path, node)
    for path in SOURCES
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_at_most_500_lines_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 500
    assert ast.get_docstring(ast.parse(text))


def test_a_file_of_tests_has_at_most_500_lines() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in (ROOT / "tests").rglob("*.py")}
    assert [str(path.relative_to(ROOT)) for path, length in lengths.items() if length > 500] == []


def test_no_function_has_more_than_60_lines() -> None:
    long = [(path.name, node.name, _body_lines(node)) for path, node in FUNCTIONS if _body_lines(node) > 60]
    assert long == []


def test_functions_over_30_lines_are_rare() -> None:
    over = sum(_body_lines(node) > 30 for _, node in FUNCTIONS)
    assert over / len(FUNCTIONS) < 0.03


def test_no_room_has_a_name_that_says_nothing() -> None:
    parts = {part for path in SOURCES for part in path.relative_to(ROOT).with_suffix("").parts}
    assert parts & FORBIDDEN_NAMES == set()


@pytest.mark.parametrize("service, name", sorted(table.operations()), ids=lambda part: str(part))
def test_a_handler_takes_what_the_service_description_lists(service: str, name: str) -> None:
    declared = table.operations()[service, name]
    if service == OWN_SERVICE:
        pytest.skip("passrole's own operations are in no service description")
    model = Session().get_service_model(service)
    described = {xform_name(operation): operation for operation in model.operation_names}
    assert name in described
    shape = model.operation_model(described[name]).input_shape
    members = {_mangled(xform_name(member)) for member in shape.members} if shape else set()
    assert declared.takes <= members
    assert declared.ignores <= members
    assert declared.keeps <= set(shape.members if shape else ())
    kept = {_mangled(xform_name(member)) for member in declared.keeps}
    required = {_mangled(xform_name(member)) for member in shape.required_members} if shape else set()
    assert required <= declared.takes | declared.ignores | kept


@pytest.mark.parametrize("service, name", sorted(table.operations()), ids=lambda part: str(part))
def test_every_operation_is_documented(service: str, name: str) -> None:
    if service == OWN_SERVICE:
        pytest.skip("the command line's page tells of these")
    page = (DOCS / "reference" / "parity.md").read_text().replace("_", "").lower()
    assert f"| {service}:{name}".replace("_", "").lower() in page


def test_the_parity_page_is_what_the_code_says_now() -> None:
    generator = runpy.run_path(str(DOCS / "generate_parity.py"))
    assert generator["page"]() == generator["PAGE"].read_text(), "run `make docs`"


@pytest.mark.parametrize("setting", [field.name for field in dataclasses.fields(Config)])
def test_every_setting_is_documented(setting: str) -> None:
    assert f"| `{setting}` |" in (DOCS / "reference" / "settings.md").read_text()


@pytest.mark.parametrize("path, command", COMMANDS, ids=lambda part: part if isinstance(part, str) else "")
def test_every_command_is_documented_with_each_of_its_options(path: str, command: click.Command) -> None:
    sections = (DOCS / "reference" / "cli.md").read_text().split("\n## ")
    (section,) = [each for each in sections if re.match(rf"`{path}(`| [^a-z])", each)]
    options = {option for parameter in command.params for option in parameter.opts if option[0] == "-"}
    documented = set(re.findall(r"(?<![\w-])--?[a-z][a-z0-9-]*", section))
    assert options - documented - {"--data", "--no-color"} == set()  # which the head of the page tells of


def _body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, without the docstring."""
    body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def _mangled(name: str) -> str:
    return f"{name}_" if name in TAKEN else name
