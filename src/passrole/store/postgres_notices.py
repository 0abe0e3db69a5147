"""Notices between the processes of one PostgreSQL database.

A commit that has a NOTIFY takes a lock of which PostgreSQL has one (docs/decisions/0018-queue.md). So the
store hands over the notices of its commits afterwards, and a connection of their own sends as many as there
are in one statement. Another one listens. A notice is lost where a process dies between, or a connection is
cut: nobody relies on one (interface.Tx.notify), and what was not sent is not kept.

A notice on a channel of tasks wakes up who takes those of its shard: the rest of its key is for its own
process (tasks.py), and is left out.
https://www.postgresql.org/docs/current/sql-notify.html
"""

import contextlib
import json
import logging
import queue
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import psycopg

from passrole.store import tasks
from passrole.store.interface import OWN, Notice

log = logging.getLogger(__name__)

CHANNEL = "passrole_notices"
PAYLOAD_BYTES_MAX = 7_900
"""PostgreSQL takes less than 8,000."""

WAITING_MAX = 100_000
"""Notices that wait to be sent, as while the connection is cut; further ones are not sent."""

_RETRY_SECONDS = 1.0
_LOOK_SECONDS = 5.0
_END = None

Connect = Callable[[], "psycopg.Connection[Any]"]


class Notices:
    """Sends this process's notices and hears those of others, from the start until `close`."""

    def __init__(self, connect: Connect, hear: Callable[[list[Notice]], None]) -> None:
        """`hear` is called in a thread. Raises ConnectionError."""
        self._connect = connect
        self._hear = hear
        self._sender = uuid.uuid4().hex
        self._waiting: queue.Queue[Notice | None] = queue.Queue(WAITING_MAX)
        self._closed = threading.Event()
        listening = self._listening()  # before the first read: what is committed after that is heard of
        self._threads = [
            threading.Thread(target=self._send, name="passrole-notices", daemon=True),
            threading.Thread(target=self._listen, args=(listening,), name="passrole-listener", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def send(self, notices: Iterable[Notice]) -> None:
        """Have them sent; returns at once."""
        with contextlib.suppress(queue.Full):
            for notice in notices:
                if not notice.channel.startswith(OWN):
                    self._waiting.put_nowait(notice)

    def close(self, patience_seconds: float | None = None) -> bool:
        """Send what waits, and end the threads; whether they have ended, in so long each."""
        if not self._closed.is_set():
            self._closed.set()
            self._waiting.put(_END)
        for thread in self._threads:
            thread.join(patience_seconds)
        return not any(thread.is_alive() for thread in self._threads)

    def _send(self) -> None:
        connection: psycopg.Connection[Any] | None = None
        while (first := self._waiting.get()) is not _END:
            together = [first, *self._further()]
            try:
                connection = connection or self._connect()
                _notify(connection, list(payloads(self._sender, together)))
            except (psycopg.Error, ConnectionError) as error:
                log.warning("%d notices were not sent: %s", len(together), error)
                if connection is not None:
                    connection.close()
                connection = None
                self._closed.wait(_RETRY_SECONDS)
        with contextlib.suppress(psycopg.Error, ConnectionError):
            connection = connection or self._connect()
            _notify(connection, [self._sender])  # wakes up this process's own listener
            connection.close()

    def _further(self) -> Iterator[Notice]:
        """Those that wait too; an end that is among them is put back."""
        while True:
            try:
                notice = self._waiting.get_nowait()
            except queue.Empty:
                return
            if notice is _END:
                self._waiting.put(_END)
                return
            yield notice

    def _listening(self) -> "psycopg.Connection[Any]":
        connection = self._connect()
        connection.execute(f"LISTEN {CHANNEL}".encode())
        return connection

    def _listen(self, connection: "psycopg.Connection[Any] | None") -> None:
        while not self._closed.is_set():
            try:
                connection = connection or self._listening()
                for told in connection.notifies(timeout=_LOOK_SECONDS):
                    self._heard(told.payload)
                    if self._closed.is_set():
                        break
            except (psycopg.Error, ConnectionError) as error:
                log.warning("notices of other servers are not heard for the moment: %s", error)
                if connection is not None:
                    connection.close()
                connection = None
                self._closed.wait(_RETRY_SECONDS)
        if connection is not None:
            connection.close()

    def _heard(self, payload: str) -> None:
        sender, _, text = payload.partition("\n")
        if sender == self._sender or not text:
            return
        self._hear([Notice(channel, key) for channel, key in json.loads(text)])


def payloads(sender: str, notices: Iterable[Notice]) -> Iterator[str]:
    """The notices, each once, in as few payloads as hold them: the sender's name, and then a JSON array."""
    start = f"{sender}\n["
    text, size = "", len(start) + 1
    for notice in dict.fromkeys(map(_for_others, notices)):
        each = json.dumps(notice)  # in ASCII, so that a character is a byte
        if text and size + len(each) + 1 > PAYLOAD_BYTES_MAX:
            yield f"{start}{text}]"
            text, size = "", len(start) + 1
        text, size = (f"{text},{each}" if text else each), size + len(each) + 1
    if text:
        yield f"{start}{text}]"


def _for_others(notice: Notice) -> Notice:
    channel, key = notice
    return Notice(channel, tasks.announced_shard(key)) if tasks.is_channel(channel) else notice


def _notify(connection: "psycopg.Connection[Any]", texts: list[str]) -> None:
    connection.execute("SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) AS payload", (CHANNEL, texts))
