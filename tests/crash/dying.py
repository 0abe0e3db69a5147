"""`passrole` that kills itself around a commit: `python dying.py TRACE NAME MOMENT COUNT serve ...`.

The transactions are named as the functions that make them. Each commit is a line in the file TRACE; at the
COUNT-th commit with NAME the process is killed, `before` it or `after` it and before anybody is told.
"""

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from passrole.cli import main
from passrole.store.group_commit import GroupCommit
from passrole.worker.task_queue import TaskQueue


def name_of(transaction: Callable[..., Any]) -> str:
    """`worker.loop.Worker._advance`: module and function, without what is inside them.

    The end of a task, of whichever kind, is `tasks.async-invocation`.
    """
    while isinstance(transaction, partial):
        transaction = transaction.func
    queue = getattr(transaction, "__self__", None)
    if isinstance(queue, TaskQueue):
        return f"tasks.{queue.kind}"
    module = transaction.__module__.removeprefix("passrole.").removeprefix("services.")
    return f"{module}.{transaction.__qualname__.partition('.<locals>')[0]}"


class Dying:
    """Around a store's commit, whichever store it is."""

    def __init__(self, trace: Path, name: str, moment: str, count: int) -> None:
        self._trace, self._name, self._moment, self._left = trace, name, moment, count

    def __call__(self, commit: Callable[[list[Any]], Any], writes: list[Any]) -> Any:
        names = [name_of(write.fn) for write in writes]
        with self._trace.open("a") as file:
            file.write(f"{' '.join(names)}\n")
        self._left -= names.count(self._name)
        dies = self._name in names and self._left <= 0
        if dies and self._moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        outcomes = commit(writes)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return outcomes


if __name__ == "__main__":
    trace, name, moment, count = sys.argv[1:5]
    dying, begin = Dying(Path(trace), name, moment, int(count)), GroupCommit.__init__

    def begin_dying(self: GroupCommit, commit: Any, listeners: Any) -> None:
        begin(self, partial(dying, commit), listeners)

    GroupCommit.__init__ = begin_dying  # type: ignore[method-assign]
    main(sys.argv[5:], prog_name="passrole")
