"""The Runtime API as bytes: what a runtime may send, whole or in pieces, right or wrong."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

import pytest
from tests.eventually import eventually_async

from passrole.runtimes.broker import STRANGER_BYTES_MAX, Broker, NextInvocation

T = TypeVar("T")
HEAD = b" HTTP/1.1\r\nHost: HOST\r\n"
NEXT = b"GET /PATH/2018-06-01/runtime/invocation/next" + HEAD + b"\r\n"
ANSWER = b"POST /PATH/2018-06-01/runtime/invocation/%b/response" + HEAD + b"content-LENGTH: %d\r\n\r\n%b"
HANDOUT = NextInvocation("r-1", "arn:f", 1234, b'{"a":1}')

REFUSED = [
    # what is sent while r-1 is out                                                     status
    (b"GET /PATH/2018-06-01/runtime/other" + HEAD + b"\r\n",                           b"404"),
    (b"GET /PATH/" + HEAD + b"\r\n",                                                   b"404"),
    (ANSWER % (b"r-2", 2, b"{}"),                                                       b"400"),
    (b"POST /PATH/2018-06-01/runtime/invocation/r-1/other" + HEAD + b"\r\n",           b"400"),
]  # fmt: skip

HUNG_UP = [
    b"nonsense\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"a" * 2_097_153,
]


STRANGERS = [
    NEXT.replace(b"/PATH", b""),
    NEXT.replace(b"PATH", b"path"),
    NEXT.replace(b"/PATH", b"/PATH" + b"x"),
    NEXT.replace(b"HOST", b"rebound.example:80"),
    NEXT.replace(b"Host: HOST\r\n", b""),
    (ANSWER % (b"r-1", 2, b"{}")).replace(b"/PATH", b""),
    b"POST /2018-06-01/runtime/init/error" + HEAD + b"content-length: 2\r\n\r\n{}",
    b"GET /" + HEAD + b"Origin: http://page.example\r\n\r\n",
]


class Heard:
    """A listener that writes down what it is told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, bytes | None]] = []

    def polled(self) -> None:
        self.said.append(("polled", b""))

    def answered(self, payload: bytes | None, *, failed: bool) -> None:
        self.said.append(("failed" if failed else "answered", payload))

    def failed_to_initialise(self, payload: bytes) -> None:
        self.said.append(("not initialised", payload))


class Sender(NamedTuple):
    """Sends to one broker, with its host and path where PATH and HOST stand."""

    address: str
    stream: asyncio.StreamWriter

    def spelled(self, text: bytes) -> bytes:
        host, _, path = self.address.encode().partition(b"/")
        return text.replace(b"HOST", host).replace(b"PATH", path)

    def write(self, text: bytes) -> None:
        self.stream.write(self.spelled(text))


Runtime = tuple[asyncio.StreamReader, Sender]


def test_an_invocation_goes_out_and_its_answer_comes_back() -> None:
    async def scenario(broker: Broker, heard: Heard, runtime: Runtime) -> None:
        reader, writer = runtime
        writer.write(NEXT)
        await eventually_async(lambda: bool(heard.said))
        broker.offer(HANDOUT)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"Lambda-Runtime-Aws-Request-Id: r-1\r\n" in head
        assert b"Lambda-Runtime-Deadline-Ms: 1234\r\n" in head
        assert b"Lambda-Runtime-Invoked-Function-Arn: arn:f\r\n" in head
        assert await reader.readexactly(7) == b'{"a":1}'
        writer.write(ANSWER % (b"r-1", 3, b"[1]"))
        assert (await reader.readline()).startswith(b"HTTP/1.1 202")
        assert heard.said == [("polled", b""), ("answered", b"[1]")]

    _run(scenario)


def test_what_is_offered_before_the_poll_waits_for_it() -> None:
    async def scenario(broker: Broker, _heard: Heard, runtime: Runtime) -> None:
        broker.offer(HANDOUT)
        assert not broker.is_out
        runtime[1].write(NEXT)
        assert (await runtime[0].readline()).startswith(b"HTTP/1.1 200")
        assert broker.is_out

    _run(scenario)


def test_a_request_may_come_byte_by_byte() -> None:
    async def scenario(broker: Broker, heard: Heard, runtime: Runtime) -> None:
        broker.offer(HANDOUT)
        for byte in runtime[1].spelled(NEXT + ANSWER % (b"r-1", 2, b"{}")):
            runtime[1].write(bytes([byte]))
            await runtime[1].stream.drain()
            await asyncio.sleep(0)
        await eventually_async(lambda: len(heard.said) == 2)
        assert heard.said[-1] == ("answered", b"{}")

    _run(scenario)


