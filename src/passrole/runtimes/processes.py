"""Memory and descendants of a process, from /proc on Linux; unknown on other systems."""

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

CONTAINER = "passrole.sandbox."
"""How the name of a container begins whose processes count as descendants of whoever asked for it."""

_PROC = Path("/proc")
_ABOVE_SANDBOX_MAX = 16
"""The processes from the one that is started down to process 1 of its sandbox are fewer."""

_STRAYS_MAX = 4096
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


async def ended(process: "subprocess.Popen[bytes]") -> None:
    """Wait for a child of ours, which goes on where the wait is cancelled or its event loop is closed."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def wait() -> None:
        process.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(told.set)

    threading.Thread(target=wait, name="program-end", daemon=True).start()
    await told.wait()


def has_ended(pid: int) -> bool:
    """Whether a child of ours has ended, also before anybody has asked for its exit code; it can be asked
    for as before. https://man7.org/linux/man-pages/man2/waitid.2.html (WNOWAIT)
    """
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # it was asked for
        return True


def is_alive(pid: int) -> bool:
    """Whether the process runs, and has not ended unwaited for; False where that is unknown."""
    try:
        return bool((_PROC / str(pid) / "cmdline").read_bytes())
    except OSError:
        return False


def family(pid: int) -> list[int]:
    """The process and its descendants, including those that left its process group, and the processes of the
    container that it asked for (sandbox/container.py).
    """
    return list(_walk(pid))


def number(pid: int, most: int) -> int:
    """How many processes and threads it and its descendants are, counted until there are more than `most`;
    without an engine's program for their container. 0 if it is unknown.
    """
    total = 0
    for member in _walk(next(_contained(pid), pid)):
        with contextlib.suppress(OSError):
            total += (_PROC / str(member) / "task").stat().st_nlink - 2
        if total > most:
            break
    return total


def program(pid: int) -> int:
    """The program that a sandbox started as `pid` runs, for a signal that shall reach it; without a sandbox,
    or where it has not begun, `pid` itself.

    It is the first process of the sandbox beside process 1, which a signal from outside does not concern.
    """
    return next((member for member in family(pid) if _number_inside(member) not in (None, 1)), pid)


def kill_family(pid: int) -> None:
    """Kill the process group of `pid` and the descendants that left it, their groups first: those at once."""
    others = _to_kill(pid)
    for group in [pid, *filter(_leads_group, others)]:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    for other in others:
        _kill(other)


def kill_below(pid: int) -> None:
    """Kill the descendants of `pid`, but not itself."""
    for member in _to_kill(pid):
        _kill(member)


def kill_sandbox(pid: int) -> bool:
    """Kill the sandbox below `pid`, with all that is in it, but not `pid` itself; whether there was one."""
    above = _down_to_process_one(pid)
    for member in above:
        _kill(member)
    return bool(above)


def _to_kill(pid: int) -> list[int]:
    """The descendants of `pid`. What is in a sandbox ends with its process 1, however fast it forks; of what
    is in none and forks faster than it is looked at, not all are found.
    """
    return _down_to_process_one(pid) or list(islice(_walk(pid), 1, _STRAYS_MAX))


def _down_to_process_one(pid: int) -> list[int]:
    """The descendants of `pid` down to process 1 of its sandbox; none where it has no sandbox."""
    above: list[int] = []
    for member in islice(_walk(pid), 1, _ABOVE_SANDBOX_MAX):
        above.append(member)
        if _number_inside(member) == 1:
            return above
    return []


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _leads_group(pid: int) -> bool:
    try:
        return os.getpgid(pid) == pid
    except (ProcessLookupError, PermissionError):
        return False


def _number_inside(pid: int) -> int | None:
    """A process's number in its own namespace; None where it has no namespace but the machine's."""
    with contextlib.suppress(OSError):
        for line in (_PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("NSpid:"):
                numbers = line.split()[1:]
                return int(numbers[-1]) if len(numbers) > 1 else None
    return None


def _walk(pid: int) -> Iterator[int]:
    members = [pid, *_contained(pid)]
    for member in members:  # grows while it is read: children of children follow
        yield member
        members += _children(member)


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
