"""Where a definition has what a need or a warning is about: the line, the column and the path inside it."""

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

from passrole.cli.documents import Path, Place, shown
from passrole.cli.documents.places import START
from passrole.cli.permissions.pipeline_files import PipelineFile
from passrole.needs import Definition, Need, RawStep
from passrole.needs.document import BRANCHES

_MEMBERS: Final = {
    "lambda": ("FunctionArn",),
    "sqs": ("SqsQueueUrl",),
    "elasticmapreduce": ("ClusterId", "ClusterConfig"),
}
"""The member of a step that names the resource, by the service of the action."""


class StepPlaces:
    """The places in the file of one definition; without a file only the paths are known."""

    def __init__(self, file: PipelineFile | None, definition: Definition) -> None:
        self._file = file
        self._definition = definition
        self._texts: dict[Path, list[tuple[Path, str]]] = {}

    def of_need(self, need: Need) -> tuple[Place, str]:
        """Where the definition names the need's resource; else its step."""
        step = self._definition.step(need.step) if need.step is not None else None
        if step is None:
            return self._at((), None)
        if step.path not in self._texts:
            self._texts[step.path] = list(_texts(step.members, ()))
        return self._at((*step.path, *_member(step, need, self._texts[step.path])), step.name)

    def of_step(self, name: str | None) -> tuple[Place, str]:
        """Where a step is; the start for the whole definition."""
        step = self._definition.step(name) if name is not None else None
        return self._at(step.path if step else (), name)

    def _at(self, path: Path, step: str | None) -> tuple[Place, str]:
        """A path's place. A program has it where it gives the step its name."""
        if self._file is None or self._file.document is None:
            program = self._file.program if self._file else None
            return START if program is None else _named_in(program, step), shown(path)
        whole = (*self._file.inside, *path)
        return self._file.document.place(whole), shown(whole)


def _member(step: RawStep, need: Need, texts: Sequence[tuple[Path, str]]) -> Path:
    for path, text in texts:
        if text == need.resource or _is_object(text, need.resource):
            return path
    service = need.action.partition(":")[0]
    return next(((name,) for name in _MEMBERS.get(service, ()) if name in step.members), ())


def _is_object(uri: str, arn: str) -> bool:
    """Whether the ARN is that of objects under `s3://bucket/key`."""
    return uri.startswith("s3://") and arn.partition(":::")[2].rstrip("*").rstrip("/") == uri[5:].rstrip("/")


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """All texts of a step, without those of the steps in its branches."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _texts(each, (*path, at))
    elif hasattr(value, "items"):
        for name, each in value.items():
            if not (path == ("Arguments",) and name in BRANCHES):
                yield from _texts(each, (*path, name))


def _named_in(program: str, step: str | None) -> Place:
    names = _names_in(program)
    return names.get(step or "", START)


@cache
def _names_in(program: str) -> dict[str, Place]:
    """The calls of a program by the text of their argument `name`, or any text by itself."""
    found: dict[str, Place] = {}
    texts: dict[str, Place] = {}
    try:
        nodes = list(ast.walk(ast.parse(program)))
    except (SyntaxError, ValueError):
        return {}
    for node in nodes:
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                    found.setdefault(str(keyword.value.value), _place(keyword.value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.setdefault(node.value, _place(node))
    return {**texts, **found}


def _place(node: ast.expr) -> Place:
    return Place(node.lineno, node.col_offset + 1)
