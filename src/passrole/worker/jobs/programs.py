"""What runs for a job on one instance: its program, its environment and its world."""

import shlex
import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from passrole import private_files, trees
from passrole.config import Config, ConfigError
from passrole.runtimes import (
    frameworks,
    image_names,
    images,
    job_machine,
    python_layer,
    remote_function,
    requirements,
    spark_image,
)
from passrole.runtimes import programs as own_programs
from passrole.runtimes.images import CannotRun, Chosen
from passrole.runtimes.ml import folder
from passrole.runtimes.ml.environment import Access
from passrole.runtimes.ml.folder import Folder
from passrole.runtimes.requirements import Requirements
from passrole.runtimes.sandbox import NotText, Sandbox, World, confined, exported
from passrole.runtimes.sandbox.machine import shared, visible
from passrole.runtimes.sandbox.start import is_text
from passrole.runtimes.sandbox.world import hosts_file
from passrole.runtimes.spark_image import SparkMissing
from passrole.worker.jobs.failures import JobFailed
from passrole.worker.jobs.workload import Workload

ML = Path(folder.ROOT)
CODE = "input/code.tar.gz"
"""From /opt/ml: where script mode finds the user's code, which was fetched as the job's role."""

LAYER = "site"
"""From /opt/ml: the environment in which Python runs, and into which pip installs."""

SPARK = "input/spark"
"""From /opt/ml: Spark's configuration."""

SOCKET = "server/socket"
"""From /opt/ml: where a model's server listens."""

PORT = "port"
"""In the folder of an instance: the port of a server that knows no such socket."""

PORT_VARIABLE = "SAGEMAKER_BIND_TO_PORT"
"""https://github.com/aws/sagemaker-inference-toolkit/blob/master/src/sagemaker_inference/parameters.py"""

_LAYERED = ("entrypoint", "script", "function", "notebook", "spark", "serving script")

