"""The audit trail of a data folder, read back: what was asked, by whom, and what was decided.

It judges nothing and asks no server: the file is enough, also of a server that has ended.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from passrole.cli.verbs import Misuse
from passrole.needs.need import PASSED_TO, Need

Entry = Mapping[str, Any]

# How the names begin of the sessions in which SageMaker runs the steps.
_SESSION = "sagemaker-pipeline-"
# A full trail is kept beside the present one.
_FILES = ("audit.jsonl.1", "audit.jsonl")


def entries(data: Path, fits: Callable[[bytes], bool]) -> Iterator[Entry]:
    """The calls whose lines fit, oldest first; a line that is still being written is left out. Raises Misuse.

    `fits` looks at the bytes, because most lines of a long trail are not worth parsing.
    """
    found = [data / name for name in _FILES if (data / name).is_file()]
    if not found:
        raise Misuse(
            f"`{data}` has no audit trail (`audit.jsonl`), which a server writes; name its folder with --data"
        )
    for file in found:
        yield from _entries(file, fits)


def allowed_to_roles(data: Path, since: float = 0, until: float | None = None) -> dict[str, list[Need]]:
    """By the name of each role, what its sessions of SageMaker were allowed; times in epoch seconds."""
    needs: dict[str, dict[Need, None]] = {}
    session = f"/{_SESSION}".encode()
    for entry in entries(data, lambda line: b":assumed-role/" in line and session in line):
        role = _role(entry.get("principal", ""))
        if role is None or entry["time"] < since or (until is not None and entry["time"] > until):
            continue
        for check in entry.get("checks", ()):
            if check["allowed"]:
                needs.setdefault(role, {})[_need(check)] = None
    return {role: list(found) for role, found in needs.items()}


def _entries(file: Path, fits: Callable[[bytes], bool]) -> Iterator[Entry]:
    try:
        with file.open("rb") as lines:
            for line in lines:
                if fits(line) and line.endswith(b"\n"):
                    yield _parsed(file, line)
    except OSError as error:
        raise Misuse(f"`{file}` cannot be read: {error.strerror}") from error


def _parsed(file: Path, line: bytes) -> Entry:
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise Misuse(f"`{file}` has a line that is no JSON: {line[:40]!r}") from error
    if not isinstance(entry, dict):
        raise Misuse(f"`{file}` has a line that is no entry of the trail: {line[:40]!r}")
    return entry


def _role(principal: str) -> str | None:
    """The role of a session of SageMaker's; None for everybody else."""
    kind, _, session = principal.rpartition(":")[2].partition("/")
    role, _, name = session.partition("/")
    return role if kind == "assumed-role" and name.startswith(_SESSION) else None


def _need(check: Mapping[str, Any]) -> Need:
    context = {PASSED_TO: check["passed_to"]} if "passed_to" in check else {}
    return Need(None, check["action"], check["resource"], "was asked for", context)
