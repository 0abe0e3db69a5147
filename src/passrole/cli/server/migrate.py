"""`passrole migrate`: from a data folder's database to PostgreSQL, and back."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from passrole.cli.options import data_option, examples, format_option, say_where, settings

_EXAMPLES = examples(
    "PASSROLE_STORE=... passrole migrate --to",
    "passrole migrate --to postgresql://passrole@db.example/passrole --password",
    "passrole migrate --from 'postgresql://?service=passrole' --data restored",
)

_DATABASE: dict[str, Any] = {"metavar": "[URL]", "is_flag": False, "flag_value": ""}


@click.command(epilog=_EXAMPLES)
@click.option("--to", **_DATABASE, help="Copy the data folder's rows to this PostgreSQL database.")
@click.option("--from", "from_", **_DATABASE, help="Copy that database's rows to the data folder.")
@click.option("--password", "asks", is_flag=True, help="Ask for the database's password.")
@data_option
@format_option
def migrate(to: str | None, from_: str | None, asks: bool, data: Path | None, format_: str) -> None:
    """Copy the database to PostgreSQL, or back.

    Stop the servers first. The target must have no rows; it gets all of them, or none. Each table is counted
    and compared. The source is kept, a folder's as `passrole.db.until-TIME`, and so are all other files.

    Every user of the machine sees a password in URL. Without URL the database is that of PASSROLE_STORE.
    Else the password may come from --password, PGPASSWORD, ~/.pgpass (PGPASSFILE) or a service file.
    """
    from passrole.client.migration import to_folder, to_postgres

    if (to is None) == (from_ is None):
        raise click.UsageError("Give one of --to and --from.")
    config = settings(data=data)
    say_where(config)
    url = to or from_ or config.store
    if not url:
        raise click.UsageError("Which database? Give its URL, or set PASSROLE_STORE.")
    if asks:
        url = _with_password(url, click.prompt("The database's password", hide_input=True, err=True))
    copied = to_postgres(config, url) if from_ is None else to_folder(config, url)
    if format_ == "json":
        click.echo(json.dumps({"tables": [asdict(table) for table in copied]}))
        return
    for table in copied:
        click.echo(f"{table.table:<16} {table.rows:>10}  {table.digest[:12]}")
    total = sum(table.rows for table in copied)
    click.echo(f"copied {total} rows of {len(copied)} tables, and compared them")


def _with_password(url: str, password: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}password={quote(password, safe='')}"
