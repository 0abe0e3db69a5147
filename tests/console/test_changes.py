"""An open page hears of changes, and only of its own."""

import asyncio
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from tests.console.conftest import Console, Wait

from passrole.console import changes
from passrole.console.changes import Hearing


class Heard:
    """A store that tells the listener what a test says."""

    def __init__(self) -> None:
        self.tell: Callable[[str], None] = print

    def listen(self, _channel: str, listener: Callable[[str], None]) -> Callable[[], None]:
        self.tell = listener
        return lambda: None


def test_what_is_known_of_changes_is_bounded_and_none_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "EXECUTIONS_MAX", 3)

    async def heard() -> None:
        store = Heard()
        hearing = Hearing(store)  # type: ignore[arg-type]
        hearing.streams = 1
        before = hearing.latest("watched")
        store.tell("arn/watched")
        assert hearing.latest("watched") != before
        seen = hearing.latest("watched")
        for number in range(10):
            store.tell(f"arn/{number}")
        assert len(hearing._latest) <= 3
        store.tell("arn/watched")
        assert hearing.latest("watched") != seen

    asyncio.run(heard())


def test_a_stream_tells_of_a_change_of_its_execution(console: Console, wait: Wait) -> None:
    watched, other = wait(), wait()
    browser = console.browser()
    at = urlsplit(console.url)
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    with socket.create_connection((at.hostname, at.port), timeout=30) as stream:
        stream.sendall(
            f"GET /events?of={watched.id} HTTP/1.1\r\nHost: {at.netloc}\r\nCookie: {cookie}\r\n\r\n".encode()
        )
        lines = stream.makefile("rb")
        while b"retry:" not in lines.readline():
            pass
        browser.post(f"/approvals/callbacks/{other.id}/Review/1", {"decision": "approve"})
        browser.post(f"/approvals/callbacks/{watched.id}/Review/1", {"decision": "approve"})
        seen = b""
        while b"data: changed" not in seen:
            seen += lines.readline()
        assert seen.count(b"data:") == 1
