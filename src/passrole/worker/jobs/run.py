"""One job from its creation to its end: inputs come, programs run, outputs go.

    Starting ── Downloading ── Training | Processing ── Uploading ── Completed | Failed | Stopped

Stopped, or past its time, a program gets TERM, and KILL 120 seconds later; its outputs are kept.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopTrainingJob.html
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, TypeVar

from passrole import disk, trees
from passrole.clock import Clock
from passrole.config import Config
from passrole.https_names import Https
from passrole.runtimes import containers, transfer
from passrole.runtimes import jobs as processes
from passrole.runtimes.images import Chosen
from passrole.runtimes.interface import Credentials
from passrole.runtimes.jobs import JobLost, Jobs
from passrole.runtimes.ml import artefacts
from passrole.runtimes.ml.environment import Access, RenewedCredentials
from passrole.runtimes.sandbox import SERIAL
from passrole.runtimes.transfer import Transfer
from passrole.services import program_credentials
from passrole.services.context import CallOperation
from passrole.services.sagemaker.jobs import credentials, states
from passrole.services.sagemaker.jobs.kinds import JobKind, has_network_of_its_own, output_key
from passrole.services.sagemaker.jobs.records import COMPLETED, FAILED, STOPPED, Job
from passrole.services.service_sessions import SessionCache, assume
from passrole.store import Store, Tx
from passrole.worker import shared_output, writes
from passrole.worker.following import Follower, beside, followed
from passrole.worker.jobs import inputs, outputs, programs, serving
from passrole.worker.jobs.batch import DATA_LOG, DONE, OBJECTS, Batch
from passrole.worker.jobs.contracts import contract_of
from passrole.worker.jobs.failures import BAD_MESSAGE, LOST, JobFailed, exited, not_confined, serial_refusal
from passrole.worker.jobs.fence import FencedCalls
from passrole.worker.jobs.instance_run import InstanceRun, sandbox
from passrole.worker.jobs.layers import Layers
from passrole.worker.jobs.log_stream import LogStream
from passrole.worker.jobs.measurements import Measurements
from passrole.worker.jobs.outputs import Output, Sent
from passrole.worker.jobs.programs import Instance
from passrole.worker.jobs.s3 import Objects
from passrole.worker.jobs.serving import ModelServer
from passrole.worker.jobs.synchronised import SynchronisedFolder
from passrole.worker.outages import OutlastingCalls

log = logging.getLogger(__name__)

T = TypeVar("T")

GRACE_SECONDS = 120.0
SERVER_GRACE_SECONDS = 10.0
"""For a model's server, which has nothing to save."""

WAITS = "Waiting for another job, which has /opt/ml"
_KILLED = 137
ASK_SECONDS = 0.1
WRITE_SECONDS_MAX = 5.0
RUNTIME_SECONDS_DEFAULT = 86_400
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html"""

_NETWORK_NOTE = "passrole: VpcConfig is recorded and not obeyed; the job has the network of this machine"


@dataclass(frozen=True)
class Means:
    """What every job is run with."""

    call: CallOperation
    clock: Clock
    config: Config
    jobs: Jobs
    https: Callable[[], Https | None] = lambda: None
    """How AWS's https names reach the server; None where it has no proxy for them."""

    reason_to_fail: Callable[[str], str | None] = lambda _arn: None
    """The FailureReason of a job, by its ARN, that is to fail before it begins: a test wants it so."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Whose turn it is where jobs are not confined, and share one /opt/ml."""

    @cached_property
    def layers(self) -> Layers:
        """The layers of what jobs require."""
        return Layers(self.config, self.jobs)


def instances_of(kind: JobKind, job: Job, config: Config) -> list[Instance]:
    """The job's instances, whose folders are in the data folder."""
    home = processes.job_folder(config.data, kind.resource, job.key)
    hosts = enumerate(contract_of(kind).hosts(job).names)
    return [Instance(host, number, home / host) for number, host in hosts]


