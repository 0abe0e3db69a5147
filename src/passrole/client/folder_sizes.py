"""How much of the disk each part of a data folder takes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from passrole import trees

# By the beginning of a name in the data folder.
_PARTS: Final[Mapping[str, str]] = {
    "passrole.db": "database",
    "s3": "objects",
    "jobs": "jobs",
    "job-layers": "packages of jobs",
    "emr-serverless": "job runs",
    "emr": "clusters",
    "functions": "functions",
    "layers": "layers",
    "audit.jsonl": "audit trail",
    "server-of-": "logs of servers",
}
_REST = "rest"


def sizes(data: Path) -> dict[str, int]:
    """Bytes by part, without parts that are empty."""
    found = dict.fromkeys((*_PARTS.values(), _REST), 0)
    for entry in trees.entries(data):
        found[_part(entry.name)] += trees.bytes_in(entry)
    return {part: bytes_ for part, bytes_ in found.items() if bytes_}


def _part(name: str) -> str:
    return next((part for start, part in _PARTS.items() if name.startswith(start)), _REST)
