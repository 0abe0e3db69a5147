"""How long a client may take for a head, and be silent within a body."""

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from passrole.gateway import connections
from passrole.gateway.connections import HEAD_SECONDS_MAX, SILENT_SECONDS_MAX, Connection, sweep

BODY = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc"
LONG_BODY = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\n\r\n" + b"x" * 100_000
SAID = [
    # what came                          head is overdue   body is overdue
    (b"",                                True,             False),
    (b"GET / HT",                        True,             False),
    (b"GET / HTTP/1.1\r\nHost: h\r\n",   True,             False),
    (b"GET / HTTP/1.1\r\n\r\n",          False,            False),
    (b"GET / HTTP/1.1\r\n\r\nGET / H",   True,             False),
    (BODY,                               False,            True),
    (BODY + b"defghi",                   False,            False),
    (LONG_BODY,                          False,            False),  # the server reads no further
]  # fmt: skip


class Line(asyncio.Transport):
    """What a connection does to its client."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.writes = b"", 0
        self.was_aborted = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)
        self.writes += 1

    def abort(self) -> None:
        self.was_aborted = True

    def close(self) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def never(_scope: Any, _receive: Any, _send: Any) -> None:
    """An application that neither reads nor answers."""
    await asyncio.Event().wait()


def connection(line: Line, application: Any = never) -> Connection:
    config = uvicorn.Config(application, http=Connection, lifespan="off", ws="none")
    made = Connection(config=config, server_state=ServerState(), app_state={})
    made.connection_made(line)
    return made


async def answering(scope: Any, _receive: Any, send: Any) -> None:
    """An application whose answer has so many bytes as the path says, in pieces of 30,000."""
    left = int(scope["path"][1:])
    headers = [(b"content-length", str(left).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    while left > 0:
        piece = b"x" * min(left, 30_000)
        left -= len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": left > 0})


async def ended() -> None:
    await asyncio.sleep(0)  # what was written is sent in the loop's next turn
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


@pytest.mark.parametrize(("length", "writes"), [(1, 1), (29_000, 1), (200_000, 3)])
def test_an_answer_is_sent_at_once_or_in_large_pieces(length: int, writes: int) -> None:
    """A client has no head without its body, and nothing waits without a bound."""

    async def scenario() -> Line:
        line = Line()
        made = connection(line, answering)
        made.data_received(b"GET /%d HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" % length)
        while line.written.count(b"x") < length:  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0)
        await ended()
        return line

    line = asyncio.run(asyncio.wait_for(scenario(), 20))
    assert line.written.partition(b"\r\n\r\n")[2] == b"x" * length
    assert line.writes == writes


@pytest.mark.parametrize(("came", "head", "body"), SAID, ids=range(len(SAID)))
def test_who_is_overdue(came: bytes, head: bool, body: bool) -> None:
    async def scenario() -> tuple[bool, bool, bool]:
        made = connection(Line())
        if came:
            made.data_received(came)
        now = asyncio.get_running_loop().time()
        await ended()
        return (
            made.is_overdue(now),
            made.is_overdue(now + HEAD_SECONDS_MAX + 1),
            made.is_overdue(now + SILENT_SECONDS_MAX + 1),
        )

    assert asyncio.run(scenario()) == (False, head, head or body)


def test_the_overdue_are_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> tuple[bool, bool]:
        late, whole = Line(), Line()
        both = [connection(late), connection(whole)]
        both[0].data_received(b"GET / HT")
        both[1].data_received(b"GET / HTTP/1.1\r\n\r\n")
        sweeping = asyncio.create_task(sweep(both))
        while not late.was_aborted:  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0)
        sweeping.cancel()
        await ended()
        return late.was_aborted, whole.was_aborted

    monkeypatch.setattr(connections, "SWEEP_SECONDS", 0)
    monkeypatch.setattr(connections, "HEAD_SECONDS_MAX", -1)
    assert asyncio.run(scenario()) == (True, False)


def test_after_a_head_that_is_too_large_nothing_is_kept() -> None:
    async def scenario() -> bytes:
        line = Line()
        made = connection(line)
        made.data_received(b"GET / HTTP/1.1\r\nX: ")
        for _ in range(100):
            made.data_received(b"x" * connections.HEAD_BYTES_MAX)
        await ended()
        return line.written

    assert asyncio.run(scenario()).count(b"HTTP/1.1 4") == 1


def test_heads_behind_one_another_are_read_no_further_than_is_refused() -> None:
    async def scenario() -> tuple[bytes, int]:
        line = Line()
        made = connection(line)
        made.data_received(b"GET / HTTP/1.1\r\n\r\n" * 100_000)
        waiting = len(made.pipeline)
        await ended()
        return line.written, waiting

    written, waiting = asyncio.run(scenario())
    assert written.count(b"HTTP/1.1 4") == 1
    assert waiting == 0


def test_a_few_requests_behind_one_another_wait_their_turn() -> None:
    async def scenario() -> tuple[bytes, int]:
        line = Line()
        made = connection(line)
        made.data_received(b"GET / HTTP/1.1\r\n\r\n" * 20)
        waiting = len(made.pipeline)
        await ended()
        return line.written, waiting

    assert asyncio.run(scenario()) == (b"", 19)
