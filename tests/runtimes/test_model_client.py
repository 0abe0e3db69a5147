"""What asks a model's server believes nothing that it says."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from passrole.runtimes.model_client import AnswerTooLarge, ModelClient, Place, ServerGone

Ask = Callable[[ModelClient], Awaitable[Any]]


def _asked(tmp_path: Path, answers: list[bytes], ask: Ask) -> tuple[Any, int]:
    """What `ask` gets of a server that sends these bytes and closes, and how many connections it had."""
    socket, connections = tmp_path / "s", 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while answers and await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            answer = answers.pop(0)
            writer.write(answer)
            await writer.drain()
            if b"keep" not in answer:
                break
        writer.close()

    async def run() -> Any:
        async with await asyncio.start_unix_server(serve, str(socket)):
            client = ModelClient(Place(socket))
            try:
                return await ask(client)
            finally:
                client.close()

    return asyncio.run(run()), connections


def _invoke(client: ModelClient, bytes_max: int = 1000, **headers: str) -> Awaitable[Any]:
    return client.invoke(b"", headers, seconds_max=5, bytes_max=bytes_max)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"


def test_a_connection_is_used_again(tmp_path: Path) -> None:
    async def twice(client: ModelClient) -> list[bytes]:
        return [(await _invoke(client)).body, (await _invoke(client)).body]

    kept = OK + b"X: keep\r\n\r\nhi"
    assert _asked(tmp_path, [kept, kept], twice) == ([b"hi", b"hi"], 1)


def test_one_that_the_server_has_closed_meanwhile_is_made_anew(tmp_path: Path) -> None:
    async def twice(client: ModelClient) -> list[bytes]:
        return [(await _invoke(client)).body, (await _invoke(client)).body]

    assert _asked(tmp_path, [OK + b"\r\nhi", OK + b"\r\nho"], twice) == ([b"hi", b"ho"], 2)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-x\r\n\r\n",
        OK + b"\r\nh",  # less than it says
        b"HTTP/1.1 200 OK\r\n",
    ],
)
def test_what_is_no_answer_is_no_answer(tmp_path: Path, answer: bytes) -> None:
    with pytest.raises(ServerGone):
        _asked(tmp_path, [answer], _invoke)


def test_an_answer_may_end_with_its_connection(tmp_path: Path) -> None:
    answer, _ = _asked(tmp_path, [b"HTTP/1.0 200 OK\r\n\r\nall of it"], _invoke)
    assert (answer.status, answer.body) == (200, b"all of it")


def test_an_answer_has_a_limit(tmp_path: Path) -> None:
    endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"4\r\nabcd\r\n" * 300
    with pytest.raises(AnswerTooLarge, match="1000 bytes"):
        _asked(tmp_path, [endless], _invoke)


def test_a_header_cannot_bring_others(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line break"):
        _asked(tmp_path, [], lambda client: _invoke(client, Accept="a\r\nX: b"))


def test_nothing_is_reached_behind_a_link_in_place_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)

    async def run() -> None:
        async with await asyncio.start_unix_server(lambda _r, w: w.close(), str(folder / "s")):
            await _invoke(ModelClient(Place(tmp_path / "link/s")))

    with pytest.raises(ServerGone, match="nothing listens"):
        asyncio.run(run())


def test_a_socket_is_reached_however_long_its_path_is(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)

    async def run() -> bool:
        folder = os.open(deep, os.O_RDONLY)
        served = await asyncio.start_unix_server(_pong, f"/proc/self/fd/{folder}/s")
        os.close(folder)
        async with served:
            client = ModelClient(Place(deep / "s"))
            try:
                return await client.is_ready()
            finally:
                client.close()

    assert asyncio.run(run())


async def _pong(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK + b"\r\nhi")
    writer.close()
