"""The composition root: config -> store, directory, runtimes, door, worker, gateway."""

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import uvicorn

from passrole import console, identities, idle, private_files, server_file, server_process
from passrole.api import Door, Interfere, call_log
from passrole.audit import Unrecorded
from passrole.clock import Clock, SteadyClock, system_clock
from passrole.config import Config
from passrole.gateway import Certificates, Gateway, Proxy, Target, proxy
from passrole.gateway.connections import Connection, sweep
from passrole.gateway.quiet_server import QuietServer
from passrole.gateway.tls import authority_path
from passrole.https_names import Https
from passrole.identities import Directory
from passrole.runtimes import https_files
from passrole.runtimes.functions import Functions
from passrole.runtimes.jobs import GRACE_SECONDS, Jobs
from passrole.runtimes.model_servers import ModelServers
from passrole.services import sqs
from passrole.services.emr import leftovers as emr_leftovers
from passrole.services.emr_serverless import leftovers as serverless_leftovers
from passrole.services.lambda_ import adoption as packages_adoption
from passrole.services.lambda_ import leftovers as lambda_leftovers
from passrole.services.program_credentials import ProgramCredentials
from passrole.services.s3 import copied_folders, upstream
from passrole.services.s3 import leftovers as s3_leftovers
from passrole.store import Store, opening
from passrole.worker import Worker, audit_trail, program_bearers, strangers
from passrole.worker.among_others import among_others, clock_of
from passrole.worker.async_invocations import AsyncInvocations
from passrole.worker.effects import AskTest
from passrole.worker.emr_clusters import ClusterController
from passrole.worker.emr_serverless import JobRunController
from passrole.worker.event_deliveries import EventDeliveries
from passrole.worker.event_matcher import EventMatcher
from passrole.worker.hosting import EndpointController
from passrole.worker.hosting import Means as HostingMeans
from passrole.worker.housekeeping import Housekeeping
from passrole.worker.jobs import JobRunner, Means
from passrole.worker.log_delivery import LoggedFunctions
from passrole.worker.queue_pollers import QueuePollers
from passrole.worker.scheduled_invocations import ScheduledInvocations
from passrole.worker.schedules import Schedules
from passrole.worker.supervisor import Supervisor
from passrole.worker.traces import Traces

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Access:
    """The command line's credentials as the administrator of a data folder's server."""

    account: str
    region: str
    access_key_id: str
    secret_access_key: str
    user: str
    role_name: str
    role_arn: str
    lambda_role_arn: str


@dataclass(frozen=True)
class Trial:
    """What a server for tests has and no other: whoever makes the server object gives it, and no call can.

    `clock` is moved by tests; `signing_clock`, by which signatures are judged, is the one that clients have.
    `interfere` may fail or answer a call that is allowed. `reason_to_fail` has the FailureReason of a job, by
    its ARN, that is to fail instead of being run. `ask_test` asks the function that stands for a step.
    """

    clock: Clock
    signing_clock: Clock
    interfere: Interfere
    reason_to_fail: Callable[[str], str | None]
    ask_test: AskTest


class Opened(NamedTuple):
    """A server without its listeners; the others are for the console. `running`: whether each loop runs;
    `lasting`: the programs that a server which is told to stop leaves to the next one.
    """

    gateway: Gateway
    store: Store
    door: Door
    directory: Directory
    running: Callable[[], Mapping[str, bool]]
    lasting: Sequence[Jobs] = ()


class CannotListen(Exception):
    """The server cannot listen on the address; the message says which and why."""


class ConsoleMissing(Exception):
    """The extra `console` is not installed; the message names the package that is missing."""


class DataFolderUnusable(Exception):
    """The data folder cannot be used; the message says why, and what to do."""


