"""The program of one instance in this process: started or found again, asked to end, killed.

It outlives the server (runtimes/jobs): whoever makes an InstanceRun of the same folder again finds it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from passrole.config import Config
from passrole.runtimes import containers, job_machine, kept_layers
from passrole.runtimes import jobs as processes
from passrole.runtimes.containers import ContainerRefused, EngineMissing
from passrole.runtimes.images import Chosen
from passrole.runtimes.jobs import Jobs, JobSpec
from passrole.runtimes.ml.environment import Access
from passrole.runtimes.sandbox import OUTSIDE, Sandbox, SandboxMissing, chosen
from passrole.worker.jobs import programs
from passrole.worker.jobs.container import container
from passrole.worker.jobs.failures import JobFailed
from passrole.worker.jobs.layers import Layer, Layers
from passrole.worker.jobs.programs import Instance, Program
from passrole.worker.jobs.workload import Workload

_LAYER = "layer"
"""In the folder of an instance: the place of its kept layer."""


class InstanceRun:
    """What runs of a workload on an instance. `access` gives its program a role's credentials, and is asked
    when one is started.
    """

    def __init__(
        self,
        workload: Workload,
        instance: Instance,
        config: Config,
        jobs: Jobs,
        access: Callable[[], Awaitable[Access]],
    ) -> None:
        self.workload = workload
        self.instance = instance
        self._config = config
        self._jobs = jobs
        self._access = access
        self._layer: Layer | None = None

    async def form(self) -> Chosen:
        """How the image is run. Raises JobFailed where it cannot be."""
        return await asyncio.to_thread(programs.form_of, self.workload, self._config)

    async def contain(self) -> None:
        """Make the container of an image that runs in one, which fetches the image. Raises JobFailed."""
        try:
            engine = await asyncio.to_thread(containers.found, self._config.containers)
            made = container(self.workload, self.instance, self._config, await self._access())
            await containers.create(engine, made, self.instance.home)
        except (EngineMissing, ContainerRefused) as error:
            raise JobFailed(f"ClientError: {error}") from None

    async def install(self, form: Chosen, layers: Layers) -> None:
        """Have what the program requires before it starts: without pip's work where it was done before."""
        if self.workload.is_isolated:
            return
        found = await asyncio.to_thread(programs.requirements_of, self.workload, form, self.instance)
        if found is None or not kept_layers.is_keepable(found.text):
            return
        environment = job_machine.python_home(self._config, form.environment)
        given = self.workload.environment("", Access("", "", None))
        settings = {name: value for name, value in given.items() if name.startswith("PIP_")}
        self._layer = await layers.layer(found.text, settings, environment, await sandbox(self._config))
        if self._layer.place is not None:
            (self.instance.home / _LAYER).write_text(str(self._layer.place))
            await asyncio.to_thread(found.satisfied)

    def use_layer(self) -> None:
        """Count the layer of a program that runs for long as used now, whichever server has started it."""
        with contextlib.suppress(FileNotFoundError):
            kept_layers.is_complete(Path((self.instance.home / _LAYER).read_text()))

    async def run(self) -> int:
        """Start the program, or find the one that an earlier process started; its exit code at its end.

        A cancelled one goes on. Raises JobFailed, JobLost, OSError.
        """
        home = self.instance.home
        if processes.may_have_begun(self.instance.run):
            is_confined = not containers.exists(home) and (await sandbox(self._config)).confines
            return await self._jobs.reattach(self.instance.run, is_confined=is_confined)
        if containers.exists(home):
            command, environment = containers.command(home), containers.environment()
            is_confined = False
        else:
            access = await self._access()
            found = await sandbox(self._config)
            command = programs.command_line(self._program(access), self.instance.variables, found)
            environment, is_confined = OUTSIDE, found.confines
        return await self._jobs.run(JobSpec(self.instance.run, home, command, environment, is_confined))

    def _program(self, access: Access) -> Program:
        layer = self._layer
        if layer is None:
            return programs.program(self.workload, self.instance, self._config, access)
        program = programs.program(self.workload, self.instance, self._config, access, layer.place)
        return replace(program, warning="\n".join(filter(None, [layer.note, program.warning])))

    async def asked_to_end(self) -> bool:
        """Send TERM; False where there is no program to ask yet."""
        is_asked = await containers.signal(self.instance.home, "TERM")
        return self._jobs.interrupt(self.instance.run) if is_asked is None else is_asked

    async def kill_program(self) -> None:
        """Kill the program; how it ended is recorded."""
        if await containers.signal(self.instance.home, "KILL") is None:
            self._jobs.kill_program(self.instance.run)

    async def end_now(self) -> None:
        """Kill everything at once, the record of its end too."""
        self._jobs.kill(self.instance.run)
        await containers.remove(self.instance.home)


async def sandbox(config: Config) -> Sandbox:
    """Raises JobFailed where the machine has none: /opt/ml of an instance is made in it."""
    try:
        found = await asyncio.to_thread(chosen, config.sandbox, config.containers)
    except SandboxMissing as error:
        raise JobFailed(f"ClientError: {error}") from None
    if not found.shows:
        raise JobFailed("ClientError: jobs need a sandbox, and the setting `sandbox` is `none`")
    return found
