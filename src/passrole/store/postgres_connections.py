"""Connections that can be hung up: whoever waits for an answer on one waits no longer.

A commit may take as long as a synchronous standby is away, and a statement as long as somebody holds a lock.
A server that is told to end does not wait for either.
https://www.postgresql.org/docs/current/warm-standby.html#SYNCHRONOUS-REPLICATION
"""

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]


class Connections:
    """Those of several threads."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._open: list[Connection] = []
        self._lock = threading.Lock()

    def open(self) -> Connection:
        """One more. Raises what `connect` raises."""
        connection = self._connect()
        with self._lock:
            self._open = [each for each in self._open if not each.closed] + [connection]
        return connection

    def hang_up(self) -> None:
        """All that are open are lost."""
        for each in self._open:
            hang_up(each)


def hang_up(connection: Connection) -> None:
    """It is lost, and whoever waits for an answer on it hears so at once."""
    with (
        contextlib.suppress(psycopg.OperationalError, OSError),  # it is closed, or was lost already
        socket.socket(fileno=os.dup(connection.pgconn.socket)) as its,
    ):
        its.shutdown(socket.SHUT_RDWR)