def serve(config: Config, ready: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT; `ready` is called with the URL once calls are accepted.

    Raises DataFolderInUse, ConfigError, CannotListen, ConsoleMissing, DataFolderUnusable.
    """
    call_log.start(config)
    listener = _listener(config, config.port)
    config = replace(config, port=listener.getsockname()[1])
    pages = _listener(config, config.console_port) if config.console else None
    if pages is not None:
        config = replace(config, console_port=pages.getsockname()[1])
    with (
        _disk_errors_in_one_line(config),
        proxy.listener(config.port) as tunnels,
        asyncio.Runner(loop_factory=server_process.loop_factory()) as runner,
    ):
        runner.run(_serve(config, listener, tunnels, pages, ready))


def onboard(config: Config, *, full_access: bool = False) -> Access:
    """Create the first identities without a server (`passrole init`); existing ones stay as they are.

    With `full_access` the execution role also has AmazonSageMakerFullAccess, if need be from now on. Raises
    DataFolderInUse, DataFolderUnusable.
    """
    with _disk_errors_in_one_line(config):
        return asyncio.run(_onboard_alone(config, full_access))


def access(config: Config) -> Access | None:
    """The administrator's credentials; None before onboarding. Raises DataFolderUnusable."""
    path = _credentials_path(config)
    try:
        return Access(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataFolderUnusable(f"`{path}` cannot be read: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise DataFolderUnusable(
            f"`{path}` is damaged: remove it, and the next start writes a new one"
        ) from error


def authority(config: Config) -> Path:
    """The CA certificate that clients need to trust the server's HTTPS."""
    return authority_path(config.data)


@asynccontextmanager
async def opened(
    config: Config, trial: Trial | None = None, tunnels: socket.socket | None = None
) -> AsyncIterator[Opened]:
    """Everything but the listener, wired and started; closed at the end. `tunnels` is where its proxy for
    AWS's https names listens.
    """
    upstream.check(config)
    if trial is None and not config.only:
        store = await opening.joined(config)
    else:
        store = opening.opened(config, is_durable=trial is None)
    try:
        wired = _of_s3(store, config) if config.only else _wired(store, config, trial, tunnels)
        async with wired as parts, among_others(store, parts.door.check):
            yield parts
    finally:
        await store.close()


@asynccontextmanager
async def _of_s3(store: Store, config: Config) -> AsyncIterator[Opened]:
    """A server of S3 alone: the gateway refuses the others, for which nothing works here."""
    await _onboard(store, config, system_clock)
    await copied_folders.adopt(store, config)
    await s3_leftovers.sweep(store, config)
    async with (
        audit_trail.alone(store, config) as (audit, running),
        idle.answering(store, config, system_clock, audit) as parts,
    ):
        yield Opened(parts.gateway, store, parts.door, parts.directory, running)


@asynccontextmanager
async def _wired(
    store: Store, config: Config, trial: Trial | None, tunnels: socket.socket | None
) -> AsyncIterator[Opened]:
    clock = trial.clock if trial else clock_of(store)
    grace_seconds, steady = 0.0 if trial else GRACE_SECONDS, SteadyClock(clock)
    directory = Directory(store, clock, config)
    functions = LoggedFunctions(Functions(config, steady), store, steady)
    trail = audit_trail.AuditTrail(store, config, steady)
    models = ModelServers()
    door = Door(
        store=store,
        directory=directory,
        functions=functions,
        models=models,
        audit=trail.audit,
        clock=clock,
        steady=steady,
        config=config,
        upstreams=upstream.of_services(config),
        interfere=trial.interfere if trial else None,
    )
    ask_test = trial.ask_test if trial else None
    worker = Worker(store, door.from_inside, functions, steady, ask_test=ask_test)
    supervisor = Supervisor()
    async_invocations = AsyncInvocations(store, functions, door.from_inside, steady, config)
    queue_pollers = QueuePollers(store, functions, door.from_inside, steady, config)
    matcher = EventMatcher(store, steady)
    delivering = [kind(store, door.from_inside, steady) for kind in (EventDeliveries, ScheduledInvocations)]
    schedules = Schedules(store, clock)
    *lasting, of_models = (Jobs(grace_seconds, config.processes_max) for _ in range(4))
    of_clusters, of_applications, of_jobs = lasting
    clusters = ClusterController(store, door.from_inside, steady, config, of_clusters)
    applications = JobRunController(store, door.from_inside, steady, config, of_applications)
    https = _https_of_jobs(config, tunnels).found
    jobs, endpoints = _of_sagemaker(store, door, steady, config, (of_jobs, of_models), models, https, trial)
    try:
        await _put_in_order(store, config, clock)
        functions.start(supervisor, door.from_inside)
        await worker.start(supervisor)
        worker.job_monitor.start(supervisor)
        worker.job_retries.start(supervisor)
        for loop in (async_invocations, queue_pollers, matcher, *delivering):
            loop.start(supervisor)
        await schedules.start(supervisor)
        periodic = Housekeeping(store, steady, config, functions), Traces(store, clock, config)
        for controller in (clusters, applications, *periodic, jobs, endpoints, trail):
            controller.start(supervisor)
        signing_clock = trial.signing_clock if trial else system_clock
        credentials = ProgramCredentials(store, door.from_inside, program_bearers.finders())
        gateway = Gateway(door, directory, credentials, signing_clock, config)
        yield Opened(gateway, store, door, directory, supervisor.running, lasting)
    finally:
        endpoints.leave()
        await asyncio.gather(of_jobs.close(), of_models.close())
        jobs.close()
        await supervisor.close()
        await worker.close()
        await functions.close()
        directory.close()
        await trail.close()


async def _put_in_order(store: Store, config: Config, clock: Clock) -> None:
    """Make what is missing of the first identities, and remove what a server that was killed has left."""
    await _onboard(store, config, clock)
    await strangers.end(store, config)  # before their folders go
    await copied_folders.adopt(store, config)
    await packages_adoption.adopt(store, config, clock)
    for leftovers in (s3_leftovers, lambda_leftovers, emr_leftovers, serverless_leftovers):
        await leftovers.sweep(store, config)
    await sqs.correct_future_times(store, clock)


def _https_of_jobs(config: Config, tunnels: socket.socket | None) -> https_files.Jobs:
    """How AWS's https names lead from jobs here; a server without a proxy leads none."""
    # its address as of now: jobs may begin after it is closed
    url = None if tunnels is None else partial(proxy.url, config.data, tunnels.getsockname())
    return https_files.Jobs(config.data, authority_path(config.data), url)


def _of_sagemaker(
    store: Store,
    door: Door,
    clock: Clock,
    config: Config,
    programs: tuple[Jobs, Jobs],
    models: ModelServers,
    https: Callable[[], Https | None],
    trial: Trial | None,
) -> tuple[JobRunner, EndpointController]:
    """What runs SageMaker's jobs, and the model servers of its endpoints."""
    reason_to_fail = trial.reason_to_fail if trial else _no_reason
    of_jobs, of_models = programs
    means = Means(door.from_inside, clock, config, of_jobs, https, reason_to_fail)
    hosted = HostingMeans(store, door.from_inside, clock, config, of_models, models, means.layers, https)
    return JobRunner(store, means), EndpointController(hosted)


def _no_reason(_arn: str) -> None:
    """No job of an ordinary server is to fail."""


@asynccontextmanager
async def at_rest(
    config: Config, clock: Clock = system_clock, *, writes: bool = False
) -> AsyncIterator[Gateway]:
    """The gateway of a data folder on which no server runs, without anything that works in the background.

    Without `writes` the folder stays as it is, the audit trail too, and a server may start meanwhile. With
    them no server can. Raises DataFolderInUse, DataFolderUnusable.
    """
    with _disk_errors_in_one_line(config):
        store = opening.opened(config) if writes else opening.looked_at(config)
    trail = audit_trail.alone(store, config) if writes else nullcontext((Unrecorded(), None))
    try:
        async with trail as (audit, _), idle.answering(store, config, clock, audit) as parts:
            yield parts.gateway
    finally:
        await store.close()


async def _serve(
    config: Config,
    listener: socket.socket,
    tunnels: socket.socket,
    pages: socket.socket | None,
    ready: Callable[[str], None],
) -> None:
    async with opened(config, tunnels=tunnels) as parts, _console(config, parts, pages):
        server_process.tune_garbage_collector()
        settings = uvicorn.Config(
            parts.gateway,
            http=Connection,
            proxy_headers=False,  # gateway/origin.py decides which proxies are trusted
            lifespan="off",
            ws="none",
            log_config=None,  # uvicorn's lines go through our handler
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=10,
        )
        try:
            await _Server(settings, config, parts, tunnels, ready).serve(sockets=[listener])
        finally:
            server_file.withdraw(config)


@asynccontextmanager
async def _console(config: Config, parts: Opened, pages: socket.socket | None) -> AsyncIterator[None]:
    """The pages for people, where they are asked for. Raises DataFolderUnusable without their extra."""
    if pages is None:
        yield
        return
    port = pages.getsockname()[1]
    clock = clock_of(parts.store)
    means = console.Means(parts.door, parts.directory, parts.store, clock, config, port, parts.running)
    try:
        listening = console.listening(means, pages)
    except console.NotInstalled as error:
        raise ConsoleMissing(str(error)) from error
    async with listening:
        yield


class _Server(QuietServer):
    """Announces that it is ready, and ends on a signal without raising it again, so that the exit code is 0.

    Besides the given listener it has one for TLS, and the proxy that leads there, both on loopback.
    """

    def __init__(
        self,
        settings: uvicorn.Config,
        config: Config,
        parts: Opened,
        tunnels: socket.socket,
        ready: Callable[[str], None],
    ) -> None:
        super().__init__(settings)
        self._config = config
        self._parts = parts
        self._tunnels = tunnels
        self._ready = ready
        self._supervisor = Supervisor()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._proxy = await self._start_proxy()
            self._supervisor.start("idle connections", lambda: sweep(self.server_state.connections))
            _announce(self._config, proxy.url(self._config.data, self._tunnels.getsockname()), self._ready)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._supervisor.close()
        self._proxy.close()  # open tunnels are not awaited: they may last for ever
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ctrl-C ends all programs; a service manager, by SIGTERM, the server alone."""
        if sig == signal.SIGTERM:
            for each in self._parts.lasting:
                each.leave()
        self._parts.gateway.end_waiting()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    async def _start_proxy(self) -> asyncio.Server:
        certificates = Certificates(self._config.data)
        await certificates.prepare(self._parts.store, system_clock())
        tls = await asyncio.get_running_loop().create_server(
            self._protocol, _LOOPBACK, 0, ssl=certificates.context()
        )
        self.servers.append(tls)
        ours = Target(*tls.sockets[0].getsockname())
        password = proxy.password(self._config.data)
        passing = Proxy(ours, password, self._config.upstream_proxy)
        return await asyncio.start_server(passing.serve, sock=self._tunnels, limit=proxy.HEAD_BYTES_MAX)

    def _protocol(self) -> asyncio.Protocol:
        """Like uvicorn's own protocol factory, which is not public."""
        protocol: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return protocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


def _announce(config: Config, proxy_url: str, ready: Callable[[str], None]) -> None:
    server_file.announce(config, proxy_url)
    ready(config.endpoint_url)


def _listener(config: Config, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    # the protocol is named, so that asyncio sends answers at once: it asks for that only where it is TCP
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, port))
    except OSError as error:
        listener.close()
        raise CannotListen(f"`{config.host_in_url}:{port}`: {error.strerror}") from error
    return listener


@contextmanager
def _disk_errors_in_one_line(config: Config) -> Iterator[None]:
    """Turn errors of the disk and the database into DataFolderUnusable."""
    try:
        yield
    except opening.StoreUnusable as error:
        raise DataFolderUnusable(f"the store cannot be used: {error}") from None
    except opening.DISK_ERRORS as error:
        message = f"the data folder `{config.data}` cannot be used: {opening.problem(error)}"
        raise DataFolderUnusable(message) from error


async def _onboard_alone(config: Config, full_access: bool) -> Access:
    store = opening.opened(config)
    try:
        return await _onboard(store, config, system_clock, full_access)
    finally:
        await store.close()


async def _onboard(store: Store, config: Config, clock: Clock, full_access: bool = False) -> Access:
    """Create the first identities in a new folder, and write the credentials file.

    The folder keeps itself out of a repository that it lies in.
    """
    made = await store.write(lambda tx: identities.onboard(tx, config, clock(), full_access=full_access))
    ignored = config.data / ".gitignore"
    if not ignored.exists():
        private_files.write(ignored, b"*\n")
    result = Access(
        account=config.account,
        region=config.region,
        access_key_id=made.access_key,
        secret_access_key=made.secret_key,
        user=made.admin_user,
        role_name=made.role_name,
        role_arn=made.role_arn,
        lambda_role_arn=made.lambda_role_arn,
    )
    private_files.write(_credentials_path(config), json.dumps(asdict(result), indent=2).encode())
    return result


def _credentials_path(config: Config) -> Path:
    return config.data / "credentials.json"
