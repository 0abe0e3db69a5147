"""Runs a program while a link leads to its folder: `python -I -S serial_client.py REQUEST PROGRAM...`.

Whoever has the lock file may change the link; a lock ends with its process, however that ends. REQUEST is
JSON: `link`, `lock`, `target` and `work` are paths, `place` is what users call the link, and `tied` says
whether all ends with the parent process. It imports nothing of passrole.
"""

import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

_SIGNALLED = 128
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_AGAIN_SECONDS = 0.01


def lock_of(link: Path) -> Path:
    """The lock file of a link: what passrole made the link lead to is in there."""
    return link.with_name(f".{link.name.lstrip('.')}.passrole-lock")


def is_ours(link: Path) -> bool:
    """Whether passrole may make the link: nothing is there, or a link that passrole made."""
    if not link.is_symlink():
        return not link.exists()
    try:
        return str(link.readlink()) in lock_of(link).read_text().splitlines()
    except OSError:
        return False


def remove(link: str, target: str) -> None:
    """Remove the link if it leads to the target."""
    with suppress(OSError):
        if Path(link).is_symlink() and str(Path(link).readlink()) == target:
            Path(link).unlink()


def main() -> int:
    """The exit code of the program."""
    request = json.loads(sys.argv[1])
    link, target = Path(request["link"]), request["target"]
    if sys.platform.startswith("linux"):
        _adopt(is_tied=request["tied"])
    held = _locked(request["lock"], request["place"])  # until this process ends
    if not is_ours(link):
        sys.exit(f"sandbox: {link} is there already: move it away")
    _lead(link, target, held)
    try:
        os.chdir(request["work"])
        return _ran(sys.argv[2:])
    except OSError as error:
        sys.exit(f"sandbox: {error.strerror}: {error.filename}")
    finally:
        remove(str(link), target)


def _adopt(*, is_tied: bool) -> None:
    """Have what the program leaves as children of this process, and hear of the end of the parent."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if is_tied:
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGHUP), 0, 0, 0)


def _locked(path: str, place: str) -> int:
    held = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"passrole: waiting for another job, which has {place}", flush=True)  # noqa: T201 (the job's log)
        fcntl.flock(held, fcntl.LOCK_EX)
    return held


def _lead(link: Path, target: str, held: int) -> None:
    """Repoint the link in one step; until then the lock file has where it led to as well."""
    before = str(link.readlink()) if link.is_symlink() else ""
    os.ftruncate(held, 0)
    os.pwrite(held, f"{target}\n{before}\n".encode(), 0)
    made = link.with_name(f"{link.name}.new")
    made.unlink(missing_ok=True)
    made.symlink_to(target)
    made.replace(link)


def _ran(program: list[str]) -> int:
    """Run the program in a process group of its own; what it leaves is killed."""
    groups: list[int] = []
    early: list[int] = []

    def passed_on(number: int, _frame: object) -> None:
        early.extend(() if groups else [number])
        for group in groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL if number == signal.SIGHUP else number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, passed_on)
    process = subprocess.Popen(program, process_group=0)  # noqa: S603 (the job's own)
    groups.append(process.pid)
    for missed in early:
        passed_on(missed, None)
    code = process.wait()
    _end_all(process.pid)
    return _SIGNALLED - code if code < 0 else code


def _end_all(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    while children := _children():
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(child, os.WNOHANG)
        time.sleep(_AGAIN_SECONDS)


def _children() -> list[int]:
    """Where the system tells."""
    try:
        return [int(word) for word in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []


if __name__ == "__main__":
    sys.exit(main())
