"""What runs for a job on one instance: its program, its environment and its world."""

import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from passrole import private_files, trees
from passrole.config import Config, ConfigError
from passrole.runtimes import frameworks, image_names, images, job_machine, python_layer, spark_image
from passrole.runtimes import programs as own_programs
from passrole.runtimes.images import CannotRun, Chosen
from passrole.runtimes.ml import folder
from passrole.runtimes.ml.environment import Access
from passrole.runtimes.ml.hosts import Hosts
from passrole.runtimes.sandbox import NotText, Sandbox, World, confined, exported
from passrole.runtimes.sandbox.machine import shared, visible
from passrole.runtimes.sandbox.start import is_text
from passrole.runtimes.sandbox.world import hosts_file
from passrole.runtimes.spark_image import SparkMissing
from passrole.services.sagemaker.jobs.kinds import JobKind
from passrole.services.sagemaker.jobs.records import Job
from passrole.worker.jobs.contracts import contract_of
from passrole.worker.jobs.failures import JobFailed

ML = Path(folder.ROOT)
CODE = "input/code.tar.gz"
"""From /opt/ml: where script mode finds the user's code, which was fetched as the job's role."""

LAYER = "site"
"""From /opt/ml: the environment in which Python runs, and into which pip installs."""

SPARK = "input/spark"
"""From /opt/ml: Spark's configuration."""

_LAYERED = ("entrypoint", "script", "spark")

_OURS = Path(own_programs.__file__).resolve().parent

_JOINED = 'exec "$@" 2>&1 < "$0"'


@dataclass(frozen=True)
class Instance:
    """One instance of a job: its host name, its number from 0, and its folders on this machine."""

    host: str
    number: int
    home: Path

    @property
    def ml(self) -> Path:
        """What the program sees as /opt/ml."""
        return self.home / "ml"

    @property
    def views(self) -> Path:
        """The inputs that its program sees and cannot change, by their paths in /opt/ml."""
        return self.home / "views"

    @property
    def run(self) -> Path:
        """Where the program's output and its end are kept."""
        return self.home / "run"

    @property
    def variables(self) -> Path:
        """The program's environment, for a shell to read."""
        return self.home / "environment"


@dataclass(frozen=True)
class Program:
    """A command line, its environment, and what it sees. `warning` is the first line of its log. `memory_mb`
    is the most that a process of it may ask for, if it is not 0.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    world: World
    warning: str | None
    memory_mb: int = 0


def command_line(program: Program, instance: Instance, sandbox: Sandbox) -> list[str]:
    """What runs the program in its sandbox, with sandbox.OUTSIDE as environment; its errors go to its output.

    Writes the program's environment. Raises JobFailed for what can be none, OSError.
    """
    try:
        command = [*_limited(program.memory_mb), *program.command]
        made, inside = exported(program.environment), confined(sandbox, program.world, command)
    except NotText as error:
        raise JobFailed(f"ClientError: {error}") from None
    instance.variables.unlink(missing_ok=True)
    private_files.write(instance.variables, made)
    said = f"printf '%s\\n' {shlex.quote(program.warning)}; " if program.warning else ""
    return ["/bin/sh", "-c", said + _JOINED, str(instance.variables), *inside]


def hosts_of(kind: JobKind, job: Job) -> Hosts:
    """The instances that a job asked for."""
    resources = contract_of(kind).cluster(job.request)
    return Hosts(resources.get("InstanceCount") or 1, resources.get("InstanceType") or "")


def lay_out(kind: JobKind, job: Job, instance: Instance) -> None:
    """Make /opt/ml of an instance before its inputs come."""
    hosts = hosts_of(kind, job)
    made = contract_of(kind).folder(job, hosts, instance.host)
    instance.home.mkdir(mode=private_files.FOLDER_MODE, parents=True, exist_ok=True)
    folder.lay_out(made, instance.ml)
    (instance.home / "tmp").mkdir(exist_ok=True)
    (instance.home / "hosts").write_text(hosts_file(*hosts.names))


def form_of(kind: JobKind, job: Job, config: Config) -> Chosen:
    """How the job's image is run; it may try a container engine. Raises JobFailed where it cannot be."""
    try:
        return contract_of(kind).form(job.request, job_machine.machine(config))
    except CannotRun as error:
        raise JobFailed(f"ClientError: {error}") from None


