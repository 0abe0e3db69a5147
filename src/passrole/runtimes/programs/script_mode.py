"""A framework image's `train`: fetch the user's code, install what it requires, tell it of the job, run it.

    python script_mode.py [--code PLACED] [--capture-error]

It does what `sagemaker-training` 5.1.4 does, without its compiler and its 324 MB, and is held to a record of
that (tests/runtimes/programs). The base folder is /opt/ml, or what SAGEMAKER_BASE_DIR says.

**Where the code comes from.** What lies in `code/` is run as it is. Otherwise `PLACED`, an archive or folder
that the platform has fetched with the rights of the job's role. Otherwise the hyperparameter
`sagemaker_submit_directory`; an `s3://` one is fetched by the boto3 of the user's environment.

**Where packages go.** Into `site/`, a virtual environment upon the user's: pip keeps what the user has, and
changes nothing outside. The platform runs this in it; elsewhere it is made if there is something to install.

`--capture-error` puts the error that the program printed into the failure file. On AWS the images of PyTorch,
TensorFlow and Hugging Face do so, those of scikit-learn and XGBoost do not.
https://github.com/aws/sagemaker-training-toolkit
"""

from __future__ import annotations

import argparse
import builtins
import contextlib
import gzip
import importlib.util
import json
import logging
import os
import re
import shlex
import shutil
import signal
import site
import subprocess
import sys
import tarfile
import tempfile
import threading
import traceback
import venv
import zlib
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

PLATFORM = re.compile(
    "sagemaker_(program|submit_directory|enable_cloudwatch_metrics|region|container_log_level|job_name|s3_output)"
    "|default_user_module_name|_tuning_objective_metric"
)
FRAMEWORK = "sagemaker_"
DISTRIBUTION = re.compile(
    "sagemaker_(mpi|parameter_server|distributed_dataparallel|pytorch_ddp|pytorch_xla_multi_worker"
    "|multi_worker_mirrored_strategy|torch_distributed)_enabled"
)
ENTRY_POINT = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._+-]*(/[A-Za-z0-9._+-]+)*")
FOLDERS = ("input", "input/config", "model", "output", "output/data", "output/intermediate")
UNTOLD = {
    *("additional_framework_parameters", "channel_input_dirs", "distribution_hosts", "hyperparameters"),
    *("is_master", "is_modelparallel_enabled", "is_smddpmprun_installed", "is_smddprun_installed"),
    *("job_name", "master_hostname", "topology"),
}
ERRORS = ("Exception", "Invalid requirement", *(each for each in dir(builtins) if each.endswith("Error")))
CAPTURED_MAX = 65536
KILLED = 137
DRAIN_SECONDS = 5.0

log = logging.getLogger("sagemaker-training-toolkit")


class ClientError(Exception):
    """The user's own fault; its text is the failure file."""


class CommandFailed(ClientError):
    """A command ended with an exit code; `kind` is the toolkit's name for what it was."""

    def __init__(self, kind: str, command: list[str], code: int, printed: str) -> None:
        killed = 'ExtraInfo "OutOfMemory: Process killed by SIGKILL (signal 9)"\n' if code == KILLED else ""
        super().__init__(
            f'{kind}:\nExitCode {code}\nErrorMessage "{printed}"\n{killed}Command "{" ".join(command)}"'
        )


def main(arguments: list[str]) -> int:
    """Run the job; the exit code."""
    options = _options(arguments)
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    output = base / "output"
    try:
        env = training_environment(base)
        _set_up_logging(env["log_level"])
        train(base, env, options.code, options.capture_error)
    except ClientError as error:
        return _failed(output, str(error), 1)
    except Exception as error:
        code = getattr(error, "errno", None)
        text = f"Framework Error: \n{traceback.format_exc()}\n{error}"
        return _failed(output, text, code if isinstance(code, int) else 1)
    log.info("Reporting training SUCCESS")
    output.mkdir(parents=True, exist_ok=True)
    (output / "success").touch()
    return 0


