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
from passrole.runtimes.jobs import Jobs
from passrole.runtimes.spark import Spark
from passrole.runtimes.step_program import StepProgram


@dataclass(frozen=True)
class SparkProgram:
    """A command, whose first word is looked up among Spark's programs and on the path.

    `session` are its variables of AWS, `defaults` Spark's properties, `exports` variables that Spark's own
    programs read when they start, `variables` those of the program.
    """

    folder: Path
    home: Path
    command: Sequence[str]
    session: Mapping[str, str]
    defaults: Mapping[str, str] = field(default_factory=dict)
    exports: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


class SparkPrograms:
    """Runs them in their folders, each once."""

    def __init__(self, config: Config, jobs: Jobs, spark: Spark) -> None:
        self._config = config
        self._jobs = jobs
        self._spark = spark

    async def run(self, program: SparkProgram) -> int:
        """The exit code. Raises ConfigError, NotText and OSError where it cannot be started, JobLost."""
        folder, home, words = program.folder, program.home, program.command
        await asyncio.to_thread(
            self._spark.configure, folder, program.defaults, program.exports, program.session
        )
        command = [self._spark.program(words[0]) or words[0], *words[1:]]
        variables = self._spark.variables(folder, home, {**program.variables, **program.session})
        spec = await asyncio.to_thread(
            step_program.job, StepProgram(folder, home, command, variables), self._config, self._spark
        )
        code = await self._jobs.run(spec)
        step_program.forget(folder)
        return code

    async def reattach(self, folder: Path) -> int:
        """The exit code of a program that an earlier server has started. Raises JobLost."""
        try:
            return await self._jobs.reattach(folder)
        finally:
            step_program.forget(folder)


def session_variables(credentials: Credentials, region: str, config: Config) -> dict[str, str]:
    """The variables of AWS by which a program calls this server in a session."""
    return {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": config.endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
    }
