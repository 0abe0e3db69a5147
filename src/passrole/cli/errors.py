"""The format of every error: one line on standard error and an exit code.

0    done                      70   unexpected; the line names a file with the traceback
1    the run failed, or the server refused
2    misuse                    130  interrupted from the keyboard
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from passrole.log_format import escaped

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

INTERRUPTED = 130


class Failed(click.ClickException):
    """The command could not be carried out; exit code 1."""

    def __init__(self, message: str, context: click.Context | None = None) -> None:
        super().__init__(message)
        self.ctx = context or click.get_current_context(silent=True)


class Misuse(click.UsageError):
    """An option, a file or a setting cannot be used; exit code 2."""


def one_line(error: click.ClickException) -> str:
    """`passrole run: no such option '--datta'`; for wrong use also the help command."""
    context = error.ctx if isinstance(error, click.UsageError | Failed) else None
    name = context.command_path if context else "passrole"
    message = escaped(" ".join(error.format_message().split())).removesuffix(".")
    if isinstance(error, Failed | Misuse):
        return f"{name}: {message}"
    return f"{name}: {message[:1].lower()}{message[1:]} (see `{name} --help`)"  # click's own words


@contextmanager
def aws_errors_reported() -> Iterator[None]:
    """Errors of the server inside the block become Failed, with AWS's code and message."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise Failed(aws_message(error)) from error
    except BotoCoreError as error:
        raise Failed(f"the server does not answer: {error}") from error


def aws_message(error: "ClientError") -> str:
    """`Code: message`."""
    details = error.response["Error"]
    return f"{details.get('Code', 'Error')}: {details.get('Message', '')}"
