"""Runs programs that have Spark beside them: those of EMR's clusters, and of EMR Serverless's job runs.

It knows neither: what is run as whom, and what becomes of it, is the caller's.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from passrole.config import Config
from passrole.runtimes import step_program
from passrole.runtimes.interface import Credentials
from passrole.runtimes.jobs import STDERR, STDOUT, Jobs
from passrole.runtimes.ml import environment
from passrole.runtimes.ml.environment import RenewedCredentials
from passrole.runtimes.spark import Spark
from passrole.runtimes.step_program import StepProgram
from passrole.services.program_credentials import PATH
from passrole.store import Store
from passrole.worker import shared_output
from passrole.worker.following import Follower, beside


@dataclass(frozen=True)
class SparkProgram:
    """A command, whose first word is looked up among Spark's programs and on the path.

    `session` are its variables of AWS, `defaults` Spark's properties, `exports` variables that Spark's own
    programs read when they start, `variables` those of the program. `renewed` is where it gets
    credentials again.
    """

    folder: Path
    home: Path
    command: Sequence[str]
    session: Mapping[str, str]
    defaults: Mapping[str, str] = field(default_factory=dict)
    exports: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    renewed: RenewedCredentials | None = None


class SparkPrograms:
    """Runs them in their folders, each once."""

    def __init__(self, store: Store, config: Config, jobs: Jobs, spark: Spark) -> None:
        self._store = store
        self._config = config
        self._jobs = jobs
        self._spark = spark

    async def run(self, program: SparkProgram) -> int:
        """The exit code. Raises ConfigError, NotText and OSError where it cannot be started, JobLost."""
        folder, home, words = program.folder, program.home, program.command
        await asyncio.to_thread(
            self._spark.configure, folder, program.defaults, program.exports, program.session, program.renewed
        )
        words = self._spark.with_shared(folder, words)
        command = [self._spark.program(words[0]) or words[0], *words[1:]]
        variables = self._spark.variables(folder, home, {**program.variables, **program.session})
        spec = await asyncio.to_thread(
            step_program.job, StepProgram(folder, home, command, variables), self._config, self._spark
        )
        code = await beside(self._jobs.run(spec), self._followers(folder))
        step_program.forget(folder)
        return code

    async def reattach(self, folder: Path) -> int:
        """The exit code of a program that an earlier server has started. Raises JobLost."""
        try:
            return await beside(self._jobs.reattach(folder), self._followers(folder))
        finally:
            step_program.forget(folder)

    def _followers(self, folder: Path) -> Sequence[Follower]:
        return shared_output.followers(self._store, self._config, folder, (STDERR, STDOUT))


def renewed_credentials(place: str, token: str, config: Config) -> RenewedCredentials | None:
    """Where the program in a place gets its role's credentials again; None for one of an older server."""
    return RenewedCredentials(f"{config.endpoint_url}{PATH}{place}", token) if token else None


def session_variables(
    credentials: Credentials, region: str, config: Config, renewed: RenewedCredentials | None
) -> dict[str, str]:
    """The variables of AWS by which a program calls this server as its role.

    SDKs fetch credentials from a loopback address only; elsewhere they have those of one session.
    """
    given: Credentials | RenewedCredentials = credentials
    if renewed is not None and config.loopback_url is not None:
        path = renewed.uri.removeprefix(config.endpoint_url)
        given = RenewedCredentials(config.loopback_url + path, renewed.token)
    return {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": config.endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        **environment.of_credentials(given),
    }
