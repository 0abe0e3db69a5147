"""The audit trail: one JSON line a call in `audit.jsonl`, written once per turn of the event loop.

A line tells who, what, on which resource, the verdict and what decided it, and how long it took.
It holds no parameter values but the service that a role is passed to: nothing secret can come in. The file
is not synced to the disk: what a power cut may lose is the record of the last instant, never anything that
was acknowledged.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from passrole import private_files
from passrole.log_format import escaped_json
from passrole.policy.evaluate import Layer, Verdict

BYTES_MAX = 64 * 1024 * 1024


@dataclass(frozen=True)
class Check:
    """One permission that was asked for and the decision on it.

    `verdicts` is what each layer that was asked said, of denials alone; `passed_to` is the service that a
    role is handed to.
    """

    action: str
    resource: str
    allowed: bool
    layer: str | None
    policy: str | None
    statement: int | None
    near_misses: tuple[str, ...] = ()
    verdicts: Mapping[Layer, Verdict] | None = None
    passed_to: str | None = None


@dataclass(frozen=True)
class Entry:
    """One call. `code` is None where it succeeded, `time` in epoch seconds."""

    time: float
    request_id: str
    principal: str
    service: str
    operation: str
    region: str
    checks: tuple[Check, ...]
    code: str | None
    message: str | None
    duration_ms: float


class Audit:
    """Appends entries to a file, and starts a new one past BYTES_MAX (the last is kept as `.1`)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = private_files.open_to_append(path)
        self._waiting: list[Entry] = []

    def record(self, entry: Entry) -> None:
        """Take an entry; it is written before the loop's next turn."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self._waiting.append(entry)

    def flush(self) -> None:
        """Write what waits."""
        if not self._waiting or self._file.closed:
            return
        entries, self._waiting = self._waiting, []
        lines = b"".join(orjson.dumps(_line(entry)) + b"\n" for entry in entries)
        self._file.write(escaped_json(lines))
        self._file.flush()
        if self._file.tell() > BYTES_MAX:
            self._turn_over()

    def close(self) -> None:
        """Write what waits and close the file."""
        self.flush()
        self._file.close()

    def _turn_over(self) -> None:
        self._file.close()
        self._path.replace(self._path.with_suffix(".jsonl.1"))
        self._file = private_files.open_to_append(self._path)


def _line(entry: Entry) -> dict[str, Any]:
    line = _present(asdict(entry))
    line["checks"] = [_present(check) for check in line.get("checks", ())]
    return line


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None and value != ()}