async def clean(instances: Sequence[Instance]) -> None:
    """Remove containers and free the disk; what the programs printed stays."""
    for instance in instances:
        await containers.remove(instance.home)
        SERIAL.forget(instance.ml)
        instance.variables.unlink(missing_ok=True)
        of_batch = (instance.home / name for name in (DONE, OBJECTS))
        for path in (instance.ml, instance.views, instance.home / "tmp", *of_batch):
            await asyncio.to_thread(trees.remove, path)


async def discard(instances: Sequence[Instance]) -> None:
    """Free the disk before the end is written: without its outputs, no job may be found to have succeeded."""
    for instance in instances:
        processes.lose(instance.run)
    await clean(instances)


class JobRun:
    """A job under way in this process."""

    def __init__(self, kind: JobKind, job: Job, store: Store, means: Means, stop: asyncio.Event) -> None:
        self._kind = kind
        self._contract = contract_of(kind)
        self._job = job
        self._store = store
        self._means = means
        self._stop = stop
        self._call = OutlastingCalls(FencedCalls(means.call, store, kind, job.key))
        self._sessions = SessionCache(self._call, means.clock)
        self._request = credentials.session_request(job)
        self._in_s3: dict[tuple[str, str], Sent] = {}
        metrics = self._contract.metrics(job.request)
        self._measurements = Measurements(kind, job, metrics, store, means.clock)
        self._instances = instances_of(kind, job, means.config)
        self._runs = {each.host: self._run_of(each) for each in self._instances}
        self._servers = [
            ModelServer(self._runs[each.host], job.served[each.number])
            for each in (self._instances if self._contract.serves else ())
        ]
        self._has_turn = False
        self._folder = processes.job_folder(means.config.data, kind.resource, job.key)
        self._transfer = Transfer(self._folder)

    async def to_its_end(self) -> Mapping[str, Any]:
        """How it ended, as fields of its record. Raises JobFailed, Fault, OSError; then nothing runs on.

        It leaves the job's files: until the end is written, another process may have to find it again.
        """
        try:
            return await beside(self._with_transfers(), self._sharing())
        except OSError:  # such as a full disk, on which the server can do nothing while these files are there
            await self._end_now()
            await discard(self._instances)
            raise
        except Exception:
            await self._end_now()
            raise
        finally:
            if self._has_turn:
                self._means.turn.release()

    def _sharing(self) -> Sequence[Follower]:
        """What tells the other servers how far its data have come."""
        return shared_output.followers(self._store, self._means.config, self._folder, (transfer.FILE,))

    async def _with_transfers(self) -> Mapping[str, Any]:
        try:
            return await self._outcome_and_results()
        finally:
            self._transfer.end()

    def _run_of(self, instance: Instance) -> InstanceRun:
        workload = self._contract.workload(self._job, instance.number)
        if has_network_of_its_own(self._job):
            workload = replace(workload, note=_NETWORK_NOTE)
        return InstanceRun(
            workload, instance, self._means.config, self._means.jobs, partial(self._access, instance)
        )

    async def _end_now(self) -> None:
        for each in self._runs.values():
            await each.end_now()

    async def _outcome_and_results(self) -> Mapping[str, Any]:
        has_begun = any(processes.may_have_begun(each.run) for each in self._instances)
        if not has_begun and (self._stop.is_set() or not await self._is_prepared()):
            return {"status": STOPPED}
        if self._contract.serves:
            return await self._batch_outcome()
        codes, is_late = await self._ended()
        ended = self._outcome(codes, is_late)
        try:
            results = await self._collect()
        except JobFailed as error:
            if ended["status"] == COMPLETED:
                raise
            log.warning("the outputs of %s: %s", self._job.arn, error)
            results = {}
        return {**ended, **results}

    async def _batch_outcome(self) -> Mapping[str, Any]:
        """The servers of the model run as long as they are asked; a job that was stopped leaves nothing."""
        await self._tell(self._kind.word)
        batch = Batch(self._job, self._servers, self._instances[0], self._objects, self._means.clock)
        running = asyncio.gather(*map(self._executed, self._instances))
        asking = asyncio.ensure_future(batch.run(running))
        stopped = asyncio.ensure_future(self._stop.wait())
        try:
            futures: set[asyncio.Future[Any]] = {running, asking, stopped}
            await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done() and running.done() and not stopped.done():
                raise JobFailed(serving.ended(running.result()[0]))
            asking.cancel()
            await asyncio.wait({asking})
            await self._interrupt(running, SERVER_GRACE_SECONDS)
            await asyncio.wait({running})
            if asking.cancelled():
                return {"status": STOPPED}
            failure = asking.result()
            await self._tell("Uploading")
            await batch.upload(await self._objects(self._transfer))
        except JobLost:
            raise JobFailed(LOST) from None
        finally:
            batch.close()
            for each in (running, asking, stopped):
                each.cancel()
        return {"status": FAILED, "failure_reason": failure} if failure else {"status": COMPLETED}

    async def _is_prepared(self) -> bool:
        """Prepare every instance, unless the job is stopped meanwhile."""
        preparing = asyncio.ensure_future(self._prepare())
        stopped = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({preparing, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not self._stop.is_set():
                await preparing
                return True
            preparing.cancel()
            await asyncio.wait({preparing})
            return False
        finally:
            preparing.cancel()
            stopped.cancel()

    async def _prepare(self) -> None:
        """Make every instance's folder and bring its inputs. What an earlier process left is removed."""
        reason = self._means.reason_to_fail(self._job.arn)
        if reason is not None:
            raise JobFailed(reason)
        forms = {host: await run.form() for host, run in self._runs.items()}
        is_sandboxed = any(form.form != "container" for form in forms.values())
        takes_turns = is_sandboxed and not (await sandbox(self._means.config)).confines
        if takes_turns:
            await self._take_turn()
        await self._tell("Downloading")
        objects = await self._objects(self._transfer)
        wanted = self._contract.inputs(self._job.request)
        if takes_turns:  # what is not confined could write to the objects themselves
            wanted = [replace(one, is_read_only=False) for one in wanted]
        for instance in self._instances:
            await containers.remove(instance.home)
            await asyncio.to_thread(trees.remove, instance.home)
            if self._contract.serves:
                await self._servers[instance.number].prepare(objects)
                await self._servers[instance.number].install(self._means.layers)
            else:
                await self._prepare_instance(instance, forms[instance.host], wanted, objects)

    async def _prepare_instance(
        self, instance: Instance, form: Chosen, wanted: Sequence[inputs.Input], objects: Objects
    ) -> None:
        hosts = self._contract.hosts(self._job)
        made = self._contract.folder(self._job, hosts, instance.host)
        await asyncio.to_thread(programs.lay_out, made, hosts.names, instance)
        for one in wanted:
            root = instance.views if one.is_read_only else instance.ml
            await inputs.place(objects, one, root, instance.number, len(self._instances))
        if form.form == "script":
            await self._fetch_code(objects, instance)
        if form.form == "container":
            await self._runs[instance.host].contain()
        await self._runs[instance.host].install(form, self._means.layers)
        placed = {(one.path, one.uri.rstrip("/")) for one in wanted}
        for each in self._contract.outputs(self._job):
            if (each.path, each.uri.rstrip("/")) in placed:  # checkpoints go to where they came from
                sent = self._sent(instance, each)
                await asyncio.to_thread(outputs.know, each, instance.ml, sent)

    async def _fetch_code(self, objects: Objects, instance: Instance) -> None:
        """The user's code for script mode, whose address is JSON in a hyperparameter, or plain text."""
        given = (self._job.request.get("HyperParameters") or {}).get("sagemaker_submit_directory", "")
        try:
            uri = json.loads(given)
        except ValueError:
            uri = given
        if isinstance(uri, str) and uri.startswith("s3://"):
            await serving.fetch_code(objects, uri, instance)

    async def _ended(self) -> tuple[list[int], bool]:
        """Every instance's exit code, and whether the time was over."""
        await self._tell(self._kind.word)
        started = self._job.started or self._means.clock()
        limit = (self._job.request.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds")
        left = started + (limit or RUNTIME_SECONDS_DEFAULT) - self._means.clock()
        running = asyncio.gather(*map(self._executed, self._instances))
        running.add_done_callback(_heard)
        stopped = asyncio.ensure_future(self._stop.wait())
        try:
            futures: set[asyncio.Future[Any]] = {running, stopped}
            await asyncio.wait(futures, timeout=max(left, 0), return_when=asyncio.FIRST_COMPLETED)
            is_over = running.done() or all(processes.has_ended(each.run) for each in self._instances)
            is_late = not is_over and not stopped.done()
            if not is_over:
                await self._interrupt(running, GRACE_SECONDS)
            return list(await running), is_late
        except JobLost:
            told = next(filter(None, (processes.limit_exceeded(each.run) for each in self._instances)), None)
            raise JobFailed(exited(_KILLED, told) if told else LOST) from None
        finally:
            running.cancel()
            stopped.cancel()

    async def _executed(self, instance: Instance) -> int:
        """Run the program of an instance, or wait for one that an earlier process started."""
        running = asyncio.ensure_future(self._runs[instance.host].run())
        try:
            return await followed(running, self._followers(instance))
        except Exception:
            self._means.jobs.kill(instance.run)  # while it is still known to run; a cancelled one goes on
            raise
        finally:
            running.cancel()

    def _followers(self, instance: Instance) -> list[Follower]:
        group = f"/aws/sagemaker/{self._kind.member}s"
        name = f"{self._job.name}/{instance.host}-{int(self._job.created)}"
        stream = LogStream(group, name, instance.run, self._objects, self._means.clock)
        if self._contract.serves:
            data = LogStream(
                group, f"{name}/{DATA_LOG}", instance.run, self._objects, self._means.clock, source=DATA_LOG
            )
            return [stream, data]
        folders = [
            SynchronisedFolder(one, instance, self._sent(instance, one), self._objects)
            for one in self._contract.outputs(self._job)
            if one.is_synchronised
        ]
        return [stream, self._measurements.of(instance), *folders]

    def _sent(self, instance: Instance, output: Output) -> Sent:
        return self._in_s3.setdefault((instance.host, output.path), {})

    async def _access(self, instance: Instance) -> Access:
        url = self._means.config.endpoint_url
        is_isolated = self._runs[instance.host].workload.is_isolated
        https = None if is_isolated else await asyncio.to_thread(self._means.https)
        return Access(self._job.region, url, await self._credentials(instance), https)

    async def _credentials(self, instance: Instance) -> Credentials | RenewedCredentials | None:
        """Credentials that renew themselves, which SDKs fetch from a loopback address only."""
        if self._runs[instance.host].workload.is_isolated:
            return None
        url = self._means.config.loopback_url
        if url is None:
            return (await assume(self._call, self._request)).credentials
        token, token_hash = program_credentials.new_token()
        await self._written(
            lambda tx: states.entrusted(tx, self._kind, self._job.key, instance.host, token_hash)
        )
        place = credentials.place(self._kind, self._job, instance.host)
        return RenewedCredentials(f"{url}{program_credentials.PATH}{place}", token)

    async def _take_turn(self) -> None:
        """Where only one job at a time finds its files, wait for the others of this server."""
        isolated = any(each.workload.is_isolated for each in self._runs.values())
        if refusal := serial_refusal(len(self._instances), is_isolated=isolated):
            raise JobFailed(refusal)
        if self._means.turn.locked():
            log.info("the job %s waits for another one, which has /opt/ml", self._job.name)
            await self._written(self._waits)
        await self._means.turn.acquire()
        self._has_turn = True

    def _waits(self, tx: Tx) -> None:
        now, job = self._means.clock(), self._kind.collection.get(tx, self._job.key)
        if job is not None and not job.has_ended:
            states.update(tx, self._kind, states.waiting(job, WAITS), now)

    async def _interrupt(self, running: "asyncio.Future[list[int]]", grace_seconds: float) -> None:
        """TERM once to each program, also to one that is only about to start; KILL to what is left."""
        loop = asyncio.get_running_loop()
        until, unasked = loop.time() + grace_seconds, list(self._runs.values())
        while not running.done() and loop.time() < until:
            unasked = [each for each in unasked if not await each.asked_to_end()]
            wait = ASK_SECONDS if unasked else until - loop.time()
            await asyncio.wait({running}, timeout=wait)
        for each in self._runs.values() if not running.done() else ():
            await each.kill_program()

    async def _collect(self) -> dict[str, Any]:
        """Bring the outputs to S3, whatever the exit code; further fields of the record."""
        await self._tell("Uploading")
        objects = await self._objects(self._transfer)
        for one in self._contract.outputs(self._job):
            if one.is_archive:
                mls = [instance.ml for instance in self._instances]
                await outputs.upload_archive(objects, one, mls, self._instances[0].home)
                continue
            for instance in self._instances:
                await outputs.upload(objects, one, instance.ml, self._sent(instance, one))
        return {"exit_message": self._message(self._contract.exit_message_file)}

    def _outcome(self, codes: list[int], is_late: bool) -> dict[str, Any]:
        if is_late:
            return {"status": STOPPED, **self._contract.late}
        if self._stop.is_set():
            return {"status": STOPPED}
        for instance, code in zip(self._instances, codes, strict=True):
            if code != 0:
                return {"status": FAILED, "failure_reason": self._reason(instance, code)}
        return {"status": COMPLETED}

    def _reason(self, instance: Instance, code: int) -> str:
        if exceeded := processes.limit_exceeded(instance.run):
            return exited(code, exceeded)
        printed = processes.read_output(instance.run, processes.STDOUT, 0, 1024)
        try:
            message = self._message(self._failure_file(instance))
        except JobFailed as error:
            return str(error)
        is_sandbox = not containers.exists(instance.home)  # the container of an image is no sandbox of ours
        return (not_confined(code, printed) if is_sandbox else None) or exited(code, message)

    def _failure_file(self, instance: Instance) -> str | None:
        workload = self._runs[instance.host].workload
        return programs.failure_file(workload, self._means.config) or self._contract.failure_file

    def _message(self, name: str | None) -> str | None:
        if name is None:
            return None
        try:
            found = [artefacts.message(instance.ml, name) for instance in self._instances]
        except UnicodeDecodeError:
            raise JobFailed(BAD_MESSAGE) from None
        return "".join(each for each in found if each) or None

    async def _tell(self, phase: str) -> None:
        """Write that the job is in its next phase; one that is stopping stays so. Raises JobFailed where
        another server has said that it is lost: its outputs may be those of the next attempt already.
        """

        def write(tx: Tx) -> Job:
            now = self._means.clock()
            job = self._kind.collection.get(tx, self._job.key)
            if job is None or job.has_ended:
                raise JobFailed(LOST)
            changed = states.in_phase(self._kind, job, phase, now)
            return job if changed == job else states.update(tx, self._kind, changed, now)

        self._job = await self._written(write)
        self._transfer.begin(phase)

    async def _written(self, fn: Callable[[Tx], T]) -> T:
        """Raises JobFailed where the disk stays full: it may be the job itself that fills it."""
        what = f"the job `{self._job.name}`"
        try:
            return await writes.written(self._store, fn, what, seconds_max=WRITE_SECONDS_MAX)
        except writes.REFUSED as error:
            raise JobFailed(f"InternalServerError: {disk.problem(error) or LOST}") from None

    async def _objects(self, transfer: Transfer | None = None) -> Objects:
        principal = await self._sessions.principal(self._request)
        data = None if self._means.config.s3_endpoint else self._means.config.data
        key = output_key(self._job) if data else None  # another S3 has other keys
        return Objects(self._call, principal, self._job.region, data, transfer, key)


def _heard(over: "asyncio.Future[Any]") -> None:
    """Where the server ends nobody asks what became of it any more, and asyncio would log that."""
    if not over.cancelled():
        over.exception()