def test_a_body_over_the_limit_is_thrown_away_and_the_connection_goes_on() -> None:
    async def scenario(broker: Broker, heard: Heard, runtime: Runtime) -> None:
        broker.offer(HANDOUT)
        body = b"x" * 6_291_557
        runtime[1].write(NEXT + ANSWER % (b"r-1", len(body), body) + NEXT)
        await eventually_async(lambda: len(heard.said) == 3)
        assert heard.said[1:] == [("answered", None), ("polled", b"")]

    _run(scenario)


def test_a_runtime_that_asks_whether_to_send_its_body_is_told_to() -> None:
    async def scenario(_broker: Broker, heard: Heard, runtime: Runtime) -> None:
        runtime[1].write(b"POST /PATH/2018-06-01/runtime/init/error" + HEAD)
        runtime[1].write(b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert await runtime[0].readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        runtime[1].write(b"{}")
        assert (await runtime[0].readline()).startswith(b"HTTP/1.1 202")
        assert heard.said == [("not initialised", b"{}")]

    _run(scenario)


@pytest.mark.parametrize("request_, status", REFUSED)
def test_what_makes_no_sense_is_refused_and_answers_nothing(request_: bytes, status: bytes) -> None:
    async def scenario(broker: Broker, heard: Heard, runtime: Runtime) -> None:
        broker.offer(HANDOUT)
        runtime[1].write(NEXT)
        await runtime[0].readuntil(b'{"a":1}')
        runtime[1].write(request_)
        assert (await runtime[0].readline()).split()[1] == status
        assert [what for what, _ in heard.said] == ["polled"]
        assert broker.is_out

    _run(scenario)


@pytest.mark.parametrize("sent", HUNG_UP, ids=range(len(HUNG_UP)))
def test_what_is_not_http_ends_the_connection(sent: bytes) -> None:
    async def scenario(_broker: Broker, heard: Heard, runtime: Runtime) -> None:
        runtime[1].write(sent)
        with contextlib.suppress(ConnectionResetError):
            assert await runtime[0].read() == b""
        assert heard.said == []

    _run(scenario)


@pytest.mark.parametrize("sent", STRANGERS, ids=range(len(STRANGERS)))
def test_who_does_not_know_the_path_and_the_host_gets_and_answers_nothing(sent: bytes) -> None:
    async def scenario(broker: Broker, heard: Heard, runtime: Runtime) -> None:
        broker.offer(HANDOUT)
        runtime[1].write(sent)
        assert (await runtime[0].read()).startswith(b"HTTP/1.1 403 ")
        assert heard.said == []
        assert not broker.is_out

    _run(scenario)


def test_a_stranger_cannot_answer_the_invocation_that_is_out() -> None:
    async def scenario(broker: Broker, heard: Heard, runtime: Runtime) -> None:
        broker.offer(HANDOUT)
        runtime[1].write(NEXT)
        await runtime[0].readuntil(b'{"a":1}')
        reader, writer = await _connected(runtime[1].address)
        writer.write(runtime[1].spelled(ANSWER % (b"r-1", 2, b"{}")).replace(b"POST /", b"POST /x"))
        assert (await reader.read()).startswith(b"HTTP/1.1 403 ")
        writer.close()
        assert broker.is_out
        runtime[1].write(ANSWER % (b"r-1", 3, b"[1]"))
        await eventually_async(lambda: len(heard.said) == 2)
        assert heard.said[-1] == ("answered", b"[1]")

    _run(scenario)


def test_a_stranger_may_hold_no_more_than_a_small_head() -> None:
    async def scenario(_broker: Broker, heard: Heard, runtime: Runtime) -> None:
        runtime[1].write(b"GET /PATH/2018-06-01/ HTTP/1.1\r\nX: " + b"a" * STRANGER_BYTES_MAX)
        with contextlib.suppress(ConnectionResetError):
            assert await runtime[0].read() == b""
        assert heard.said == []

    _run(scenario)


def _run(scenario: Callable[[Broker, Heard, Runtime], Awaitable[T]]) -> T:
    async def opened() -> T:
        heard = Heard()
        broker = Broker(heard)
        address = await broker.listen()
        reader, writer = await _connected(address)
        try:
            async with asyncio.timeout(60):
                return await scenario(broker, heard, (reader, Sender(address, writer)))
        finally:
            writer.close()
            broker.close()

    return asyncio.run(opened())


async def _connected(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = address.partition("/")[0].rpartition(":")
    return await asyncio.open_connection(host, int(port))
