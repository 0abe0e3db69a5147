"""A server that kills itself at a point that has a name, by dying.py."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from tests.conftest import Server

DYING = Path(__file__).with_name("dying.py")
SECONDS_MAX = 30.0


OF_SEVERAL = {
    "audit.rows.add",
    "worker.jobs.runner.JobRunner._is_ours",
    "worker.jobs.runner.JobRunner._release",
    "worker.leases._borrowed",
    "worker.leases._closed",
    "worker.leases.Leases._have",
}
"""What a server on PostgreSQL writes beside its work, as one of several (journeys/test_several_nodes.py)."""


class Mortal(Server):
    """Kills itself at a point, once; whoever uses it starts it again when it is dead."""

    def __init__(self, data: Path) -> None:
        self.trace = data.with_name("trace")
        super().__init__(data)

    def dies_at(self, name: str = "-", moment: str = "before", count: int = 1) -> None:
        """From a start on, which is now."""
        self.stop()
        self.point = name, count
        self.trace.write_text("")
        self.program = (str(DYING), str(self.trace), name, moment, str(count))
        try:
            self.start()
        except AssertionError:  # it may come to the point before it is ready
            if self.process.wait(20) != -signal.SIGKILL:
                raise
            self.revive()

    def has_died(self) -> bool:
        """Whether it came to its point. The trace has the commit a moment before the process is gone."""
        name, count = self.point
        reached = sum(commit.count(name) for commit in self.commits())
        if self.program != Server.program and reached >= count:
            self.process.wait(20)
            self.revive()
        return self.program == Server.program

    def is_dead(self) -> bool:
        return self.process.poll() is not None

    def revive(self) -> None:
        self._ended()
        self.program = Server.program
        self.start()

    def until(self, done: Callable[[], Any]) -> Any:
        """What `done` says, once that is something; a server that died meanwhile is started again."""
        until, problem = time.monotonic() + SECONDS_MAX, ""
        while True:
            if self.is_dead():
                self.revive()
            try:
                found = done()
            except (BotoCoreError, ClientError) as error:
                found, problem = None, str(error)
            if found:
                return found
            assert time.monotonic() < until, (problem, Path(self.log.name).read_text()[-2_000:])
            time.sleep(0.05)

    def commits(self) -> list[list[str]]:
        """The names of each commit, of the server that was to die; without those of OF_SEVERAL."""
        lines = self.trace.read_text().splitlines()
        return [[each for each in line.split() if each not in OF_SEVERAL] for line in lines]
