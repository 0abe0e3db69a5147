"""A group of commands, in the order in which it lists them, and what leaves it: a result or one line.

No exception leaves it as a traceback. An expected error has a class here or in `client`; the traceback of any
other is in a file.
"""

import sys
from collections.abc import Sequence
from typing import Any

import click

from passrole.cli import crash_report
from passrole.cli.errors import INTERRUPTED, Failed, Misuse, one_line
from passrole.client import InvalidInput, ServerUnavailable

# What click itself knows to end with: usage and exit codes, Ctrl-D, and a reader that went away.
_CLICKS_OWN = (click.ClickException, click.exceptions.Exit, click.Abort, EOFError, BrokenPipeError)


class Commands(click.Group):
    """A group that lists its commands in the order of a first day, and reports in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """As click's; any error but its own becomes one of ours."""
        try:
            return super().invoke(ctx)
        except _CLICKS_OWN:
            raise
        except InvalidInput as error:
            raise Misuse(str(error), _context_of(ctx)) from error
        except ServerUnavailable as error:
            raise Failed(str(error), _context_of(ctx)) from error
        except Exception as error:
            raise crash_report.written(error, _context_of(ctx)) from error

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """As click's, but an error is one line."""
        options = {"complete_var": complete_var, "windows_expand_args": windows_expand_args, **extra}
        if not standalone_mode:
            return super().main(args, prog_name, standalone_mode=False, **options)
        try:
            code = super().main(args, prog_name, standalone_mode=False, **options)
        except click.ClickException as error:
            click.echo(one_line(error), err=True)
            code = error.exit_code
        except click.Abort:
            code = INTERRUPTED
        sys.exit(code)


def _context_of(group: click.Context) -> click.Context:
    """The context of the command that the group was running, which names it in messages."""
    return click.Context(group.command, parent=group, info_name=group.invoked_subcommand)
