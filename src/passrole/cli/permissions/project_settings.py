"""`[tool.passrole]` of the nearest pyproject.toml: defaults for the options of `check` and `policy lint`.

An option on the command line comes first. Files are relative to the folder of pyproject.toml.
"""

import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import click

from passrole.cli.errors import Misuse

TABLE: Final = "tool.passrole"

_TABLES: Final = ("per-file-ignores", "levels", "parameters")
_OTHERS: Final = ("testing",)  # read by others


def _files(value: Any, folder: Path) -> list[str]:
    return [str(folder / each) for each in _texts(value, folder)]


def _texts(value: Any, _folder: Path) -> list[str]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise ValueError("takes a text or a list of texts")
    return listed


def _file(value: Any, folder: Path) -> str:
    return str(folder / _text(value, folder))


def _text(value: Any, _folder: Path) -> str:
    if not isinstance(value, str):
        raise ValueError("takes a text")
    return value


def _flag(value: Any, _folder: Path) -> bool:
    if not isinstance(value, bool):
        raise ValueError("takes true or false")
    return value


_KEYS: Final[Mapping[str, tuple[str, Callable[[Any, Path], Any]]]] = {
    "policy": ("policies", _files),
    "boundary": ("boundary", _file),
    "trust": ("trust", _file),
    "caller": ("caller", _file),
    "job-role": ("job_roles", _files),
    "managed-version": ("managed_version", _text),
    "baseline": ("baseline", _file),
    "select": ("select", _texts),
    "ignore": ("ignore", _texts),
    "severity": ("severity", _text),
    "format": ("format_", _text),
    "exit-zero": ("exit_zero", _flag),
    "quiet": ("quiet", _flag),
}
"""By key: the parameter of the command, and how its value is read."""


def project() -> tuple[dict[str, Any], Path | None]:
    """The table of the nearest pyproject.toml that has one, upwards, and its file. Raises Misuse."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        if not file.is_file():
            continue
        try:
            found = tomllib.loads(file.read_text("utf-8")).get("tool", {}).get("passrole")
        except (OSError, ValueError, AttributeError) as error:
            raise Misuse(f"`{file}` cannot be read: {error}") from error
        if isinstance(found, dict):
            _refuse_strangers(found, file)
            return found, file
    return {}, None


class Configured(click.Command):
    """A command whose options have their defaults in the project's settings."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> click.Context:
        """As in click, with those defaults. Raises Misuse."""
        if not {"--help", "-h"} & set(args):
            extra.setdefault("default_map", self._defaults())
        return super().make_context(info_name, args, parent, **extra)

    def _defaults(self) -> dict[str, Any]:
        table, file = project()
        own = {parameter.name for parameter in self.params}
        defaults = {}
        for key, (name, read) in _KEYS.items():
            if key in table and name in own:
                try:
                    defaults[name] = read(table[key], file.parent if file else Path())
                except ValueError as error:
                    raise Misuse(f"`{key}` in [{TABLE}] of `{file}` {error}") from error
        return defaults


def tables() -> dict[str, dict[str, Any]]:
    """`per-file-ignores`, `levels` and `parameters`. Raises Misuse."""
    table, file = project()
    found: dict[str, dict[str, Any]] = {}
    for name in _TABLES:
        value = table.get(name, {})
        if not isinstance(value, dict):
            raise Misuse(f"`{name}` in [{TABLE}] of `{file}` is no table")
        found[name] = value
    found["per-file-ignores"] = {
        pattern: _reasons(pattern, reasons, file) for pattern, reasons in found["per-file-ignores"].items()
    }
    for code, level in found["levels"].items():
        if level not in ("error", "warning", "note"):
            raise Misuse(f"`{code}` in [{TABLE}.levels] of `{file}` is `{level}`; use error, warning or note")
    return found


def _reasons(pattern: str, value: Any, file: Path | None) -> dict[str, str]:
    """Reasons by code; a list has codes, each with its reason behind a colon where it has one."""
    if isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        parts = (each.partition(":") for each in value)
        return {code.strip(): reason.strip() for code, _, reason in parts}
    raise Misuse(
        f"`{pattern}` in [{TABLE}.per-file-ignores] of `{file}` takes a list of codes, or a table of codes"
        ' and their reasons: { PR101 = "why" }'
    )


def _refuse_strangers(table: Mapping[str, Any], file: Path) -> None:
    known = [*_KEYS, *_TABLES, *_OTHERS]
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            advice = f"; did you mean `{near[0]}`?" if near else f"; it takes {', '.join(known)}"
            raise Misuse(f"[{TABLE}] of `{file}` has an unknown key `{key}`{advice}")
