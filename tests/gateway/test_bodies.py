"""Room for bodies: first come, first served, and given back whatever happens."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from passrole.gateway import bodies
from passrole.gateway.bodies import Bodies, Disconnected, Full, Room, TooLarge, whole


async def _turn() -> None:
    """Let everybody come as far as they can."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_who_finds_no_room_waits_and_nobody_overtakes() -> None:
    async def scenario() -> None:
        room, order = Room(10), list[str]()

        async def take(name: str, size: int) -> None:
            await room.take(size)
            order.append(name)

        await take("first", 8)
        large = asyncio.create_task(take("large", 9))
        await _turn()
        small = asyncio.create_task(take("small", 1))  # it would fit, but is behind
        await _turn()
        assert order == ["first"]
        room.give_back(8)
        await asyncio.gather(large, small)
        assert order == ["first", "large", "small"]
        assert room.left == 0

    asyncio.run(scenario())


def test_who_gives_up_holds_nothing_and_lets_the_next_in() -> None:
    async def scenario() -> None:
        room = Room(10)
        await room.take(8)
        large = asyncio.create_task(room.take(9))
        await _turn()
        small = asyncio.create_task(room.take(2))
        await _turn()
        large.cancel()
        await asyncio.wait([large, small])
        assert large.cancelled() and not small.cancelled()
        assert room.left == 0

    asyncio.run(scenario())


def test_who_gives_up_in_the_moment_of_being_let_in_gives_back() -> None:
    async def scenario() -> None:
        room = Room(10)
        await room.take(8)
        waiting = asyncio.create_task(room.take(9))
        await _turn()
        room.give_back(8)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert room.left == 10

    asyncio.run(scenario())


def test_a_wait_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        room = Room(10)
        await room.take(8)
        with pytest.raises(Full):
            await room.take(9)
        assert room.left == 2

    monkeypatch.setattr(bodies, "WAIT_SECONDS_MAX", 0.01)
    asyncio.run(scenario())


def test_small_bodies_do_not_wait_for_large_ones() -> None:
    both = Bodies(small=bodies.SMALL_BYTES_MAX, large=1)
    assert both.room(bodies.SMALL_BYTES_MAX) is not both.room(bodies.SMALL_BYTES_MAX + 1)


@pytest.mark.parametrize(
    ("pieces", "most", "expected"),
    [
        ([b"ab"], 2, b"ab"),
        ([b"ab", b"c"], 3, b"abc"),
        ([b"", b"ab", b""], 2, b"ab"),
        ([b""], 0, b""),
        ([b"ab", b"c"], 2, TooLarge),
        ([b"ab", None], 3, Disconnected),
    ],
)
def test_a_body_is_read_to_its_end_or_its_limit(
    pieces: list[bytes | None], most: int, expected: bytes | type[Exception]
) -> None:
    def told(number: int) -> Mapping[str, Any]:
        piece = pieces[number]
        if piece is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": number + 1 < len(pieces)}

    messages = iter([told(number) for number in range(len(pieces))])

    async def receive() -> Mapping[str, Any]:
        return next(messages)

    if isinstance(expected, bytes):
        assert asyncio.run(whole(receive, most)) == expected
    else:
        with pytest.raises(expected):
            asyncio.run(whole(receive, most))
