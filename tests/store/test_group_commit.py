"""The thread that commits, as its store tells it to end."""

import asyncio
from typing import Any, cast

from passrole.store.group_commit import FURTHER_SECONDS, GroupCommit, Outcome, Write
from passrole.store.listeners import Listeners
from passrole.store.share import Share


class Hanging:
    """A thread whose commits hang, as while a standby is away: each ends when it is hung up on."""

    def __init__(self, commits: int) -> None:
        self.commits, self.joined = commits, list[float | None]()

    def is_alive(self) -> bool:
        return self.commits > 0

    def join(self, seconds: float | None) -> None:
        self.joined.append(seconds)

    def hang_up(self) -> None:
        self.commits -= 1


def test_what_waits_behind_a_commit_that_hangs_has_not_its_time_again() -> None:
    async def scenario() -> None:
        commits = GroupCommit(committed, Listeners(Share()))
        hanging, thread = Hanging(commits=3), commits._thread
        commits._thread = cast(Any, hanging)
        await commits.close(10.0, hanging.hang_up)
        assert hanging.joined == [10.0, FURTHER_SECONDS, FURTHER_SECONDS]
        await asyncio.to_thread(thread.join)

    asyncio.run(scenario())


def committed(writes: list[Write]) -> list[Outcome]:
    return [Outcome(write.future, None, None, []) for write in writes]
