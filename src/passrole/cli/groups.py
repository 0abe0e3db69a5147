"""A group of commands in the order of its list; every error is one line.

No exception leaves it as a traceback. An expected error has a class here or in `client`; the traceback of any
other is in a file.
"""

import sys
from collections.abc import Sequence
from typing import Any

import click

from passrole.cli import colour, crash_report
from passrole.cli.errors import INTERRUPTED, Failed, Misuse, one_line
from passrole.client import InvalidInput, ServerUnavailable

# click handles these itself: usage errors and exit codes, Ctrl-D, and a closed pipe.
_CLICKS_OWN = (click.ClickException, click.exceptions.Exit, click.Abort, EOFError, BrokenPipeError)


class Commands(click.Group):
    """A group that lists its commands in the order of their first use, and reports errors in one line."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.params.append(colour.option())

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """As in click; the command has --no-color, too."""
        super().add_command(cmd, name)
        if not isinstance(cmd, Commands):
            cmd.params.append(colour.option())

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """As in click, with what the environment says of colours."""
        color = parent.color if parent else colour.wanted()
        return super().make_context(info_name, args, parent, **{"color": color, **extra})

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """As in click; other exceptions become errors of this room."""
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
        """As in click, but an error is one line."""
        options = {"complete_var": complete_var, "windows_expand_args": windows_expand_args, **extra}
        if not standalone_mode:
            return super().main(args, prog_name, standalone_mode=False, **options)
        try:
            code = super().main(args, prog_name, standalone_mode=False, **options)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message())
            code = 0
        except click.ClickException as error:
            click.echo(one_line(error), err=True)
            code = error.exit_code
        except click.Abort:
            code = INTERRUPTED
        sys.exit(code)


def _context_of(group: click.Context) -> click.Context:
    """The context of the command that the group was running, which names it in messages."""
    return click.Context(group.command, parent=group, info_name=group.invoked_subcommand)
