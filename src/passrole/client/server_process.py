"""A server on a data folder: the running one, or a temporary one of our own.

Our own server is a process, as `passrole serve` is: if we are killed, it goes on, and whoever comes next
finds it. It is out of the terminal's process group, so that Ctrl-C ends us and lets us end the server.
"""

import os
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from passrole import private_files, server_file
from passrole.client import data_folder
from passrole.client.errors import InvalidInput, ServerUnavailable
from passrole.config import Config

Say = Callable[[str], None]
Guard = Callable[[], AbstractContextManager[None]]

STARTING = "starting a server..."
"""The message for `say` if that takes longer than _QUIET_SECONDS."""

_READY = "passrole is ready at "
_READY_SECONDS_MAX = 60.0
_STOP_SECONDS_MAX = 20.0
_QUIET_SECONDS = 1.0


def silent(_message: str) -> None:
    """Discards the message."""


@contextmanager
def running_server(
    config: Config, say: Say = silent, warn: Say = silent, guard: Guard = nullcontext
) -> Iterator[tuple[str, bool]]:
    """The URL of a server, and whether it stops at the end of this block.

    `warn` is told what was wrong with the folder. `guard` is entered while a server of our own runs: there a
    program arranges to leave the block when a signal asks it to end.

    Two programs may start a server at the same moment: the folder lets one in, and both use that one. Where
    it ended before the other could reach it, the other starts again.

    Raises InvalidInput, ServerUnavailable.
    """
    data_folder.prepare(config, warn)
    until = time.monotonic() + _READY_SECONDS_MAX
    while time.monotonic() < until:
        url = server_file.url(config)
        if url:
            yield url, False
            return
        with _own(config, say, guard) as url:
            if url:
                yield url, True
                return
    raise ServerUnavailable(f"another server uses `{config.data}` and does not answer")


@contextmanager
def _own(config: Config, say: Say, guard: Guard) -> Iterator[str | None]:
    """The URL of a server of our own; None if another server uses the folder."""
    process = _start(config)
    try:
        with guard():
            url = _url_of(process, say)
            if url is None:
                _check_held_by_another(config, process)
            yield url
    finally:
        _stop(process)
        _remove_empty(_log_path(config))


def _start(config: Config) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "passrole", "serve", "--data", str(config.data), "--port", "0"]
    command += ["--no-log-calls"]  # the audit trail has them, and a log without a line is removed
    if config.console:
        command += ["--console", "--console-port", str(config.console_port)]
    command += ["--spark-master", config.spark_master, "--spark-s3", config.spark_s3]
    command += ["--containers", config.containers]
    command += [word for rule in shlex.split(config.images) for word in ("--image", rule)]
    with private_files.open_to_append(_log_path(config)) as log:
        return subprocess.Popen(  # noqa: S603 (ourselves)
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )


def _url_of(process: subprocess.Popen[bytes], say: Say) -> str | None:
    """The URL that the server prints; None if it ended. Raises ServerUnavailable after a time-out."""
    assert process.stdout is not None
    began, told = time.monotonic(), False
    while not select.select([process.stdout], [], [], _QUIET_SECONDS)[0]:
        if not told:
            say(STARTING)
            told = True
        if time.monotonic() - began > _READY_SECONDS_MAX:
            raise ServerUnavailable(f"the server was not ready after {_READY_SECONDS_MAX:.0f} seconds")
    line = process.stdout.readline().decode().strip()
    return line.removeprefix(_READY) if line.startswith(_READY) else None


def _check_held_by_another(config: Config, process: subprocess.Popen[bytes]) -> None:
    """Raises InvalidInput or ServerUnavailable with the reason, unless another server uses the folder."""
    code = process.wait()
    log = _log_path(config)
    lines = log.read_text(errors="replace").strip().splitlines() or ["no reason was given"]
    if "another server uses" in lines[-1]:
        log.write_bytes(b"")
        return
    reason = lines[-1].removeprefix("passrole serve: ")
    if code == 2:
        raise InvalidInput(reason)
    raise ServerUnavailable(f"the server did not start: {reason}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    process.send_signal(signal.SIGINT)  # which ends its jobs too
    try:
        process.wait(_STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


def _remove_empty(log: Path) -> None:
    if log.stat().st_size == 0:
        log.unlink()


def _log_path(config: Config) -> Path:
    """The log file of a server of our own; each process has one, since several may start a server at once."""
    return config.data / f"server-of-{os.getpid()}.log"
