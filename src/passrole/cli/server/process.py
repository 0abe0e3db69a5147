"""Runs the user's command as if it had been started directly: its signals, its exit code.

Knows no server and no AWS.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from passrole.cli.errors import Failed

_FROM_THE_TERMINAL = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)


class NotFound(Failed):
    """No such command; the exit code is the shell's for it."""

    exit_code = 127


class NotExecutable(Failed):
    """The command exists and cannot be run; the exit code is the shell's for it."""

    exit_code = 126


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """The command's exit code, or 128 plus the signal's number, as in a shell. Raises Failed."""
    try:
        process = subprocess.Popen(command, env=dict(environment))  # noqa: S603 (the user's own command)
    except FileNotFoundError as error:
        raise NotFound(f"`{command[0]}`: command not found") from error
    except OSError as error:
        raise NotExecutable(f"`{command[0]}` cannot be run: {error.strerror}") from error
    with _forwarding(process):
        code = process.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _forwarding(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Forward every termination signal to the command, which decides.

    A terminal sends Ctrl-C to the whole foreground group, and so to the command already: passing it on
    would make it two.
    """
    twice = _FROM_THE_TERMINAL if sys.stdin is not None and sys.stdin.isatty() else ()

    def forward(number: int, _frame: FrameType | None) -> None:
        if number not in twice:
            process.send_signal(number)

    before = {
        number: signal.signal(number, forward)
        for number in (*_FROM_THE_TERMINAL, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
