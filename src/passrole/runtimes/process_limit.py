"""Ends a program that has too many processes and threads, on every kind of sandbox and as every user.

RLIMIT_NPROC does not bind root, and counts what else its user runs; a cgroup wants rights that users do not
have. So a thread of the server looks at every program a few times a second, and takes at most a fiftieth of a
core for it. Process 1 of a sandbox is killed first: the kernel ends all others of its namespace at once, so
that a program that forks does not outrun its end.
https://man7.org/linux/man-pages/man7/pid_namespaces.7.html
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from passrole.runtimes import processes

LOOK_SECONDS = 0.1
_REST_TIMES = 50


class ProcessLimit:
    """Looks after programs while there are any; `most` is what each may have."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._watched: dict[int, Callable[[], None]] = {}
        self._looks = False

    @contextmanager
    def over(self, pid: int, end: Callable[[], None]) -> Iterator[None]:
        """Watch a process and its descendants. Another thread calls `end`, until they are not too many."""
        with self._lock:
            self._watched[pid] = end
            if not self._looks:
                self._looks = True
                threading.Thread(target=self._look, name="process-limit", daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                self._watched.pop(pid, None)

    def message(self, what: str) -> str:
        """What is told of one that was ended."""
        return f"{what} had more than {self.most} processes and threads (setting `processes_max`)"

    def _look(self) -> None:
        while True:
            began = time.monotonic()
            with self._lock:
                watched = tuple(self._watched)
                if not watched:
                    self._looks = False
                    return
            for pid in watched:
                if processes.number(pid, self.most) > self.most:
                    self._end(pid)
            time.sleep(max(LOOK_SECONDS, _REST_TIMES * (time.monotonic() - began)))

    def _end(self, pid: int) -> None:
        with self._lock:
            end = self._watched.get(pid)
            if end is not None:  # else it ended meanwhile, and the number may be another's
                end()
