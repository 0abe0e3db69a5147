"""Runs the programs of EMR steps and bootstrap actions, and finds out why one failed.

It knows no state machine; the controller (emr_clusters.py) records the outcome. All calls to other services
go through the door as the role that the step runs as: the role inside the cluster's instance profile, or a
role of the step's own, which that role assumes.
https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-steps-runtime-roles.html
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from passrole import disk
from passrole.clock import Clock
from passrole.config import Config, ConfigError
from passrole.faults import Fault, Internal
from passrole.policy.request import Principal, service_principal
from passrole.runtimes import jobs
from passrole.runtimes.jobs import JobLost, Jobs, emr_folder
from passrole.runtimes.sandbox import NotText
from passrole.runtimes.spark import UNCHECKED, Spark
from passrole.runtimes.step_program import HOME
from passrole.services.context import CallOperation
from passrole.services.emr import commands, configurations, credentials, failures
from passrole.services.emr.commands import Plan, Unsupported
from passrole.services.emr.records import Cluster, EmrStep
from passrole.services.service_sessions import ServiceSession, SessionRequest, assume
from passrole.store import Store
from passrole.worker.emr_step_logs import EmrStepLogs
from passrole.worker.outages import OutlastingCalls
from passrole.worker.spark_programs import (
    SparkProgram,
    SparkPrograms,
    renewed_credentials,
    session_variables,
)

log = logging.getLogger(__name__)

_SPARK_ENV, _HADOOP_ENV = "spark-env", "hadoop-env"


@dataclass(frozen=True)
class Outcome:
    """How a program ended. `exit_code` is None where it could not be run; `details` are AWS's
    FailureDetails.
    """

    exit_code: int | None
    details: Mapping[str, str]


@dataclass(frozen=True)
class _Session:
    assumed: ServiceSession
    is_steps_own: bool

    @property
    def principal(self) -> Principal:
        return self.assumed.principal


class StepRunner:
    """Runs steps and bootstrap actions of clusters, each in a folder of its own below `<data>/emr`."""

    def __init__(
        self, store: Store, call: CallOperation, clock: Clock, config: Config, jobs: Jobs, spark: Spark
    ) -> None:
        self._call = OutlastingCalls(call)
        self._config = config
        self._jobs = jobs
        self._spark = spark
        self._programs = SparkPrograms(store, config, jobs, spark)
        self._logs = EmrStepLogs(self._call, clock)

    async def run(self, cluster: Cluster, step: EmrStep) -> Outcome:
        """Run a step to its end, and keep its logs."""
        folder = self.folder(cluster, step)
        folder.mkdir(parents=True, exist_ok=True)
        self._logs.note(folder, f"INFO startExec '{' '.join((step.jar, *step.args))}'")
        try:
            session = await self._session(cluster, step.role)
            plan = commands.plan(step, self._has)
            code = await self._executed(cluster, session, folder, plan, step)
        except (Unsupported, OSError) as error:
            return await self._ended(cluster, step, None, str(error))
        except Fault as fault:
            return await self._ended(cluster, step, None, fault.message)
        except JobLost:
            problem = jobs.limit_exceeded(folder) or "The step's processes were killed."
            return await self._ended(cluster, step, None, problem)
        return await self._ended(cluster, step, code, jobs.limit_exceeded(folder))

    async def reattach(self, cluster: Cluster, step: EmrStep) -> Outcome:
        """Wait for a step that an earlier server was to begin. One that began is never begun again; one that
        did not is run now, unless it is to end.
        """
        folder = self.folder(cluster, step)
        if not jobs.may_have_begun(folder):
            if step.interrupted is not None or cluster.state == "TERMINATING":
                return await self._ended(cluster, step, None, "The step was ended before it began.")
            return await self.run(cluster, step)
        try:
            code = await self._programs.reattach(folder)
        except JobLost:
            return await self._ended(
                cluster, step, None, "The server was stopped while the step ran, and the step with it."
            )
        return await self._ended(cluster, step, code, jobs.limit_exceeded(folder))

    def interrupt(self, cluster: Cluster, step: EmrStep, how: str | None) -> None:
        """Ask a step's processes to end, or end them."""
        folder = self.folder(cluster, step)
        self._logs.note(folder, f"WARN {how or 'SIGTERM'} is sent to the step")
        if how == "SIGKILL":
            self._jobs.kill(folder)
        else:
            self._jobs.interrupt(folder)

    def kill(self, cluster: Cluster, step: EmrStep) -> None:
        """End a step's processes at once."""
        self._jobs.kill(self.folder(cluster, step))

    async def bootstrap(self, cluster: Cluster) -> str | None:
        """Run the bootstrap actions in their order; the message of the first that fails, or None."""
        for number, action in enumerate(cluster.bootstrap, start=1):
            script = action["ScriptBootstrapAction"]
            folder = self._home(cluster) / f"bootstrap-{number}"
            args = ["bash", commands.SCRIPT, *script.get("Args", ())]
            where = str(script["Path"]).removeprefix("file://").removeprefix("file:")
            remote = commands.split_uri(where) is not None
            plan = Plan(
                tuple(args if remote else ["bash", where, *args[2:]]), script=where if remote else None
            )
            try:
                code = await self._bootstrapped(cluster, folder, plan)
            except (Fault, OSError, JobLost, Unsupported) as error:
                return f"Bootstrap action {number} could not be run: {getattr(error, 'message', error)}"
            if code != 0:
                return (
                    f"On the master instance ({cluster.instance}), bootstrap action {number} returned a"
                    " non-zero return code"
                )
        return None

    async def _bootstrapped(self, cluster: Cluster, folder: Path, plan: Plan) -> int:
        """An action that an earlier server began is waited for; one that it took with it is run again."""
        if jobs.may_have_begun(folder):
            try:
                return await self._programs.reattach(folder)
            except JobLost:
                jobs.reset(folder)
        return await self._executed(cluster, await self._session(cluster, None), folder, plan)

    async def check_roles(self, cluster: Cluster) -> str | None:
        """EMR's message for a cluster whose roles it cannot assume; None where it can.

        Raises Internal, which says nothing of the roles.
        """
        service = service_principal("elasticmapreduce.amazonaws.com", cluster.account, source=cluster.arn)
        try:
            await self._assumed(cluster, cluster.service_role, service)
        except Internal:
            raise
        except Fault:
            return f"EMR service role {cluster.service_role} is invalid"
        try:
            await self._session(cluster, None)
        except Internal:
            raise
        except Fault:
            return f"The role {cluster.instance_role} of the EC2 instance profile is invalid"
        return None

    def folder(self, cluster: Cluster, step: EmrStep) -> Path:
        """Where a step's files are."""
        return emr_folder(self._config.data, cluster.id, step.id)

    def _home(self, cluster: Cluster) -> Path:
        return emr_folder(self._config.data, cluster.id)

    async def _executed(
        self, cluster: Cluster, session: _Session, folder: Path, plan: Plan, step: EmrStep | None = None
    ) -> int:
        if plan.needs_spark:
            self._refuse_without_spark()
            if self._spark.objects is not None:
                self._logs.note(folder, f"WARN {UNCHECKED}")
        plan = self._with_example(plan)
        script = await self._fetched(cluster, session, folder, plan.script) if plan.script else ""
        settings = cluster.asked.get("Configurations", ())
        defaults, exports = (
            configurations.spark_defaults(settings),
            configurations.exports(settings, _SPARK_ENV),
        )
        words = [word.replace(commands.SCRIPT, script) if plan.script else word for word in plan.command]
        renewed = renewed_credentials(credentials.place(step), step.token, self._config) if step else None
        program = SparkProgram(
            folder,
            folder / HOME if session.is_steps_own else self._home(cluster) / HOME,
            words,
            session_variables(session.assumed.credentials, cluster.region, self._config, renewed),
            defaults,
            exports,
            configurations.exports(settings, _HADOOP_ENV),
            renewed,
        )
        try:
            return await self._programs.run(program)
        except (ConfigError, NotText) as error:
            raise Unsupported(str(error)) from error

    def _has(self, program: str) -> bool:
        return self._spark.program(program) is not None

    def _with_example(self, plan: Plan) -> Plan:
        """An example of Spark's own is compiled, or, in a Spark that came with pip, its Python twin."""
        if plan.example is None or self._spark.has_compiled_examples:
            return plan
        twin = self._spark.python_example(plan.example)
        if twin is None:
            raise Unsupported(f"this Spark has no example `{plan.example}`: it came without compiled ones")
        words = [str(twin) if word == plan.example else word for word in plan.command[1:]]
        return Plan(("spark-submit", *words), needs_spark=True)

    def _refuse_without_spark(self) -> None:
        reason = self._spark.unavailable_reason()
        if reason is not None:
            raise Unsupported(reason)

    async def _fetched(self, cluster: Cluster, session: _Session, folder: Path, uri: str) -> str:
        found = commands.split_uri(uri)
        assert found is not None, "a plan's script is an object"
        bucket, key = found
        parameters = {"Bucket": bucket, "Key": key}
        try:
            body: bytes = (
                await self._call("s3", "GetObject", parameters, session.principal, cluster.region)
            )["Body"]
        except Fault as fault:
            raise Unsupported(f"{uri} cannot be read: {fault.code}: {fault.message}") from fault
        path = folder / "script"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return str(path)

    async def _session(self, cluster: Cluster, role: str | None) -> _Session:
        """The instances' role, or the step's own, assumed by that. Raises what AssumeRole raises."""
        assumed = await assume(self._call, credentials.session_request(cluster))
        if role is not None:
            assumed = await self._assumed(cluster, role, assumed.principal)
        return _Session(assumed, is_steps_own=role is not None)

    async def _assumed(self, cluster: Cluster, role: str, caller: Principal) -> ServiceSession:
        return await assume(self._call, SessionRequest(role, cluster.instance, caller, cluster.region))

    async def _ended(
        self, cluster: Cluster, step: EmrStep, code: int | None, problem: str | None = None
    ) -> Outcome:
        folder = self.folder(cluster, step)
        ended = f"INFO waitProcessCompletion ended with exit code {code}"
        self._logs.note(folder, ended if problem is None else f"ERROR {problem}")

        async def instance_role() -> Principal:
            return (await self._session(cluster, None)).principal

        try:
            where = await self._logs.copy_to_s3(cluster, step, folder, instance_role)
            details = {} if code == 0 else await asyncio.to_thread(failures.explain, folder, problem, where)
        except Exception as error:  # how the program ended is known, and stays
            disk.report(log, error, f"the logs of step {step.id}")
            details = {}
        return Outcome(code, details)
