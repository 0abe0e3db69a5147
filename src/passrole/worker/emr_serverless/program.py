"""The program of a job run of EMR Serverless: spark-submit on this machine's Spark, as the job run's role.

It knows no state machine; the controller records the outcome. EMR Serverless assumes the role for the
application, which is what aws:SourceArn has.
https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/security-iam-runtime-role.html
"""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path

from passrole import disk
from passrole.clock import Clock
from passrole.config import Config, ConfigError
from passrole.faults import Fault
from passrole.runtimes import jobs
from passrole.runtimes.jobs import JobLost, Jobs, serverless_folder
from passrole.runtimes.sandbox import NotText
from passrole.runtimes.spark import Spark
from passrole.runtimes.step_program import HOME
from passrole.services.context import CallOperation
from passrole.services.emr import configurations, failures
from passrole.services.emr.commands import without_master
from passrole.services.emr_serverless import commands, credentials
from passrole.services.emr_serverless.records import CANCELLING, JobRun
from passrole.services.service_sessions import ServiceSession, assume
from passrole.store import Store
from passrole.worker.emr_serverless import logs
from passrole.worker.following import followed
from passrole.worker.jobs.s3 import Objects
from passrole.worker.outages import OutlastingCalls
from passrole.worker.spark_programs import (
    SparkProgram,
    SparkPrograms,
    renewed_credentials,
    session_variables,
)

log = logging.getLogger(__name__)

_FAILED = "Job failed, please check complete logs in configured logging destination. ExitCode: {code}."
_EXCEPTIONS = " Last few exceptions: {message}"


@dataclass(frozen=True)
class Outcome:
    """How a program ended. `exit_code` is None where it could not be run; `details` are for a failure."""

    exit_code: int | None
    details: str = ""


class JobRunPrograms:
    """Runs attempts of job runs, each in a folder of its own below `<data>/emr-serverless`."""

    def __init__(self, store: Store, call: CallOperation, clock: Clock, config: Config, jobs: Jobs) -> None:
        self._call = OutlastingCalls(call)
        self._clock = clock
        self._config = config
        self._jobs = jobs
        self._spark = Spark(config)
        self._programs = SparkPrograms(store, config, jobs, self._spark)

    async def run(self, run: JobRun) -> Outcome:
        """Run an attempt to its end, and keep its logs."""
        reason = self._spark.unavailable_reason()
        if reason is not None:
            return Outcome(None, reason)
        try:
            session = await self._assumed(run)
            return await self._ended(run, self._programs.run(self._program(run, session)))
        except Fault as fault:
            return Outcome(None, f"The role {run.role} cannot be assumed: {fault.message}")
        except (ConfigError, NotText, OSError) as error:
            return Outcome(None, str(error))

    async def reattach(self, run: JobRun) -> Outcome:
        """Wait for an attempt that an earlier server was to begin. One that began is never begun again; one
        that did not is run now, unless it is to end.
        """
        folder = self.folder(run)
        if jobs.may_have_begun(folder):
            return await self._ended(run, self._programs.reattach(folder))
        if run.state == CANCELLING:
            return Outcome(None, "The job run was cancelled before it began.")
        return await self.run(run)

    def interrupt(self, run: JobRun) -> bool:
        """Ask an attempt's processes to end; whether there were any to ask."""
        return self._jobs.interrupt(self.folder(run))

    def kill(self, run: JobRun) -> None:
        """End an attempt's processes at once."""
        self._jobs.kill(self.folder(run))

    def folder(self, run: JobRun) -> Path:
        """Where an attempt's files are."""
        return serverless_folder(self._config.data, run.application_id, run.id, run.attempt)

    def _program(self, run: JobRun, session: ServiceSession) -> SparkProgram:
        overrides = run.asked.get("configurationOverrides") or {}
        settings = commands.settings([*run.runtime, *(overrides.get("applicationConfiguration") or ())])
        defaults, folder = configurations.spark_defaults(settings), self.folder(run)
        words = commands.spark_submit(run.asked["jobDriver"])
        renewed = renewed_credentials(credentials.place(run), run.secret, self._config)
        return SparkProgram(
            folder,
            folder / HOME,
            ["spark-submit", *without_master(words)],
            session_variables(session.credentials, run.region, self._config, renewed),
            defaults,
            configurations.exports(settings, "spark-env"),
            commands.driver_variables(defaults, words),
            renewed,
        )

    async def _ended(self, run: JobRun, running: Awaitable[int]) -> Outcome:
        folder = self.folder(run)
        code: int | None = None
        problem: str | None = None
        try:
            code = await self._followed(run, folder, running)
            problem = jobs.limit_exceeded(folder)
        except JobLost:
            problem = jobs.limit_exceeded(folder) or (
                "The server was stopped while the job run went on, and its program with it."
            )
        try:
            await logs.copy_to_s3(run, folder, lambda: self._objects(run))
        except Exception as error:  # how the program ended is known, and stays
            disk.report(log, error, f"the logs of {run.arn}")
        if code == 0:
            return Outcome(code)
        if problem is None:
            problem = await asyncio.to_thread(_details, folder, code)
        return Outcome(code, problem)

    async def _followed(self, run: JobRun, folder: Path, running: Awaitable[int]) -> int:
        program = asyncio.ensure_future(running)
        followers = list(logs.streams(run, folder, lambda: self._objects(run), self._clock))
        try:
            return await followed(program, followers)
        finally:
            program.cancel()

    async def _objects(self, run: JobRun) -> Objects:
        return Objects(self._call, (await self._assumed(run)).principal, run.region)

    async def _assumed(self, run: JobRun) -> ServiceSession:
        return await assume(self._call, credentials.session_request(run))


def _details(folder: Path, code: int | None) -> str:
    message = failures.explain(folder, None, None).get("Message")
    return _FAILED.format(code=code) + (_EXCEPTIONS.format(message=message) if message else "")
