"""Has pip install what jobs require into layers that are kept, each by one job, in a sandbox of its own.

The next job with the same requirements finds them, and needs no network. A layer that cannot be made is no
failure: then the job's program runs pip itself, as on AWS, and fails as there.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakValueDictionary

from passrole.config import Config
from passrole.runtimes import jobs as processes
from passrole.runtimes import kept_layers
from passrole.runtimes.jobs import JobLost, Jobs, JobSpec
from passrole.runtimes.kept_layers import REQUIREMENTS, RUN
from passrole.runtimes.sandbox import OUTSIDE, Sandbox
from passrole.worker.jobs.failures import JobFailed
from passrole.worker.jobs.programs import Program, command_line, layer_world

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Layer:
    """What became of a layer: its folder, if it is there, and what is told in the job's log."""

    place: Path | None
    note: str


class Layers:
    """Makes layers and finds them again; one for all jobs, so that each layer is made once."""

    def __init__(self, config: Config, jobs: Jobs) -> None:
        self._config = config
        self._jobs = jobs
        self._locks: WeakValueDictionary[Path, asyncio.Lock] = WeakValueDictionary()

    async def layer(
        self, requirements: bytes, settings: Mapping[str, str], environment: Path, sandbox: Sandbox
    ) -> Layer:
        """The layer of the requirements, by pip with these variables. It may take minutes the first time."""
        name = await asyncio.to_thread(kept_layers.key, requirements, settings, environment)
        place = kept_layers.place(self._config.data, name)
        lock = self._locks.setdefault(place, asyncio.Lock())
        async with lock:
            if await asyncio.to_thread(kept_layers.is_complete, place):
                return Layer(place, f"passrole: the requirements are in the kept layer {name[:8]}")
            try:
                code = await self._made(place, requirements, settings, environment, sandbox)
                if code == 0:
                    await asyncio.to_thread(kept_layers.finish, place)
                    return Layer(place, f"passrole: the requirements went into the layer {name[:8]}")
            except (JobFailed, JobLost, OSError) as error:
                log.warning("the layer %s was not made: %s", place, error)
                code = None
        ended = "" if code is None else f": pip ended with exit code {code}"
        return Layer(None, f"passrole: no layer was made of the requirements{ended}; the job installs them")

    async def _made(
        self,
        place: Path,
        requirements: bytes,
        settings: Mapping[str, str],
        environment: Path,
        sandbox: Sandbox,
    ) -> int | None:
        """The exit code of pip; None without a Python to run it. Raises JobFailed, JobLost, OSError."""
        run = place / RUN
        if processes.may_have_begun(run):  # a server that was killed had it begin
            try:
                return await self._awaited(place, sandbox)
            except JobLost:
                log.info("the layer %s is made anew", place)
        if not await asyncio.to_thread(kept_layers.begin, place, environment, requirements):
            return None
        return await self._awaited(place, sandbox, _installer(place, settings, environment, self._config))

    async def _awaited(self, place: Path, sandbox: Sandbox, program: Program | None = None) -> int:
        """Run pip, or wait for one that runs, and end it if nobody waits any more."""
        run = place / RUN
        try:
            if program is None:
                return await self._jobs.reattach(run, is_confined=sandbox.confines)
            command = command_line(program, place / "environment", sandbox)
            return await self._jobs.run(JobSpec(run, place, command, OUTSIDE, sandbox.confines))
        except asyncio.CancelledError:
            self._jobs.kill(run)
            raise


def _installer(place: Path, settings: Mapping[str, str], environment: Path, config: Config) -> Program:
    words = ("-m", "pip", "install", "--no-input", "--disable-pip-version-check", "-r")
    variables = {
        **settings,
        "PATH": f"{place / 'bin'}:{environment / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/tmp",  # noqa: S108 (the sandbox's own)
        "VIRTUAL_ENV": str(place),
    }
    world = layer_world(place, environment, config)
    command = [str(place / "bin" / "python"), *words, str(place / REQUIREMENTS)]
    return Program(command, variables, world, None, config.job_memory_mb)