def train(base: Path, env: dict[str, Any], placed: str | None, capture_error: bool) -> None:
    """Fetch the code, install its requirements and run the entry point to its end.

    Raises ClientError for whatever the user can mend.
    """
    code, entry_point = base / "code", env["user_entry_point"]
    place_code(code, placed if placed and Path(placed).exists() else env["module_dir"])
    form = entry_form(code, entry_point)
    runner = Runner(code, capture_error)
    runner.variables.update(variables(env))
    required = ["-r", "requirements.txt"] if (code / "requirements.txt").exists() else []
    if form == "package" or (form == "program" and required):
        kind = "InstallModuleError" if form == "package" else "InstallRequirementsError"
        runner.enter(layer(base / "site"))
        own = ["."] if form == "package" else []
        runner.run(kind, [runner.python, "-m", "pip", "install", *own, *required])
    if _is_distributed(env["additional_framework_parameters"]):
        log.warning("This job asks for a distributed launcher; its program runs here as one process.")
    command = entry_command(form, runner.python, entry_point, command_arguments(env["hyperparameters"]))
    if form == "command" and (code / entry_point).exists():
        (code / entry_point).chmod(0o777)
    log.info("Invoking script with the following command:\n\n%s\n\n", " ".join(command))
    runner.run("ExecuteUserScriptError", command)


# What the program is told


def training_environment(base: Path) -> dict[str, Any]:
    """Everything known of the job, as SM_TRAINING_ENV has it, read from the three files of `input/config`."""
    given = {name: _decoded(value) for name, value in _read(base, "hyperparameters").items()}
    resources = _read(base, "resourceconfig")
    channels = _read(base, "inputdataconfig")
    platform = {name: value for name, value in given.items() if _is_platforms(name)}
    program = os.environ.get("SAGEMAKER_PROGRAM") or platform.get("sagemaker_program")
    name = str(program)
    return {
        **{f"{path.replace('/', '_')}_dir": str(base / path) for path in FOLDERS},
        **_hosts(resources, {n: v for n, v in platform.items() if not PLATFORM.fullmatch(n)}),
        "channel_input_dirs": {channel: str(base / "input/data" / channel) for channel in channels},
        "framework_module": os.environ.get("SAGEMAKER_TRAINING_MODULE"),
        "hyperparameters": {name: value for name, value in given.items() if not _is_platforms(name)},
        "input_data_config": channels,
        "is_modelparallel_enabled": None,
        "is_smddpmprun_installed": False,
        "is_smddprun_installed": False,
        "job_name": os.environ.get("TRAINING_JOB_NAME"),
        "log_level": platform.get("sagemaker_container_log_level", logging.INFO),
        "module_dir": str(platform.get("sagemaker_submit_directory", base / "code")),
        "module_name": name[:-3] if name.endswith(".py") else name,
        "num_cpus": os.cpu_count(),
        "num_gpus": _gpus(),
        "num_neurons": 0,  # Trainium is in no machine outside of AWS
        "user_entry_point": program if program is None else str(program),
        "_job": platform.get("sagemaker_job_name", ""),
        "_region": platform.get("sagemaker_region") or os.environ.get("AWS_DEFAULT_REGION", ""),
    }


def variables(env: dict[str, Any]) -> dict[str, str]:
    """The SM_* variables, and three that the toolkit sets without that prefix."""
    told = {name: value for name, value in env.items() if name not in UNTOLD and not name.startswith("_")}
    told.update({"topology": env["topology"]} if env["topology"] else {})
    told.update(
        channels=sorted(env["channel_input_dirs"]),
        framework_params=env["additional_framework_parameters"],
        hps=env["hyperparameters"],
        training_env={name: value for name, value in env.items() if not name.startswith("_")},
        user_args=command_arguments(env["hyperparameters"]),
    )
    told.update({f"channel_{name}": path for name, path in env["channel_input_dirs"].items()})
    told.update({f"hp_{name}": value for name, value in env["hyperparameters"].items()})
    return {
        "CURRENT_HOST": env["current_host"],
        "SAGEMAKER_JOB_NAME": str(env["_job"]),
        "SAGEMAKER_REGION": str(env["_region"]),
        **{f"SM_{name.upper()}": _text(value) for name, value in told.items()},
    }


