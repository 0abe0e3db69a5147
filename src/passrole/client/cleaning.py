"""Removes what is over from a data folder: executions that ended long ago, and logs of ended servers."""

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from passrole import trees
from passrole.client import listing
from passrole.client.connection import Connection
from passrole.config import Config

_LOG = "server-of-"


@dataclass(frozen=True)
class Cleaned:
    """What goes: ARNs of executions, and files."""

    executions: list[str]
    files: list[Path]


def clean(
    config: Config, connection: Connection, before: float, pipelines: tuple[str, ...], *, dry_run: bool
) -> Cleaned:
    """Remove what ended `before`, in epoch seconds; of all pipelines if none is named. Raises ClientError.

    In a `dry_run` everything stays, and the answer is what would go.
    """
    found = listing.pipelines(connection.client("sagemaker"))
    wanted = pipelines or tuple(sorted(each["PipelineName"] for each in found))
    asked = {"EndedBefore": before, "DryRun": dry_run}
    removed = [
        str(arn)
        for name in wanted
        for arn in connection.ask("DeleteEndedExecutions", {**asked, "PipelineName": name})[
            "PipelineExecutionArns"
        ]
    ]
    logs = [path for path in trees.entries(config.data) if _is_left(path, before)]
    for path in () if dry_run else logs:
        trees.discard(path)
    return Cleaned(removed, logs)


def shrink(config: Config) -> None:
    """Give what the database does not need any more back to the disk; while no server runs.

    PostgreSQL does so by itself.
    """
    if config.store:
        return
    with closing(sqlite3.connect(config.data / "passrole.db")) as database:
        database.execute("VACUUM")


def _is_left(path: Path, before: float) -> bool:
    """Whether it is the log of a server that has ended."""
    pid = path.name.removeprefix(_LOG).removesuffix(".log")
    if not path.name.startswith(_LOG) or not pid.isdecimal():
        return False
    with suppress(OSError):
        return path.stat().st_mtime < before and not _runs(int(pid))
    return False


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
