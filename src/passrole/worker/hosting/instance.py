"""One instance of an endpoint's variant: its containers prepared, started, asked, started again, ended.

    prepared ── started ── answers /ping ── serves ──┐
                   └──────── its program ends ───────┘

A program that ends is started again after a second at first and a minute at last; the endpoint's log says so.
Before its endpoint is in service for the first time, it is given up after STARTS_MAX times, or when /ping was
not answered in time. Killed at any moment with passrole's server: a program that runs is found again, one
that has ended meanwhile is started anew in the folder that was prepared.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from passrole import disk, trees
from passrole.clock import Clock
from passrole.config import Config
from passrole.faults import Fault
from passrole.https_names import Https
from passrole.runtimes import containers
from passrole.runtimes import jobs as processes
from passrole.runtimes.interface import Credentials
from passrole.runtimes.jobs import JobLost, Jobs
from passrole.runtimes.ml.environment import Access, RenewedCredentials
from passrole.runtimes.model_servers import ModelServers
from passrole.services import program_credentials
from passrole.services.context import CallOperation
from passrole.services.sagemaker.hosting import credentials as hosting
from passrole.services.sagemaker.hosting import states
from passrole.services.sagemaker.hosting.records import Endpoint, Hosted, log_group, place_of
from passrole.services.service_sessions import SessionCache, assume
from passrole.store import Store
from passrole.worker import writes
from passrole.worker.following import followed
from passrole.worker.hosting.chain import Chain
from passrole.worker.jobs import serving
from passrole.worker.jobs.failures import JobFailed
from passrole.worker.jobs.instance_run import InstanceRun, sandbox
from passrole.worker.jobs.layers import Layers
from passrole.worker.jobs.log_stream import LogStream
from passrole.worker.jobs.programs import Instance
from passrole.worker.jobs.s3 import Objects
from passrole.worker.jobs.serving import ModelServer
from passrole.worker.outages import OutlastingCalls
from passrole.worker.supervisor import HEALTHY_SECONDS, backoff_seconds

log = logging.getLogger(__name__)

STARTS_MAX = 3
DRAIN_SECONDS = 60.0
"""As long as an invocation may last."""

GRACE_SECONDS = 30.0
"""https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"""

_PREPARED = "prepared"
_ASK_SECONDS = 0.05
_IN_USE_SECONDS = 86_400.0
_SERIAL = (
    "ClientError: the setting `sandbox` is `serial`, where one job at a time has /opt/ml, and a model server "
    "would keep it: an endpoint needs bubblewrap, root or containers"
)


@dataclass(frozen=True)
class Means:
    """What every instance is run with."""

    store: Store
    call: CallOperation
    clock: Clock
    config: Config
    jobs: Jobs
    servers: ModelServers
    layers: Layers
    https: Callable[[], Https | None] = lambda: None


class HostedInstance:
    """An instance of a variant under way in this process. `changed` is called when it is ready, or given up.

    `may_give_up`: its endpoint has never served with it. `failure` is then why it was.
    """

    def __init__(self, endpoint: Endpoint, hosted: Hosted, means: Means, changed: Callable[[], None]) -> None:
        self.hosted = hosted
        self.may_give_up = True
        self.is_ready = False
        self.failure: str | None = None
        self._endpoint = endpoint
        self._variant = hosted.variant
        self._means = means
        self._changed = changed
        self._place = place_of(endpoint, hosted.fleet, hosted.variant["name"])
        self._home = home_of(means.config, endpoint.key) / hosted.id
        self._request = hosting.session_request(endpoint, hosted)
        self._call = OutlastingCalls(means.call)
        self._sessions = SessionCache(self._call, means.clock)
        self._stages = [
            self._stage(number, each) for number, each in enumerate(self._variant["containers"], 1)
        ]
        self._ending = asyncio.Event()

    async def run(self) -> None:
        """Until it is given up; cancelled, the programs go on."""
        failures = 0
        while not self._ending.is_set():
            began = self._means.clock()
            try:
                told = await self._served()
            except (JobFailed, Fault, OSError) as error:
                told = _reason(error)
                if self.may_give_up:
                    await self._give_up(told)
                    return
            was_healthy = self._means.clock() - began >= HEALTHY_SECONDS
            failures = 0 if was_healthy else failures + 1
            if self.may_give_up and failures >= STARTS_MAX:
                await self._give_up(self._did_not_pass())
                return
            if self._ending.is_set():
                return
            delay = backoff_seconds(max(failures - 1, 0))
            log.warning("a model server of %s: %s; again in %g s", self._endpoint.arn, told, delay)
            await self._tell(f"passrole: {told}; it is started again in {delay:g} s")
            await asyncio.sleep(delay)

    async def end(self, *, drains: bool) -> None:
        """Ask the programs to end, once those that wait for answers have them, and remove the files.

        Call it before the loop that `run` is in is stopped, and again where it raises: OSError.
        """
        self._ending.set()
        self.is_ready = False
        seconds = DRAIN_SECONDS if drains else 0.0
        await self._means.servers.withdraw(self._place, self.hosted.id, seconds)
        loop = asyncio.get_running_loop()
        until = loop.time() + GRACE_SECONDS
        unasked = [each.run for each in self._stages if processes.is_running(each.run.instance.run)]
        asked = list(unasked)
        while asked and loop.time() < until:
            unasked = [each for each in unasked if not await each.asked_to_end()]
            asked = [each for each in asked if not processes.has_ended(each.instance.run)]
            await asyncio.sleep(_ASK_SECONDS)
        for each in asked:
            await each.end_now()

    async def remove(self) -> None:
        """Kill and remove what is left of it, once the loop of `run` is stopped. Call it again where it
        raises: OSError.
        """
        for stage in self._stages:
            await killed(stage.run.instance.home)
        await asyncio.to_thread(trees.remove, self._home)

    def leave(self) -> None:
        """What happens to the programs from now on is none of their failures."""
        self._ending.set()

    async def _served(self) -> str:
        """Start the containers and serve with them; why they serve no more.

        Raises JobFailed, Fault, OSError.
        """
        await self._prepare()
        runs = [asyncio.ensure_future(self._followed(stage)) for stage in self._stages]
        try:
            return await self._serve(runs)
        finally:
            self.is_ready = False
            await self._means.servers.withdraw(self._place, self.hosted.id)
            await self._settle(runs)

    async def _serve(self, runs: "Sequence[asyncio.Future[int]]") -> str:
        seconds_max = self._variant["request"].get(
            "ContainerStartupHealthCheckTimeoutInSeconds", serving.READY_SECONDS_MAX
        )
        for stage, running in zip(self._stages, runs, strict=True):
            try:
                await stage.until_ready(running, seconds_max)
            except (JobFailed, JobLost):
                if running.done():  # it may be started again, and its exit code is told below
                    break
                raise JobFailed(self._did_not_pass(stage)) from None
        else:
            self._means.servers.add(
                self._place, self.hosted.id, Chain([each.client for each in self._stages])
            )
            self.is_ready = True
            self._changed()
        return _ended(await self._first(runs))

    async def _first(self, runs: "Sequence[asyncio.Future[int]]") -> "asyncio.Future[int]":
        """The first of the programs that ends. As long as they run, their kept layers are in use."""
        while True:
            done, _ = await asyncio.wait(runs, timeout=_IN_USE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return next(iter(done))
            for stage in self._stages:
                await asyncio.to_thread(stage.run.use_layer)

    async def _settle(self, runs: "Sequence[asyncio.Future[int]]") -> None:
        """End what is left of the containers, unless this task is cancelled: then they go on."""
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            for each in runs:
                each.cancel()
            return
        for stage, running in zip(self._stages, runs, strict=True):
            if not running.done():
                await stage.run.end_now()
        await asyncio.wait(runs)
        for each in runs:
            if not each.cancelled():
                each.exception()

    async def _prepare(self) -> None:
        """Bring the models and make everything anew, unless it is there already. A program that an earlier
        server has started is left as it is.
        """
        for stage in self._stages:
            instance = stage.run.instance
            if processes.is_running(instance.run):
                continue
            if (instance.home / _PREPARED).exists():
                await containers.remove(instance.home)
                await asyncio.to_thread(trees.remove, instance.run)
                if (await stage.run.form()).form == "container":
                    await stage.run.contain()
                await stage.install(self._means.layers)
                continue
            await self._check_sandbox(stage)
            await asyncio.to_thread(trees.remove, instance.home)
            seconds_max = self._variant["request"].get("ModelDataDownloadTimeoutInSeconds", 3600)
            try:
                async with asyncio.timeout(seconds_max):
                    await stage.prepare(await self._objects())
            except TimeoutError:
                raise JobFailed(
                    f"ClientError: The model data were not downloaded in {seconds_max} s"
                ) from None
            (instance.home / _PREPARED).touch()
            await stage.install(self._means.layers)

    async def _check_sandbox(self, stage: ModelServer) -> None:
        form = (await stage.run.form()).form
        if form != "container" and not (await sandbox(self._means.config)).confines:
            raise JobFailed(_SERIAL)

    async def _followed(self, stage: ModelServer) -> int:
        running = asyncio.ensure_future(stage.run.run())
        try:
            return await followed(running, [self._log_of(stage)] if self._request else [])
        finally:
            running.cancel()

    def _log_of(self, stage: ModelServer) -> LogStream:
        """The containers of a model in a row have streams of their own."""
        instance = stage.run.instance
        container = "" if len(self._stages) == 1 else f"/container_{instance.number}"
        name = f"{self._variant['name']}/{self.hosted.id}{container}"
        group = log_group(self._endpoint.name)
        return LogStream(group, name, instance.run, self._objects, self._means.clock)

    async def _tell(self, line: str) -> None:
        """Write a line of passrole's own into the endpoint's log."""
        for stage in self._stages if self._request else ():
            instance = stage.run.instance
            if not instance.run.exists():
                continue
            with suppress(OSError):
                with (instance.run / processes.STDOUT).open("ab") as file:
                    file.write(f"{line}\n".encode())
                await self._log_of(stage).bring(is_last=True)
            return

    async def _give_up(self, reason: str) -> None:
        await self._tell(f"passrole: {reason}")
        self.failure = reason
        self._changed()

    def _did_not_pass(self, stage: ModelServer | None = None) -> str:
        """https://github.com/aws/sagemaker-python-sdk/issues/793"""
        number = stage.run.instance.number if stage else 1
        given = self._variant["containers"][number - 1].get("ContainerHostname")
        name = given or ("primary" if len(self._stages) == 1 else f"container_{number}")
        return (
            f"The {name} container for production variant {self._variant['name']} did not pass the ping "
            "health check. Please check CloudWatch logs for this endpoint."
        )

    def _stage(self, number: int, container: Mapping[str, Any]) -> ModelServer:
        instance = Instance(self.hosted.id, number, self._home / f"container-{number}")
        work = serving.workload(container, is_isolated=self._variant["is_isolated"])
        access = partial(self._access, instance)
        run = InstanceRun(work, instance, self._means.config, self._means.jobs, access)
        return ModelServer(run, container)

    async def _objects(self) -> Objects:
        if self._request is None:
            raise JobFailed("ClientError: The model has no ExecutionRoleArn, as whom its data are downloaded")
        principal = await self._sessions.principal(self._request)
        data = None if self._means.config.s3_endpoint else self._means.config.data
        return Objects(self._call, principal, self._endpoint.region, data)

    async def _access(self, instance: Instance) -> Access:
        url = self._means.config.endpoint_url
        https = None if self._variant["is_isolated"] else await asyncio.to_thread(self._means.https)
        return Access(self._endpoint.region, url, await self._credentials(instance), https)

    async def _credentials(self, instance: Instance) -> Credentials | RenewedCredentials | None:
        """Credentials that renew themselves, which SDKs fetch from a loopback address only."""
        if self._variant["is_isolated"] or self._request is None:
            return None
        url = self._means.config.loopback_url
        if url is None:
            return (await assume(self._call, self._request)).credentials
        token, token_hash = program_credentials.new_token()
        folder = self._means.store.share.folder
        owner, key = hosting.owner(self.hosted, instance.number, folder), self._endpoint.key
        await writes.written(
            self._means.store,
            lambda tx: states.entrusted(tx, key, owner, token_hash),
            f"the endpoint `{self._endpoint.name}`",
        )
        return RenewedCredentials(f"{url}{hosting.address(self._endpoint, owner)}", token)


def home_of(config: Config, key: str) -> Path:
    """Where the files of an endpoint's instances are."""
    return processes.job_folder(config.data, hosting.RESOURCE, key)


def keys_of_homes(config: Config) -> set[str]:
    """Of all endpoints that have files here; a key is an account, a region and a name."""
    root = home_of(config, "")
    return {each.relative_to(root).as_posix() for each in root.glob("*/*/*")}


async def killed(home: Path) -> None:
    """Kill what runs in a container's folder, whoever has started it, and wait until it is gone."""
    await processes.kill_found(home / "run")
    await containers.remove(home)


def _reason(error: Exception) -> str:
    if isinstance(error, Fault):
        return f"ClientError: {error.message}"
    if isinstance(error, OSError):
        return f"InternalServerError: {disk.problem(error) or error.strerror or error}"
    return str(error)


def _ended(running: "asyncio.Future[int]") -> str:
    """What is told of a container that has ended, or is gone. Raises what its program raises else."""
    with suppress(JobLost):
        return f"the model server has ended with exit code {running.result()}"
    return "the model server is gone"
