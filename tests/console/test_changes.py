"""An open page hears of changes, and only of its own."""

import asyncio
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request
from tests.console.conftest import Console, Wait

from passrole.console import changes, sign_in
from passrole.console.changes import Hearing, Sessions


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


def test_streams_that_hear_nothing_beat_at_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "BEAT_SECONDS", 0.05)

    async def beats() -> None:
        hearing, woken = Hearing(Heard()), list[float]()  # type: ignore[arg-type]

        async def stream(number: int) -> None:
            await asyncio.sleep(number / 1_000)  # opened at different moments
            assert await hearing.wait() is False
            woken.append(asyncio.get_running_loop().time() // 0.05)

        began = asyncio.get_running_loop().time()
        await asyncio.sleep(0.0501 - began % 0.05)  # just behind a beat
        await asyncio.gather(*map(stream, range(10)))
        assert len(woken) == 10 and woken[-1] - woken[0] <= 1

    asyncio.run(beats())


def test_one_look_at_a_session_is_for_all_its_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    async def caller_of(request: object, _means: object) -> object:
        looks.append(request)
        return request

    monkeypatch.setattr(sign_in, "caller_of", caller_of)
    monkeypatch.setattr(sign_in, "cookie_name", lambda _: "c")

    async def asked() -> None:
        sessions = Sessions(None)  # type: ignore[arg-type]
        for cookie in ("a", "a", "b", "a", "b"):
            assert await sessions.lives(
                Request({"type": "http", "headers": [(b"cookie", f"c={cookie}".encode())]})
            )

    asyncio.run(asked())
    assert len(looks) == 2


def test_a_stream_ends_with_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "SESSION_SECONDS", 0.0)
    lives = True

    async def caller_of(_request: object, _means: object) -> object:
        return object() if lives else None

    monkeypatch.setattr(sign_in, "caller_of", caller_of)
    monkeypatch.setattr(sign_in, "cookie_name", lambda _: "c")

    async def streamed() -> list[str]:
        nonlocal lives
        monkeypatch.setattr(changes, "BEAT_SECONDS", 0.02)
        request, found = Request({"type": "http", "headers": []}), list[str]()
        hearing = Hearing(Heard())  # type: ignore[arg-type]
        async for each in changes._stream(request, Sessions(None), hearing, "*"):  # type: ignore[arg-type]
            found.append(each)
            lives = len(found) < 3
        assert hearing.streams == 0
        return found

    assert asyncio.run(streamed()) == ["retry: 2000\n\n", ": alive\n\n", ": alive\n\n"]


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
