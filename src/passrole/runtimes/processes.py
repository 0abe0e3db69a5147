"""Memory and descendants of a process, from /proc on Linux; unknown on other systems."""

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path

CONTAINER = "passrole.sandbox."
"""How the name of a container begins whose processes count as descendants of whoever asked for it."""

_PROC = Path("/proc")
_PAGE_BYTES: int = os.sysconf("SC_PAGE_SIZE")


class Program:
    """A process that need not be a child of ours, and whose end can be asked for cheaply: a pidfd.

    https://man7.org/linux/man-pages/man2/pidfd_open.2.html
    """

    def __init__(self, pid: int) -> None:
        """Raises OSError where there is no such process."""
        self.pid = pid
        self._handle = os.pidfd_open(pid)
        self._ends = select.poll()
        self._ends.register(self._handle, select.POLLIN)

    def has_ended(self) -> bool:
        """Whether it has, also before anybody has asked for its exit code."""
        return bool(self._ends.poll(0))

    def close(self) -> None:
        """Free the handle; ask nothing afterwards."""
        os.close(self._handle)


def resident_bytes(pid: int) -> int:
    """The resident memory of the process and its descendants, without an engine's program for their
    container; 0 if it is unknown.
    """
    top = next(_contained(pid), pid)
    return sum(resident_bytes_alone(one) for one in family(top))


def resident_bytes_alone(pid: int) -> int:
    """The resident memory of this process only; cheap enough for every invocation."""
    try:
        return int((_PROC / str(pid) / "statm").read_bytes().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def has_ended(pid: int) -> bool:
    """Whether a child of ours has ended, also before anybody has asked for its exit code; it can be asked
    for as before. https://man7.org/linux/man-pages/man2/waitid.2.html (WNOWAIT)
    """
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # it was asked for
        return True


def family(pid: int) -> list[int]:
    """The process and its descendants, including those that left its process group, and the processes of the
    container that it asked for (sandbox/container.py).
    """
    members = [pid, *_contained(pid)]
    for member in members:  # grows while it is read: children of children follow
        members += _children(member)
    return members


def program(pid: int) -> int:
    """The program that a sandbox started as `pid` runs, for a signal that shall reach it; without a sandbox,
    or where it has not begun, `pid` itself.

    It is the first process of the sandbox beside process 1, which a signal from outside does not concern.
    """
    return next((member for member in family(pid) if _number_inside(member) not in (None, 1)), pid)


def kill_family(pid: int) -> None:
    """Kill the process group of `pid` and the descendants that left it."""
    strays = family(pid)[1:]
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    for stray in strays:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(stray, signal.SIGKILL)


def _number_inside(pid: int) -> int | None:
    """A process's number in its own namespace; None where it has no namespace but the machine's."""
    with contextlib.suppress(OSError):
        for line in (_PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("NSpid:"):
                numbers = line.split()[1:]
                return int(numbers[-1]) if len(numbers) > 1 else None
    return None


def _contained(pid: int) -> Iterator[int]:
    """Process 1 of a container whose name is a word of the process's command line, and of its own."""
    prefix = CONTAINER.encode()
    for name in filter(lambda word: word.startswith(prefix), _words(pid)):
        for folder in _PROC.glob("[0-9]*"):
            other = int(folder.name)
            if name in _words(other) and _number_inside(other) == 1:
                yield other


def _words(pid: int) -> list[bytes]:
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def _children(pid: int) -> list[int]:
    children: list[int] = []
    with contextlib.suppress(OSError):
        for thread in (_PROC / str(pid) / "task").iterdir():
            with contextlib.suppress(OSError):
                children += map(int, (thread / "children").read_text().split())
    return children