def command_arguments(hyperparameters: dict[str, Any]) -> list[str]:
    """`--name value`, by name; a name of one letter has one dash."""
    words = []
    for name in sorted(hyperparameters):
        words += [f"--{name}" if len(name) > 1 else f"-{name}", _argument(hyperparameters[name])]
    return words


def _argument(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}={each}" for name, each in sorted(value.items()))
    return "" if value is None else str(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _is_platforms(name: str) -> bool:
    return name.startswith(FRAMEWORK) or PLATFORM.fullmatch(name) is not None


def _is_distributed(parameters: dict[str, Any]) -> bool:
    return any(value for name, value in parameters.items() if DISTRIBUTION.fullmatch(name))


def _decoded(value: Any) -> Any:
    """Hyperparameters are JSON in a string; what a pipeline variable became is not, and stays as it is."""
    try:
        return json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return value


def _read(base: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((base / "input/config" / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _hosts(resources: dict[str, Any], framework: dict[str, Any]) -> dict[str, Any]:
    """Who takes part. Without instance groups, every host does."""
    groups = resources.get("instance_groups", [])
    by_name = {group["instance_group_name"]: group for group in groups}
    own = resources.get("current_group_name", "homogeneousCluster")
    every = [own] if _is_distributed(framework) else []
    distributed = framework.get("sagemaker_distribution_instance_groups", every)
    taking_part = [group for group in groups if group["instance_group_name"] in distributed]
    of_distribution = [host for group in taking_part for host in group["hosts"]]
    if not groups:
        of_distribution = list(resources["hosts"])
    first = (of_distribution or resources["hosts"])[0]
    return {
        "additional_framework_parameters": framework,
        "current_host": resources["current_host"],
        "current_instance_group": own,
        "current_instance_group_hosts": by_name.get(own, {}).get("hosts", []),
        "current_instance_type": resources.get("current_instance_type", "local"),
        "distribution_hosts": of_distribution,
        "distribution_instance_groups": distributed,
        "hosts": resources["hosts"],
        "instance_groups": [group["instance_group_name"] for group in groups],
        "instance_groups_dict": by_name,
        "is_hetero": len(groups) > 1,
        "is_master": resources["current_host"] == first,
        "master_hostname": first,
        "network_interface_name": resources.get("network_interface_name", "eth0"),
        "resource_config": resources,
        "topology": resources.get("topology", []),
    }


def _gpus() -> int:
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0
    listed = subprocess.run([program, "--list-gpus"], stdout=subprocess.PIPE, check=False).stdout  # noqa: S603
    return sum(line.startswith(b"GPU ") for line in listed.splitlines())


# The user's code


def place_code(code: Path, source: str) -> None:
    """Have the user's code in the folder `code`; `source` counts where nothing is there yet."""
    code.mkdir(parents=True, exist_ok=True)
    if any(code.iterdir()) or Path(source) == code:
        return
    if source.startswith("s3://"):
        with tempfile.TemporaryDirectory() as place:
            archive = Path(place) / "sourcedir.tar.gz"
            _download(source, archive)
            unpack(archive, code, source)
    elif Path(source).is_dir():
        for each in Path(source).iterdir():
            shutil.copytree(each, code / each.name) if each.is_dir() else shutil.copy2(each, code)
    elif not Path(source).exists():
        raise ClientError(f"The source directory {source!r} does not exist.")
    elif tarfile.is_tarfile(source):
        unpack(Path(source), code, source)
    else:
        shutil.copy2(source, code)


def unpack(archive: Path, folder: Path, source: str) -> None:
    """Unpack a source archive. Raises ClientError, and stops, at a member that would leave the folder."""
    inside = folder.resolve()
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                reason = why_refused(member, inside)
                if reason:
                    raise ClientError(f"The source archive {source!r} is refused: {member.name!r} {reason}.")
                extract(tar, member, inside)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ClientError(f"The source archive {source!r} cannot be unpacked: {error}") from error


def why_refused(member: tarfile.TarInfo, inside: Path) -> str | None:
    place = inside / member.name
    if member.name.startswith("/"):
        return "is an absolute name"
    if ".." in member.name.split("/"):
        return "leads out of the folder"
    if not _is_in(place.parent if member.issym() else place, inside):
        return "lies behind a link that leads out of the folder"
    if member.issym() or member.islnk():
        start = place.parent if member.issym() else inside
        if member.linkname.startswith("/") or not _is_in(start / member.linkname, inside):
            return f"is a link to {member.linkname!r}, out of the folder"
    elif not (member.isfile() or member.isdir()):
        return "is neither a file nor a folder"
    return None


def _is_in(path: Path, folder: Path) -> bool:
    real = path.resolve()
    return real == folder or folder in real.parents


def extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    member.mode = member.mode & 0o755 | 0o600  # neither set-uid nor unreadable
    member.uid, member.gid, member.uname, member.gname = os.getuid(), os.getgid(), "", ""
    if hasattr(tarfile, "data_filter"):
        tar.extract(member, folder, filter="data")
    else:
        tar.extract(member, folder)


def _download(uri: str, target: Path) -> None:
    if importlib.util.find_spec("boto3") is None:
        raise ClientError(f"boto3 is not installed in this environment, and {uri!r} was not fetched before.")
    import boto3  # type: ignore[import-not-found, unused-ignore]  # the user's, not ours

    parts = urlsplit(uri)
    region = os.environ.get("AWS_REGION", os.environ.get("SAGEMAKER_REGION"))
    s3 = boto3.client("s3", region_name=region, endpoint_url=os.environ.get("S3_ENDPOINT_URL"))
    s3.download_file(parts.netloc, parts.path.lstrip("/"), str(target))


def layer(place: Path) -> Path:
    """A virtual environment that sees the packages of this interpreter; the folder of its programs."""
    if Path(sys.prefix) == place:
        return place / "bin"
    builder = venv.EnvBuilder(symlinks=True, with_pip=importlib.util.find_spec("pip") is None)
    builder.create(place)
    packages = next((place / "lib").glob("python*/site-packages"))
    under = [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    calls = "; ".join(f"site.addsitedir({folder!r})" for folder in under)
    (packages / "under.pth").write_text(f"import site; {calls}\n", encoding="utf-8")
    return place / "bin"


# The entry point


def entry_form(code: Path, name: str | None) -> str:
    """`package`, `program` or `command`. Raises ClientError for a name that no file in `code` can have."""
    if not name:
        raise ClientError("No entry point: the hyperparameter 'sagemaker_program' names the script to run.")
    if not ENTRY_POINT.fullmatch(name) or {".", ".."} & set(name.split("/")):
        raise ClientError(
            f"The entry point {name!r} cannot be run: it must be a path inside the source directory, of"
            " letters, digits, '.', '_', '+', '-' and '/'."
        )
    if not _is_in(code / name, code.resolve()):
        raise ClientError(f"The entry point {name!r} is a link that leads out of the source directory.")
    if name.endswith(".sh"):
        return "command"
    if (code / "setup.py").exists():
        return "package"
    return "program" if name.endswith(".py") else "command"


def entry_command(form: str, python: str, name: str, arguments: list[str]) -> list[str]:
    """The command line. Only the form `command` meets a shell, and every word is quoted for it."""
    if form == "package":
        return [python, "-m", re.sub(r"\.py$", "", name), *arguments]
    if form == "program":
        return [python, "--", name, *arguments]
    return ["/bin/sh", "-c", " ".join(["./" + shlex.quote(name), *map(shlex.quote, arguments)])]


class Runner:
    """Runs commands in the code's folder, one at a time, and hands signals on to the one that runs."""

    def __init__(self, code: Path, capture_error: bool) -> None:
        self.python = sys.executable
        self.variables = dict(os.environ)
        self._code = code
        self._capture = capture_error
        self._child: subprocess.Popen[bytes] | None = None
        self._signals: list[int] = []
        self._paths = os.pathsep.join(filter(None, [str(code), os.environ.get("PYTHONPATH")]))

    def enter(self, programs: Path) -> None:
        """Have commands see a virtual environment."""
        self.python = str(programs / "python")
        path = os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)])
        self.variables.update(PATH=path, VIRTUAL_ENV=str(programs.parent))

    def run(self, kind: str, command: list[str]) -> None:
        """Run a command to its end. Raises CommandFailed, named `kind`."""
        self._signals.clear()
        previous = {each: signal.signal(each, self._hand_on) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            code, printed = self._ended(command)
        finally:
            for each, handler in previous.items():
                signal.signal(each, handler)
        if code:
            raise CommandFailed(kind, command, code, printed)

    def _ended(self, command: list[str]) -> tuple[int, str]:
        words = [*command[:2], "exec " + command[2]] if command[0] == "/bin/sh" else command
        pipe = subprocess.PIPE if self._capture else None
        self._child = subprocess.Popen(  # noqa: S603 (the user's program is what this is for)
            words,
            cwd=str(self._code),
            env={**self.variables, "PYTHONPATH": self._paths},
            stdout=pipe,
            stderr=pipe,
        )
        for number in self._signals:  # one that came while the child was being born
            self._child.send_signal(number)
        streams = ((self._child.stdout, sys.stdout), (self._child.stderr, sys.stderr))
        captures = [Capture(stream, own.buffer) for stream, own in streams if stream is not None]
        code = self._child.wait()
        self._child = None
        lines = " ".join(capture.end() for capture in captures).split("\n")
        return code, "\n".join(dict.fromkeys(lines)).strip()  # each line once, as the toolkit has it

    def _hand_on(self, number: int, _frame: object) -> None:
        if self._child is None:
            self._signals.append(number)
        else:
            self._child.send_signal(number)


class Capture:
    """Passes a stream on as it comes, and keeps what follows the first line that names an error."""

    def __init__(self, stream: IO[bytes], own: IO[bytes]) -> None:
        self._stream = stream
        self._own = own
        self._kept: list[str] = []
        self._thread = threading.Thread(target=self._pass_on, daemon=True)
        self._thread.start()

    def end(self) -> str:
        """What was kept. A process left behind may hold the stream open: nobody waits long for it."""
        self._thread.join(DRAIN_SECONDS)
        return " ".join(self._kept)

    def _pass_on(self) -> None:
        kept_bytes = 0
        with contextlib.suppress(ValueError, OSError):
            for line in iter(lambda: self._stream.readline(CAPTURED_MAX), b""):
                self._own.write(line)
                self._own.flush()
                text = line.decode("utf-8", "replace")
                starts = kept_bytes > 0 or any(name in text for name in ERRORS)
                if starts and kept_bytes < CAPTURED_MAX:
                    kept_bytes += len(text)
                    self._kept.append(text.strip(" :\n") + "\n")


# What the platform is told


def _failed(output: Path, text: str, code: int) -> int:
    """Write the failure file, unless the program has written its own."""
    log.error("Reporting training FAILURE")
    log.error(text)
    output.mkdir(parents=True, exist_ok=True)
    if not (output / "failure").exists():
        (output / "failure").write_text(text, encoding="utf-8", errors="replace")
    return code


def _set_up_logging(level: Any) -> None:
    numeric = level if isinstance(level, int) else logging.INFO
    logging.basicConfig(format="%(asctime)s %(name)-12s %(levelname)-8s %(message)s", level=numeric)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script_mode.py")
    parser.add_argument("--code", metavar="PLACED")
    parser.add_argument("--capture-error", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