def program(kind: JobKind, job: Job, instance: Instance, config: Config, access: Access) -> Program:
    """What runs on an instance. Raises JobFailed where it is not there."""
    chosen = form_of(kind, job, config)
    python_home = job_machine.python_home(config, chosen.environment)
    has_layer = chosen.form in _LAYERED and _has_layer(instance, python_home)
    path = job_machine.path(python_home)
    layer = f"{ML / LAYER / 'bin'}:" if has_layer else ""
    variables = contract_of(kind).environment(job, layer + path, access)
    command = _command(kind, job, chosen, ML / LAYER if has_layer else python_home)
    if not command:
        raise JobFailed("ClientError: The job names no program: give ContainerEntrypoint")
    if not all(map(is_text, command)):
        raise JobFailed("ClientError: The command line of the job has a character that no program can get")
    here = f"{instance.ml / LAYER / 'bin'}:{path}"
    if shutil.which(command[0], path=here) is None and not command[0].startswith(str(ML)):
        raise JobFailed(f"ClientError: The program {command[0]} was not found on the path of the job")
    if has_layer:
        variables = {"VIRTUAL_ENV": str(ML / LAYER), **variables}
    if chosen.form == "spark":
        variables = {**variables, **_spark(instance, config, python_home, access)}
    contract = contract_of(kind)
    warning = _warning(job.request[contract.specification][contract.image], chosen, python_home)
    world = _world(kind, job, instance, config, python_home)
    return Program(command, variables, world, warning, config.job_memory_mb)


def _limited(memory_mb: int) -> list[str]:
    """What starts a program with a limit of its address space, which its children inherit."""
    return ["/bin/sh", "-c", 'ulimit -v "$0" && exec "$@"', str(memory_mb * 1024)] if memory_mb else []


def _warning(image: str, chosen: Chosen, python_home: Path) -> str | None:
    """What the program may miss; a program of the user's own need not use the image's framework."""
    if chosen.form == "command":
        return None
    differs = frameworks.difference(image, python_home, tells_missing=chosen.form != "entrypoint")
    return differs and f"passrole: {differs}"


def views(kind: JobKind, job: Job, instance: Instance) -> dict[Path, Path]:
    """The inputs that a program cannot change, where it sees them, and where they are."""
    inputs = contract_of(kind).inputs(job.request)
    return {ML / one.path: instance.views / one.path for one in inputs if one.is_read_only}


def _has_layer(instance: Instance, python_home: Path) -> bool:
    """Make the job's layer upon the user's environment, which is read-only."""
    place = instance.ml / LAYER
    trees.remove(place)
    return python_layer.create(place, python_home)


def _spark(instance: Instance, config: Config, python_home: Path, access: Access) -> dict[str, str]:
    try:
        found = spark_image.variables(config, python_home, ML / SPARK)
    except SparkMissing as error:
        raise JobFailed(f"ClientError: {error}") from None
    spark_image.configure(instance.ml / SPARK, access)
    return found


def _command(kind: JobKind, job: Job, chosen: Chosen, python_home: Path) -> list[str]:
    specification: Mapping[str, Any] = job.request.get(contract_of(kind).specification) or {}
    entrypoint = specification.get("ContainerEntrypoint") or ()
    arguments = specification.get("ContainerArguments") or ()
    python = str(python_home / "bin" / "python")
    match chosen.form:
        case "script":
            tells = images.tells_errors(specification["TrainingImage"])
            options = ("--capture-error",) if tells else ()
            return [python, str(_OURS / "script_mode.py"), "--code", str(ML / CODE), *options]
        case "xgboost":
            tag = image_names.tag(specification["TrainingImage"]) or ""
            return [python, str(_OURS / "xgboost_mode.py"), "--tag", tag]
        case "spark":
            return [python, str(_OURS / "smspark_submit.py"), *entrypoint[1:], *arguments]
        case "command":
            return [*chosen.command, *entrypoint, *arguments]
        case _:
            return [*entrypoint, *arguments]


def _world(kind: JobKind, job: Job, instance: Instance, config: Config, python_home: Path) -> World:
    contract = contract_of(kind)
    return World(
        work=ML / contract.work,
        writable={**_shared(config), ML: instance.ml},
        readable={
            Path("/etc/hosts"): instance.home / "hosts",
            python_home: python_home,
            _OURS: _OURS,
            **visible(filter(None, [config.s3a_jars]), config.data.resolve()),
            **views(kind, job, instance),
        },
        hidden=(config.data.resolve(),),
        temporary=instance.home / "tmp",
        hostname=instance.host,
        network=not contract.is_isolated(job.request),
    )


def _shared(config: Config) -> dict[Path, Path]:
    try:
        return {path: path for path in shared(config)}
    except ConfigError as error:  # it was there when the server started
        raise JobFailed(f"ClientError: {error}") from None
