"""The files that arguments name: files, FILE:NAME, globs, folders, and `-` for standard input."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from passrole.cli.errors import Misuse
from passrole.cli.permissions.named_file import STANDARD_INPUT, NamedFile, named_file

_WILDCARDS: Final = frozenset("*?[")
_SKIPPED: Final = frozenset({"node_modules", "cdk.out", "__pycache__"})
_BYTES_MAX: Final = 8 * 1024 * 1024  # of a file that is looked into, in a folder

Wanted = Callable[[Any], bool]
"""Whether the value of a JSON file is one that a folder's files are searched for."""


def given_files(arguments: Iterable[str], wanted: Wanted, noun: str, else_: str = "") -> list[NamedFile]:
    """Each file once, in the order of the arguments. Raises Misuse, whose message ends with `else_`."""
    found = [file for argument in arguments for file in _files(argument, wanted, noun, else_)]
    if sum(str(file.path) == STANDARD_INPUT for file in found) > 1:
        raise Misuse("standard input can be read once; give `-` once")
    return list(dict.fromkeys(found))


def is_definition(value: Any) -> bool:
    """Whether it is a pipeline's definition, or what DescribePipeline answers."""
    if not isinstance(value, dict):
        return False
    steps = value.get("Steps")
    return isinstance(value.get("PipelineDefinition"), str) or (
        isinstance(steps, list)
        and all(isinstance(each, dict) and {"Name", "Type"} <= each.keys() for each in steps)
    )


def is_policy(value: Any) -> bool:
    """Whether it is a policy document."""
    return isinstance(value, dict) and "Statement" in value


def _files(argument: str, wanted: Wanted, noun: str, else_: str) -> Iterator[NamedFile]:
    found = named_file(argument)
    if found is not None:
        yield found
        return
    path = Path(argument)
    if path.is_dir():
        matched = [each for each in _below(path) if wanted(_value(each))]
        problem = f"the folder `{argument}` has no {noun}{else_}"
    elif _WILDCARDS & set(argument):
        root = Path(path.anchor) if path.is_absolute() else Path()
        pattern = str(path.relative_to(root)) if path.is_absolute() else argument
        matched = sorted(each for each in root.glob(pattern) if each.is_file())
        problem = f"no file matches `{argument}`"
    else:
        raise Misuse(f"there is no file `{argument}`{else_}")
    if not matched:
        raise Misuse(problem)
    yield from map(NamedFile, matched)


def _below(folder: Path) -> Iterator[Path]:
    """The JSON files of a folder and its folders, without hidden ones and those of tools."""
    for each in sorted(folder.iterdir()):
        if each.name.startswith(".") or each.name in _SKIPPED:
            continue
        if each.is_dir() and not each.is_symlink():
            yield from _below(each)
        elif each.suffix == ".json" and each.is_file():
            yield each


def _value(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8")) if file.stat().st_size <= _BYTES_MAX else None
    except (OSError, ValueError, RecursionError):
        return None
