"""`passrole callbacks`: the callbacks that wait for an answer."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from passrole.cli import colour
from passrole.cli.errors import Failed, aws_errors_reported
from passrole.cli.options import data_option, examples, settings
from passrole.log_format import escaped

if TYPE_CHECKING:
    from passrole.client.callbacks import WaitingCallback


_EXAMPLES = examples(
    "passrole callbacks",
    "passrole approve TOKEN -o approved_by=ada",
)


@click.command(epilog=_EXAMPLES)
@data_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text for people, json for programs.",
)
def callbacks(data: Path | None, format_: str) -> None:
    """List the callbacks that wait for an answer, oldest first."""
    from passrole.client import callbacks as client_callbacks
    from passrole.client.connection import reading

    with reading(settings(data=data)) as connection, aws_errors_reported():
        waiting = client_callbacks.waiting_callbacks(connection)
    now = time.time()
    if format_ == "json":
        click.echo(json.dumps([as_json(each, now) for each in waiting], indent=2))
    elif not waiting:
        click.echo("no callback waits for an answer", err=True)
    elif _is_terminal():
        _print_table(waiting, now)
    else:
        for each in waiting:
            click.echo("  ".join(columns(each, now)))


@contextmanager
def answer_reported(token: str) -> Iterator[None]:
    """As `aws_errors_reported`; a token that no callback has is told in plain words."""
    from botocore.exceptions import ClientError

    with aws_errors_reported():
        try:
            yield
        except ClientError as error:
            details = error.response["Error"]
            is_malformed = (
                details["Code"] == "ValidationException" and "'callbackToken'" in details["Message"]
            )
            if is_malformed or details["Code"] == "ResourceNotFound":
                message = (
                    f"no callback `{token}` waits for an answer; `passrole callbacks` lists those that wait"
                )
                raise Failed(message) from error
            raise


def as_json(callback: "WaitingCallback", now: float) -> dict[str, object]:
    """One callback in the JSON list; `issued` in ISO 8601, UTC."""
    return {
        "token": callback.token,
        "step": callback.step,
        "execution": callback.execution,
        "issued": datetime.fromtimestamp(callback.issued, UTC).isoformat(timespec="milliseconds"),
        "age_seconds": round(now - callback.issued, 3),
        "queue_url": callback.queue_url,
        "arguments": callback.arguments,
    }


def columns(callback: "WaitingCallback", now: float) -> tuple[str, str, str, str]:
    """Token, age, `pipeline/execution/step`, arguments in JSON (last, because they may contain spaces)."""
    pipeline, _, execution = callback.execution.rpartition(":pipeline/")[2].partition("/execution/")
    place = f"{pipeline}/{execution}/{callback.step}"
    arguments = escaped(json.dumps(callback.arguments))
    return callback.token, age(now - callback.issued), escaped(place), arguments


def age(seconds: float) -> str:
    """The two largest units: `3d4h`, `5m12s`; under a minute `7s`."""
    total = max(0, int(seconds))
    parts = ((total // 86400, "d"), (total // 3600 % 24, "h"), (total // 60 % 60, "m"), (total % 60, "s"))
    first = next((index for index, (amount, _) in enumerate(parts) if amount), len(parts) - 1)
    return "".join(f"{amount}{unit}" for amount, unit in parts[first : first + 2])


def _is_terminal() -> bool:
    from passrole.cli.pipelines.screens import is_terminal

    return is_terminal()


def _print_table(waiting: Sequence["WaitingCallback"], now: float) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table("Token", "Age", "Step", "Arguments", box=box.SIMPLE)
    for each in waiting:
        table.add_row(*map(Text, columns(each, now)))  # Text: brackets in arguments are no markup
    colour.console().print(table)
