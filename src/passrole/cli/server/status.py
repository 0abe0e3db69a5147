"""`passrole status`: whether a server runs, and what is in the data folder."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from passrole.cli.errors import aws_errors_reported
from passrole.cli.options import data_option, examples, format_option, settings
from passrole.log_format import escaped

if TYPE_CHECKING:
    from passrole.client.backlog import Backlog, Node
    from passrole.client.folder_state import FolderState

_EXAMPLES = examples(
    "passrole status",
    "passrole status --exit-status || passrole serve &",
    "passrole status --format json | jq .sizes",
)
NO_SERVER = 3
"""The exit code of --exit-status where no server runs, as of `pg_ctl status`."""

_SHOWN_MAX = 10
_LABEL_WIDTH = 19
_GO_ON = ("Executing", "Stopping")
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


@click.command(epilog=_EXAMPLES)
@click.option("--exit-status", is_flag=True, help="Exit with 3 if no server runs.")
@data_option
@format_option
@click.pass_context
def status(context: click.Context, exit_status: bool, data: Path | None, format_: str) -> None:
    """Show whether a server runs, what runs and waits, and sizes.

    Without a server, reads the data folder: executions that were running when the server stopped are shown
    as running, and continue with the next server.
    """
    from passrole.client.connection import reading
    from passrole.client.folder_state import state_of

    config = settings(data=data)
    with reading(config) as connection, aws_errors_reported():
        found = state_of(config, connection)
    if format_ == "json":
        click.echo(json.dumps(as_json(found), indent=2))
    else:
        from passrole.cli.pipelines import tables

        width = tables.width()
        for label, value in _lines(found):
            for line in tables.labelled(label, value, width=width, label_width=_LABEL_WIDTH):
                click.echo(line)
    context.exit(NO_SERVER if exit_status and found.url is None else 0)


def as_json(found: "FolderState") -> dict[str, Any]:
    """One object, see docs/reference/cli.md."""
    from passrole.cli import aws_json
    from passrole.cli.pipelines.callbacks import as_json as callback_as_json

    now = time.time()
    return {
        "server": {
            "running": found.url is not None,
            "url": found.url,
            "pid": found.pid,
            "only": found.only,
        },
        "data": str(found.data),
        "database": found.database,
        "objects": found.objects,
        "account": found.account,
        "region": found.region,
        "sizes": {**found.sizes, "total": sum(found.sizes.values())},
        "pipelines": found.pipelines,
        "executions": dict(found.executions),
        "running": [json.loads(aws_json.line(each)) for each in found.running],
        "callbacks": [callback_as_json(each, now) for each in found.callbacks],
        "jobs": list(found.jobs),
        "clusters": list(found.clusters),
        "applications": list(found.applications),
        "job_runs": list(found.job_runs),
        "endpoints": list(found.endpoints),
        "queue": _queue_as_json(found.backlog),
        "nodes": [asdict(node) for node in found.backlog.nodes] if found.backlog else [],
    }


def _queue_as_json(backlog: "Backlog | None") -> dict[str, Any] | None:
    if backlog is None:
        return None
    kinds = {kind: depth._asdict() for kind, depth in backlog.kinds.items()}
    return {
        "ready": backlog.ready,
        "later": backlog.later,
        "lag_seconds": backlog.lag_seconds,
        "kinds": kinds,
    }


def bytes_for_people(size: float) -> str:
    """`12.3 MB`."""
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} {_UNITS[-1]}"


def _lines(found: "FolderState") -> Iterator[tuple[str, str]]:
    server = (
        f"runs at {found.url}, process {found.pid}" if found.url else "none runs; `passrole serve` starts one"
    )
    yield ("server", f"{server}, and has {found.only} alone" if found.only else server)
    yield ("data folder", escaped(str(found.data)))
    if found.database:
        yield ("database", escaped(found.database))
    if found.objects:
        yield ("objects", escaped(found.objects))
    for part, size in {"size": sum(found.sizes.values()), **found.sizes}.items():
        yield (part if part == "size" else f"  {part}", bytes_for_people(size))
    yield ("account", f"{found.account} in {found.region}")
    if found.only:
        return
    yield ("pipelines", str(found.pipelines))
    yield ("executions", _counts(found.executions))
    if found.backlog is not None:
        yield ("queue", _queue(found.backlog))
        yield from _listed("nodes", [_node(each) for each in found.backlog.nodes])
    hidden = sum(found.executions.get(each, 0) for each in _GO_ON) - len(found.running)
    is_served = found.url or (found.backlog and found.backlog.is_served)
    yield from _listed("runs" if is_served else "would run", _running(found), max(0, hidden))
    yield from _listed("waits", _waiting(found))


def _counts(executions: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {status}" for status, number in sorted(executions.items())) or "none"


def _queue(backlog: "Backlog") -> str:
    if not backlog.kinds:
        return "empty"
    kinds = ", ".join(f"{depth.ready} {kind}" for kind, depth in backlog.kinds.items() if depth.ready)
    ready = f"{backlog.ready} ready ({kinds})" if kinds else "none ready"
    return f"{ready}, {backlog.later} later, lag {backlog.lag_seconds:.1f} s"


def _node(node: "Node") -> str:
    has = ", ".join(f"{count} {kind}" for kind, count in node.claims.items())
    return f"{node.number} {escaped(node.name)}: {node.state}" + (f", has {has}" if has else "")


def _running(found: "FolderState") -> list[str]:
    from passrole.cli.pipelines.callbacks import age
    from passrole.client.execution_names import place

    now = time.time()
    executions = [
        f"{place(each['PipelineExecutionArn'])}, started {age(now - each['StartTime'].timestamp())} ago"
        for each in found.running
    ]
    others = (
        ("job", found.jobs),
        ("job run", found.job_runs),
        ("cluster", found.clusters),
        ("application", found.applications),
        ("endpoint", found.endpoints),
    )
    return [*executions, *(f"{kind} {name}" for kind, names in others for name in names)]


def _waiting(found: "FolderState") -> list[str]:
    from passrole.cli.pipelines.callbacks import columns

    now = time.time()
    rows = (columns(each, now) for each in found.callbacks)
    return [f"{place} for {age_}: passrole approve {token}" for token, age_, place, _ in rows]


def _listed(label: str, texts: list[str], hidden: int = 0) -> Iterator[tuple[str, str]]:
    """Some of the texts, and how many more there are, `hidden` ones among them."""
    for number, text in enumerate(texts[:_SHOWN_MAX]):
        yield ("" if number else label, text)
    if more := max(0, len(texts) - _SHOWN_MAX) + hidden:
        yield ("", f"and {more} more")
