"""A server for the duration of a command: its messages to the user, and the signals that stop it."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from passrole.cli.options import say, say_where, warn
from passrole.client import connection
from passrole.client.connection import Connection
from passrole.config import Config


@contextmanager
def connected(config: Config) -> Iterator[Connection]:
    """The connection to the folder's server, if none runs, one is started for this block."""
    say_where(config)
    with connection.connected(config, say, warn, _leaving_on_sigterm) as found:
        yield found


@contextmanager
def _leaving_on_sigterm() -> Iterator[None]:
    """SIGTERM unwinds the stack, so that the server is stopped, instead of ending the process at once."""
    before = {number: signal.signal(number, _leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)
