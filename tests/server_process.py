"""Processes of passrole whose imports are done when they begin: a helper forks itself for each.

What a server imports takes 0.6 s of CPU, which is most of its start, and the tests start hundreds of servers.
All else is as with a process that is started anew: its number, its environment, its output, how it dies.
tests/cli starts servers as users do, without this.
"""

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

IMPORTED = ("passrole.cli.server.serve", "passrole.app")

_LARGEST = 100_000
_starting = threading.Lock()


class Process:
    """`python *words` with this environment alone, as far as tests use subprocess.Popen."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], stderr: IO[bytes]) -> None:
        printed, prints = os.pipe()
        told, tells = os.pipe()
        request = json.dumps({"words": list(words), "environment": dict(environment)}).encode()
        with _starting:
            socket.send_fds(_helper(), [request], [prints, stderr.fileno(), tells])
        os.close(prints)
        os.close(tells)
        self.stdout: IO[str] = os.fdopen(printed)
        self._told = os.fdopen(told, "rb", buffering=0)
        self.pid = int(self._told.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, or minus the signal; None while it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """The same, once it has ended. Raises TimeoutExpired."""
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("passrole", timeout or 0)
        return code

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def _look(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], seconds)[0]:
            self.returncode = int(self._told.readline())
            self._told.close()
        return self.returncode


@functools.cache
def _helper() -> socket.socket:
    """Where it takes requests: one helper for this process, until this process ends."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    started = subprocess.Popen(
        [sys.executable, str(Path(__file__)), str(its.fileno())],
        pass_fds=[its.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin"},
    )
    its.close()

    def end() -> None:
        ours.close()
        started.wait(20)

    atexit.register(end)
    return ours


class _Helper:
    """The other end: forks for each request, and tells the number of the process and how it ended."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._woken, self._wakes = os.pipe()
        os.set_blocking(self._wakes, False)
        self._ends: dict[int, int] = {}  # where the end of a process is told

    def run(self) -> dict[str, Any] | None:
        """In a new process the request that it is for; None once nobody can ask any more."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is meant for whoever asks, who ends the servers
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakes)
        while True:
            ready, _, _ = select.select([self._requests.fileno(), self._woken], [], [])
            if self._woken in ready:
                os.read(self._woken, _LARGEST)
                self._tell_ends()
            if self._requests.fileno() in ready:
                request, descriptors, _, _ = socket.recv_fds(self._requests, _LARGEST, 3)
                if not request or self._is_new_process(*descriptors):
                    return json.loads(request) if request else None

    def end_all(self) -> None:
        """What still runs, as where the tests were killed: nobody else would end it."""
        for pid in self._ends:
            os.kill(pid, signal.SIGTERM)

    def _is_new_process(self, prints: int, logs: int, tells: int) -> bool:
        pid = os.fork()
        if pid == 0:
            self._forget(tells, *self._ends.values())
            os.dup2(prints, 1)
            os.dup2(logs, 2)
        else:
            os.write(tells, b"%d\n" % pid)
            self._ends[pid] = tells
        os.close(prints)
        os.close(logs)
        return pid == 0

    def _forget(self, *descriptors: int) -> None:
        """What a process that is started anew would not have."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for each in (self._requests.detach(), self._woken, self._wakes, *descriptors):
            os.close(each)

    def _tell_ends(self) -> None:
        for pid in list(self._ends):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                tells = self._ends.pop(pid)
                with suppress(BrokenPipeError):  # nobody waits for it
                    os.write(tells, b"%d\n" % os.waitstatus_to_exitcode(status))
                os.close(tells)


def _become(words: Sequence[str], environment: Mapping[str, str]) -> None:
    """What `python *words` is, with this environment alone."""
    os.environ.clear()
    os.environ.update(environment)
    if words[0] == "-c":
        sys.argv, sys.path[0] = ["-c", *words[2:]], ""
        exec(compile(words[1], "<string>", "exec"), {"__name__": "__main__"})
    elif words[0] == "-m":
        sys.argv, sys.path[0] = list(words[1:]), str(Path.cwd())
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv, sys.path[0] = list(words), str(Path(words[0]).parent)
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()
    helper = _Helper(socket.socket(fileno=int(sys.argv[1])))
    asked = helper.run()
    if asked is not None:
        _become(**asked)
    else:
        helper.end_all()
