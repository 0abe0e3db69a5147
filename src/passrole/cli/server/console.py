"""`passrole console`: a link that signs its reader in to the console, once."""

import signal
import sys
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import click

from passrole.cli import completing
from passrole.cli.errors import Misuse, aws_errors_reported
from passrole.cli.options import data_option, examples, settings

if TYPE_CHECKING:
    from passrole.client.connection import Connection

_EXAMPLES = examples(
    "passrole console                    # opens the browser, as the administrator",
    "passrole console --role Approvers   # as a session of this role",
    "passrole console --print            # prints the link, for a browser elsewhere",
)


@click.command(epilog=_EXAMPLES)
@click.option(
    "--role",
    metavar="NAME",
    shell_complete=completing.roles,
    help="Be a session of this role, which must trust sagemaker.amazonaws.com.",
)
@click.option("--print", "prints", is_flag=True, help="Print the link instead of opening a browser.")
@data_option
def console(role: str | None, prints: bool, data: Path | None) -> None:
    """Open the pages for people in a browser.

    They show what runs, what waits for an answer, and why something was denied. The link signs in once,
    within a minute, as the administrator or as the role. The pages show and do what that principal may. The
    server must run with `passrole serve --console`; where none runs, one is started, and stops with Ctrl-C.
    """
    from passrole import server_file
    from passrole.cli.temporary_server import connected

    config = replace(settings(data=data), console=True, console_port=0)
    with connected(config) as connection, aws_errors_reported():
        pages = server_file.console(config)
        if pages is None:
            raise Misuse(
                f"the server at {connection.url} has no console; restart it with `passrole serve --console`"
            )
        link = _link(connection, pages, role)
        if prints or not _opened(link):
            click.echo(link)
        if connection.temporary:
            click.echo("The console stays until you press Ctrl-C.", err=True)
            _wait_for_interruption()


def _link(connection: "Connection", pages: str, role: str | None) -> str:
    asked = {} if role is None else {"RoleArn": connection.role_arn(role)}
    token = connection.ask("CreateConsoleSession", asked)["Token"]
    return f"{pages}/login?{urlencode({'token': token})}"


def _opened(link: str) -> bool:
    """Whether a browser with a window took it: one of the terminal would take our place."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    has_window = not isinstance(browser, webbrowser.GenericBrowser)
    return has_window and sys.stdout.isatty() and browser.open(link)


def _wait_for_interruption() -> None:
    signal.pause()
