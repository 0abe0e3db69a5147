"""A server on a data folder: the one that runs there, or one of our own for as long as it is needed.

Our own server is a process, as `passrole serve` is: a verb that is killed leaves at worst a server
that the next verb finds. It is out of the terminal's process group, so that Ctrl-C ends the verb and
lets the verb end the server.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from passrole import app, private_files
from passrole.cli.options import usable
from passrole.cli.verbs import Failed, Misuse
from passrole.config import Config

STARTING = "starting a server..."
"""What is said where that takes over _QUIET_SECONDS."""

_READY = "passrole is ready at "
_READY_SECONDS_MAX = 60.0
_STOP_SECONDS_MAX = 20.0
_QUIET_SECONDS = 1.0


@contextmanager
def server(config: Config) -> Iterator[tuple[str, bool]]:
    """The URL of a server, and whether it ends with this block. Raises Failed, Misuse.

    Two verbs may start a server at the same moment: the folder lets one in, and both use that one. Where
    it ended before the other could reach it, the other starts again.
    """
    usable(config)
    until = time.monotonic() + _READY_SECONDS_MAX
    while time.monotonic() < until:
        url = app.running(config)
        if url:
            yield url, False
            return
        with _own(config) as url:
            if url:
                yield url, True
                return
    raise Failed(f"another server holds `{config.data}` and does not answer")


@contextmanager
def _own(config: Config) -> Iterator[str | None]:
    """The URL of a server of our own; None where another one holds the folder. Raises Failed, Misuse."""
    process = _start(config)
    try:
        with _leaving_on_sigterm():
            url = _url_of(process)
            if url is None:
                _check_held_by_another(config, process)
            yield url
    finally:
        _stop(process)
        _forget_empty(_log_path(config))


def _start(config: Config) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "passrole", "serve", "--data", str(config.data), "--port", "0"]
    command += ["--spark-master", config.spark_master]
    with private_files.open_to_append(_log_path(config)) as log:
        return subprocess.Popen(  # noqa: S603 (ourselves)
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )


def _url_of(process: subprocess.Popen[bytes]) -> str | None:
    """What the server announces; None where it ended instead. Raises Failed when it does neither."""
    assert process.stdout is not None
    began, told = time.monotonic(), False
    while not select.select([process.stdout], [], [], _QUIET_SECONDS)[0]:
        if not told:
            click.echo(STARTING, err=True)
            told = True
        if time.monotonic() - began > _READY_SECONDS_MAX:
            raise Failed(f"the server was not ready after {_READY_SECONDS_MAX:.0f} seconds")
    line = process.stdout.readline().decode().strip()
    return line.removeprefix(_READY) if line.startswith(_READY) else None


def _check_held_by_another(config: Config, process: subprocess.Popen[bytes]) -> None:
    """Raises Failed or Misuse with the reason where that is not why the server ended."""
    code = process.wait()
    log = _log_path(config)
    lines = log.read_text(errors="replace").strip().splitlines() or ["no reason was given"]
    if "another server holds" in lines[-1]:
        log.write_bytes(b"")
        return
    reason = lines[-1].removeprefix("passrole serve: ")
    raise Misuse(reason) if code == 2 else Failed(f"the server did not start: {reason}")


@contextmanager
def _leaving_on_sigterm() -> Iterator[None]:
    """SIGTERM unwinds the stack, so that the server is stopped, instead of ending the process at once."""
    before = {number: signal.signal(number, _leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    process.terminate()
    try:
        process.wait(_STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


def _forget_empty(log: Path) -> None:
    if log.stat().st_size == 0:
        log.unlink()


def _log_path(config: Config) -> Path:
    """Where a server of our own writes what `serve` writes to standard error; one for each, for rivals."""
    return config.data / f"server-of-{os.getpid()}.log"
