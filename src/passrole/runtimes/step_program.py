"""The program of an EMR step or of a bootstrap action: what it sees of the machine, and how it is started.

In a sandbox it sees its working folder, its temporary files, which are also its /tmp, its configuration and
script, and the home of its cluster, where a bootstrap action leaves what the steps use. Where Spark reads
`s3://` as files, the objects of all buckets are there too, whatever its role may read.
"""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from passrole import private_files
from passrole.config import Config
from passrole.runtimes.jobs import JobSpec
from passrole.runtimes.sandbox import OUTSIDE, World, confined, exported, machine
from passrole.runtimes.spark import CREDENTIALS, TEMPORARY, Spark

HOME = "home"
"""The folder of a cluster that its steps and bootstrap actions have as their home."""

_ENVIRONMENT = "environment"
_GIVEN = 'exec "$@" < "$0"'


@dataclass(frozen=True)
class StepProgram:
    """A command line and its environment. `folder` is the step's own, `home` its home."""

    folder: Path
    home: Path
    command: Sequence[str]
    variables: Mapping[str, str]

    @property
    def work(self) -> Path:
        """Where it runs."""
        return self.folder / "work"


def job(program: StepProgram, config: Config, spark: Spark) -> JobSpec:
    """The program as a job. Raises OSError, ConfigError, and ValueError for what no program can get."""
    sandbox = machine.sandbox(config)
    for folder in (program.work, program.home):
        folder.mkdir(parents=True, exist_ok=True)
    if not sandbox.confines:
        return JobSpec(program.folder, program.work, program.command, program.variables)
    inside = confined(sandbox, _world(program, config, spark), program.command)
    environment = program.folder / _ENVIRONMENT
    environment.unlink(missing_ok=True)
    private_files.write(environment, exported(program.variables))
    command = ["/bin/sh", "-c", _GIVEN, str(environment), *inside]
    return JobSpec(program.folder, program.work, command, OUTSIDE)


def forget(folder: Path) -> None:
    """Remove the environment of a program that is over: it has credentials."""
    (folder / _ENVIRONMENT).unlink(missing_ok=True)


def _world(program: StepProgram, config: Config, spark: Spark) -> World:
    data, world = config.data.resolve(), machine.world(config, program.work)
    temporary = program.folder / TEMPORARY
    own = [program.folder / name for name in ("conf", CREDENTIALS, "script")]
    own_writable = (program.work, temporary, program.home, spark.objects)
    return replace(
        world,
        writable={**world.writable, **_there(*filter(None, own_writable))},
        readable={**world.readable, **machine.visible(spark.places(), data), **_there(*own)},
        temporary=temporary,
        hostname=socket.gethostname(),  # by which workers of a Spark cluster find it
    )


def _there(*paths: Path) -> dict[Path, Path]:
    return {path: path for path in paths if path.exists()}
