"""`passrole migrate`: from a data folder's database to PostgreSQL, and back."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from passrole.cli.options import data_option, examples, format_option, say_where, settings

_EXAMPLES = examples(
    "passrole migrate --to postgresql://passrole@db.example/passrole",
    "passrole migrate --from postgresql://passrole@db.example/passrole --data restored",
)


@click.command(epilog=_EXAMPLES)
@click.option("--to", metavar="URL", help="Copy the data folder's rows to this PostgreSQL database.")
@click.option("--from", "from_", metavar="URL", help="Copy that database's rows to the data folder.")
@data_option
@format_option
def migrate(to: str | None, from_: str | None, data: Path | None, format_: str) -> None:
    """Copy the database to PostgreSQL, or back.

    Stop the servers first. The target must have no rows; it gets all of them, or none. Each table is counted
    and compared. The source is kept, a folder's as `passrole.db.until-TIME`, and so are all other files.
    """
    from passrole.client.migration import to_folder, to_postgres

    url = to or from_
    if url is None or (to and from_):
        raise click.UsageError("Give one of --to and --from.")
    config = settings(data=data)
    say_where(config)
    copied = to_postgres(config, url) if to else to_folder(config, url)
    if format_ == "json":
        click.echo(json.dumps({"tables": [asdict(table) for table in copied]}))
        return
    for table in copied:
        click.echo(f"{table.table:<16} {table.rows:>10}  {table.digest[:12]}")
    total = sum(table.rows for table in copied)
    click.echo(f"copied {total} rows of {len(copied)} tables, and compared them")
