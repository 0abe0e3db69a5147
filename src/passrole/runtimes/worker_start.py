"""Starts the process of a worker: in a sandbox, or, where there is none, tied to the server by a pipe.

When the server is killed, its workers must end too. A sandbox ends with it. Without one, the worker has the
reading end of a pipe whose writing end only the server has, and the kernel sends SIGKILL to the worker's
process group when that end closes (Linux: F_SETSIG). On other systems a worker ends at its next poll, which
fails.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from passrole import trees
from passrole.runtimes import processes
from passrole.runtimes.process_limit import ProcessLimit
from passrole.runtimes.processes import Program
from passrole.runtimes.sandbox import OUTSIDE, Sandbox, World, confined, exported
from passrole.runtimes.sandbox.world import TMP

TASK_ROOT = Path("/var/task")
"""Where a function in a sandbox finds its code, as on AWS."""

OPT = Path("/opt")
"""Where a function in a sandbox finds its layers, beside what this machine has there: Python may be in it."""

_SIGNALLED = 128
"""A sandbox's exit code is higher than this by the number of the signal that ended its program."""


@dataclass(frozen=True)
class Launch:
    """The settings with which every worker of a server is started; `world` is without the function's code."""

    endpoint_url: str
    bootstrap: str
    sandbox: Sandbox
    world: World
    limit: ProcessLimit


@dataclass(frozen=True)
class Place:
    """Where a worker finds its code and may write: on this machine, and as its process sees it."""

    code: Path
    scratch: Path
    confined: bool
    opt: Path | None = None

    @property
    def code_inside(self) -> Path:
        """The code as the function sees it."""
        return TASK_ROOT if self.confined else self.code

    @property
    def opt_inside(self) -> Path | None:
        """The layers as the function sees them."""
        return OPT if self.confined and self.opt is not None else self.opt

    @property
    def readable(self) -> Mapping[Path, Path]:
        """What a sandbox shows of the function: its code, and each entry of its layers."""
        layers = [] if self.opt is None else trees.entries(self.opt)
        return {TASK_ROOT: self.code.resolve(), **{OPT / entry.name: entry for entry in layers}}

    @property
    def scratch_inside(self) -> Path:
        """Where the function may write. In a sandbox that is in memory."""
        return TMP if self.confined else self.scratch


class Started:
    """A worker's process."""

    def __init__(self, process: asyncio.subprocess.Process, place: Place, lifeline: int = -1) -> None:
        self.pid = process.pid
        self._process = process
        self._place = place
        self._lifeline = lifeline
        self._inside: Program | None = None

    @property
    def program(self) -> int:
        """The number of the function's own process; before `look_inside`, of the one that was started."""
        return self.pid if self._inside is None else self._inside.pid

    def look_inside(self) -> None:
        """Find the function's own process, which runs by now: a sandbox is above it."""
        if self._place.confined and self._inside is None:
            with contextlib.suppress(OSError):
                self._inside = Program(processes.program(self.pid))

    def has_ended(self) -> bool:
        """Whether the function's process has, also before its sandbox has, or anybody has heard of it."""
        inside = self._inside is not None and self._inside.has_ended()
        return inside or processes.has_ended(self.pid)

    def kill(self) -> None:
        """Kill the process and its descendants, if it has not ended."""
        if self._process.returncode is None:
            processes.kill_family(self.pid)

    async def ended(self) -> int:
        """Wait for its end, and end what it left; its exit code, negative for a signal."""
        code = await self._process.wait()
        if self._inside is not None:
            self._inside.close()
            self._inside = None
        if self._place.confined:
            return _SIGNALLED - code if code > _SIGNALLED else code
        processes.kill_family(self.pid)  # children that outlived it
        os.close(self._lifeline)
        return code

    async def clean_up(self) -> None:
        """Remove what it wrote."""
        if not self._place.confined:
            await asyncio.to_thread(trees.remove, self._place.scratch)


async def start(
    command: Sequence[str], variables: Mapping[str, str], place: Place, launch: Launch, output: int
) -> Started:
    """Start a worker that writes to the file `output`. Raises OSError, NotText."""
    if place.confined:
        return await _confined(command, variables, place, launch, output)
    return await _tied(command, variables, place, output)


async def _confined(
    command: Sequence[str], variables: Mapping[str, str], place: Place, launch: Launch, output: int
) -> Started:
    readable = {**launch.world.readable, **place.readable}
    inside = confined(launch.sandbox, replace(launch.world, readable=readable), command)
    given = os.memfd_create("environment")
    try:
        os.write(given, exported(variables))
        os.lseek(given, 0, os.SEEK_SET)
        process = await asyncio.create_subprocess_exec(
            *inside, stdin=given, stdout=output, stderr=output, env=OUTSIDE, start_new_session=True
        )
    finally:
        os.close(given)
    return Started(process, place)


async def _tied(command: Sequence[str], variables: Mapping[str, str], place: Place, output: int) -> Started:
    place.scratch.mkdir(parents=True)
    held, lifeline = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(variables),
            cwd=place.code,
            start_new_session=True,
            pass_fds=(held,),
        )
        _tie(held, process.pid)
    except BaseException:
        os.close(lifeline)
        raise
    finally:
        os.close(held)
    return Started(process, place, lifeline)


def _tie(held: int, pid: int) -> None:
    """Make the kernel kill the process group of `pid` when the other end of the pipe closes."""
    setsig = getattr(fcntl, "F_SETSIG", None)
    if setsig is None:
        return
    with contextlib.suppress(OSError):  # it may have ended already
        fcntl.fcntl(held, setsig, signal.SIGKILL)
        fcntl.fcntl(held, fcntl.F_SETOWN, -pid)
        fcntl.fcntl(held, fcntl.F_SETFL, fcntl.fcntl(held, fcntl.F_GETFL) | os.O_ASYNC)