_IN_LAYER = {"VIRTUAL_ENV": str(ML / LAYER), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
"""The check would ask an index, even where nothing is to be installed."""

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
    """A command line, its environment, and what it sees. `warning` begins its log. `memory_mb` is the most
    that a process of it may ask for, if it is not 0.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    world: World
    warning: str | None
    memory_mb: int = 0


def command_line(program: Program, variables: Path, sandbox: Sandbox) -> list[str]:
    """What runs the program in its sandbox, with sandbox.OUTSIDE as environment; its errors go to its output.

    Writes the program's environment to the file `variables`. Raises JobFailed for what can be none, OSError.
    """
    try:
        command = [*_limited(program.memory_mb), *program.command]
        made, inside = exported(program.environment), confined(sandbox, program.world, command)
    except NotText as error:
        raise JobFailed(f"ClientError: {error}") from None
    variables.unlink(missing_ok=True)
    private_files.write(variables, made)
    said = f"printf '%s\\n' {shlex.quote(program.warning)}; " if program.warning else ""
    return ["/bin/sh", "-c", said + _JOINED, str(variables), *inside]


def lay_out(made: Folder, names: Sequence[str], instance: Instance) -> None:
    """Make /opt/ml of an instance before its inputs come; `names` are the hosts of its job."""
    instance.home.mkdir(mode=private_files.FOLDER_MODE, parents=True, exist_ok=True)
    folder.lay_out(made, instance.ml)
    (instance.home / "tmp").mkdir(exist_ok=True)
    (instance.home / "hosts").write_text(hosts_file(*names))


def form_of(workload: Workload, config: Config) -> Chosen:
    """How the image is run; it may try a container engine. Raises JobFailed where it cannot be."""
    try:
        return workload.form(job_machine.machine(config))
    except CannotRun as error:
        raise JobFailed(f"ClientError: {error}") from None


def failure_file(workload: Workload, config: Config) -> str | None:
    """Where our own analysers say why they failed: in their exit message. Raises JobFailed."""
    return folder.EXIT_MESSAGE if images.is_analyser(form_of(workload, config).form) else None


def requirements_of(workload: Workload, chosen: Chosen, instance: Instance) -> Requirements | None:
    """What the program will have pip install, as far as its files say it. Reads what the job has got."""
    if chosen.form == "script":
        return requirements.of_script(instance.ml / CODE)
    if chosen.form == "serving script":
        submitted = workload.environment("", Access("", "", None)).get("SAGEMAKER_SUBMIT_DIRECTORY", "")
        return requirements.of_model(instance.ml, instance.ml / CODE, submitted)
    if chosen.form not in _LAYERED:
        return None
    return requirements.of_command([*workload.entrypoint, *workload.arguments], instance.ml)


def layer_world(place: Path, environment: Path, config: Config) -> World:
    """What pip sees that fills a layer: no job's files."""
    data = config.data.resolve()
    return World(
        work=place,
        writable={place: place, ML: place},
        readable={environment: environment, **visible(map(str, config.shared_paths.paths), data)},
        hidden=(data,),
        temporary=place / "tmp",
    )


def program(
    workload: Workload, instance: Instance, config: Config, access: Access, kept: Path | None = None
) -> Program:
    """What runs on an instance, upon a layer that is `kept`. Raises JobFailed where it is not there."""
    chosen = form_of(workload, config)
    python_home = job_machine.python_home(config, chosen.environment)
    has_layer = chosen.form in _LAYERED and _has_layer(instance, python_home, kept)
    path = job_machine.path(python_home)
    if kept is not None:
        path = f"{kept / 'bin'}:{path}"
    layer = f"{ML / LAYER / 'bin'}:" if has_layer else ""
    variables = workload.environment(layer + path, access)
    command = _command(workload, chosen, ML / LAYER if has_layer else python_home)
    if not command:
        raise JobFailed("ClientError: The job names no program: give ContainerEntrypoint")
    if not all(map(is_text, command)):
        raise JobFailed("ClientError: The command line of the job has a character that no program can get")
    here = f"{instance.ml / LAYER / 'bin'}:{path}"
    if shutil.which(command[0], path=here) is None and not command[0].startswith(str(ML)):
        raise JobFailed(f"ClientError: The program {command[0]} was not found on the path of the job")
    if has_layer:
        variables = {**_IN_LAYER, **variables}
    if chosen.form == "function":
        variables = {**remote_function.AS_ROOT, **variables}
    if chosen.form == "notebook":
        variables = {"JUPYTER_PATH": str(python_home / "share" / "jupyter"), **variables}
    if chosen.form == "spark":
        variables = {**variables, **_spark(instance, config, python_home, access)}
    if chosen.form == "command" and workload.serves:
        variables = {**variables, PORT_VARIABLE: str(own_port(instance))}
    if images.is_analyser(chosen.form) and (lacks := frameworks.lacking(chosen.form, python_home)):
        raise JobFailed(f"ClientError: {lacks}")
    told = (workload.note, _warning(workload.image or "", chosen, python_home, kept))
    warning = "\n".join(filter(None, told)) or None
    files = access.https.files if access.https else ()
    world = _world(workload, instance, config, {python_home, *filter(None, [kept]), *files})
    return Program(command, variables, world, warning, config.job_memory_mb)


def own_port(instance: Instance) -> int:
    """The port of an instance whose program cannot listen at a socket in its folder: a free one of loopback,
    which is noted for a server that comes after.
    """
    noted = instance.home / PORT
    if not noted.exists():
        with socket.create_server(("127.0.0.1", 0)) as free:
            noted.write_text(str(free.getsockname()[1]))
    return int(noted.read_text())


def _limited(memory_mb: int) -> list[str]:
    """What starts a program with a limit of its address space, which its children inherit."""
    return ["/bin/sh", "-c", 'ulimit -v "$0" && exec "$@"', str(memory_mb * 1024)] if memory_mb else []


def _warning(image: str, chosen: Chosen, python_home: Path, kept: Path | None) -> str | None:
    """What the program may miss; a program of the user's own need not use the image's framework."""
    if chosen.form == "command":
        return None
    if images.is_analyser(chosen.form):
        return f"passrole: an emulation of {image_names.repository(image)}, whose image is closed"
    if chosen.form in frameworks.NEEDED:
        lacks = frameworks.lacking(chosen.form, python_home, kept)
        return lacks and f"passrole: {lacks}"
    differs = frameworks.difference(image, python_home, tells_missing=chosen.form != "entrypoint")
    return differs and f"passrole: {differs}"


def views(workload: Workload, instance: Instance) -> dict[Path, Path]:
    """The inputs that a program cannot change, where it sees them, and where they are."""
    return {ML / path: instance.views / path for path in workload.views}


def _has_layer(instance: Instance, python_home: Path, kept: Path | None) -> bool:
    """Make the job's layer upon the user's environment and a kept layer, which are read-only."""
    place = instance.ml / LAYER
    trees.remove(place)
    return python_layer.create(place, python_home, kept)


def _spark(instance: Instance, config: Config, python_home: Path, access: Access) -> dict[str, str]:
    try:
        found = spark_image.variables(config, python_home, ML / SPARK)
    except SparkMissing as error:
        raise JobFailed(f"ClientError: {error}") from None
    spark_image.configure(instance.ml / SPARK, access)
    return found


def _command(workload: Workload, chosen: Chosen, python_home: Path) -> list[str]:
    python = str(python_home / "bin" / "python")
    image = workload.image or ""
    match chosen.form:
        case "script":
            options = ("--capture-error",) if images.tells_errors(image) else ()
            return [python, str(_OURS / "script_mode.py"), "--code", str(ML / CODE), *options]
        case "notebook":
            return [python, str(_OURS / "notebook_mode.py")]
        case "xgboost":
            return [python, str(_OURS / "xgboost_mode.py"), "--tag", image_names.tag(image) or ""]
        case "quality analyser":
            return [python, str(_OURS / "model_monitor.py")]
        case "bias analyser":
            return [python, str(_OURS / "clarify.py")]
        case "spark":
            return [python, str(_OURS / "smspark_submit.py"), *workload.entrypoint[1:], *workload.arguments]
        case "serving script":
            of_script = ("--code", str(ML / CODE), "--framework", frameworks.handlers(image))
            return [*_serving(python), "--form", "script", *of_script]
        case "serving xgboost":
            return [*_serving(python), "--form", "xgboost"]
        case "command":
            return [*chosen.command, *workload.entrypoint, *workload.arguments]
        case _:
            return [*workload.entrypoint, *workload.arguments]


def _serving(python: str) -> list[str]:
    return [python, str(_OURS / "serve_model.py"), "--socket", str(ML / SOCKET)]


def _world(workload: Workload, instance: Instance, config: Config, shown: set[Path]) -> World:
    return World(
        work=ML / workload.work,
        writable={**_shared(config), ML: instance.ml},
        readable={
            Path("/etc/hosts"): instance.home / "hosts",
            **{path: path for path in shown},
            _OURS: _OURS,
            **visible(filter(None, [config.s3a_jars]), config.data.resolve()),
            **views(workload, instance),
        },
        hidden=(config.data.resolve(),),
        temporary=instance.home / "tmp",
        hostname=instance.host,
        network=not workload.is_isolated,
    )


def _shared(config: Config) -> dict[Path, Path]:
    try:
        return {path: path for path in shared(config)}
    except ConfigError as error:  # it was there when the server started
        raise JobFailed(f"ClientError: {error}") from None
