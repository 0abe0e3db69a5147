"""Containers, for images whose program nothing else here stands for: docker, podman or finch.

A container is made first (`create`, which fetches the image) and started later by the shell that stands over
every job (runtimes/jobs), so that it outlives the server and is found again. A `Record` in the instance's
folder says which engine has it under which name; who has the folder can signal and remove it. A name belongs
to one folder, so that what a killed server left is removed before it is made again.

The engine's own program has this process's environment, and nothing of the request is in there. The engine
confines as it always does: the container sees its image and what is mounted.
https://docs.docker.com/reference/cli/docker/, https://docs.podman.io/en/latest/Commands.html
"""

import asyncio
import contextlib
import hashlib
import json
import os
import re
import resource
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from signal import SIGKILL

from passrole import private_files

AUTO, NONE = "auto", "none"
ENGINES = ("docker", "podman", "finch")
"""In the order in which they are tried."""

RECORD, ENVIRONMENT = "container.json", "container.environment"
_TRY_SECONDS = 15
_COMMAND_SECONDS = 60
_VARIABLE = re.compile(r"[^\s=#*][^\s=]*")
_PID_MAX = Path("/proc/sys/kernel/pid_max")

# The engine's client may be gone before the container, with an exit code of its own: the container is asked.
# One that never began has none, and to wait for it would have no end.
_FOLLOW = """
state() { "$engine" inspect --format "{{.State.$1}}" "$name"; }
engine=$0 name=$1
"$engine" start --attach "$name" 2>&1 < /dev/null
code=$?
[ "$(state Running)" != true ] || "$engine" wait "$name" > /dev/null
ended=$(state ExitCode)
if [ "$(state Status)" = exited ] || [ "${ended:-0}" != 0 ]; then code=$ended; fi
"$engine" rm --force "$name" > /dev/null
exit "$code"
"""


class EngineMissing(Exception):
    """There is no engine that works; the message says why and what to do."""


class ContainerRefused(Exception):
    """The engine does not make the container; the message has its last words."""


@dataclass(frozen=True)
class Engine:
    """A program that runs containers. `as_user`: root in a container would be root's files here, so that the
    server's user runs it instead. `limits_processes`: others tell that they cannot, and go on.
    """

    name: str
    program: str
    as_user: bool = False
    limits_processes: bool = True


@dataclass(frozen=True)
class Container:
    """What runs. Without `entrypoint` the image's own program does. `mounts` are folders and files of this
    machine (the value) by their path inside, `readable` those that are read-only. `port` is one inside and
    the one of this machine's loopback that leads to it: such a container has a network of its own, and does
    not reach this machine's loopback. The limits are those of the whole container; 0 is none.
    """

    image: str
    entrypoint: Sequence[str]
    arguments: Sequence[str]
    environment: Mapping[str, str]
    hostname: str
    mounts: Mapping[Path, Path]
    readable: Mapping[Path, Path] = field(default_factory=dict)
    network: bool = True
    port: tuple[int, int] | None = None
    memory_mb: int = 0
    processes_max: int = 0


@dataclass(frozen=True)
class Record:
    """The program of the engine, and the name of the container."""

    program: str
    name: str


def found(setting: str) -> Engine:
    """The engine of this name, for `auto` the first that works. Raises EngineMissing."""
    if setting == NONE:
        raise EngineMissing("the setting `containers` is `none`")
    reasons = []
    for name in ENGINES if setting == AUTO else (setting,):
        engine, reason = _tried(name)
        if engine is not None:
            return engine
        reasons.append(f"{name}: {reason}")
    raise EngineMissing(
        f"there is no container engine ({'; '.join(reasons)}): install docker, podman or finch"
    )


async def create(engine: Engine, container: Container, home: Path) -> None:
    """Make the container, which fetches the image where it is missing. Raises ContainerRefused, OSError."""
    await remove(home)
    record = Record(engine.program, _name(home))
    (home / ENVIRONMENT).unlink(missing_ok=True)
    private_files.write(home / ENVIRONMENT, "".join(_lines(container.environment)).encode())
    private_files.write(home / RECORD, json.dumps(asdict(record)).encode())
    await _run(record, "rm", "--force", record.name)
    code, said = await _run(record, *_creation(engine, container, record.name, home), seconds=None)
    (home / ENVIRONMENT).unlink(missing_ok=True)
    if code != 0:
        last = said.strip().splitlines()[-1:] or [f"exit code {code}"]
        raise ContainerRefused(f"{engine.name} did not make a container of {container.image}: {last[0]}")


def exists(home: Path) -> bool:
    """Whether the folder's instance runs in a container."""
    return (home / RECORD).exists()


def command(home: Path) -> list[str]:
    """What runs a container that was made, to its end, with its exit code; then it is removed."""
    record = _record(home)
    assert record is not None
    return ["/bin/sh", "-c", _FOLLOW, record.program, record.name]


def environment() -> dict[str, str]:
    """The environment of that command: the engine finds its service and its settings by it."""
    return dict(os.environ)


async def signal(home: Path, name: str) -> bool | None:
    """Send a signal to the container's program; whether there was one. None where there is no container."""
    record = _record(home)
    if record is None:
        return None
    return (await _run(record, "kill", "--signal", name, record.name))[0] == 0


async def remove(home: Path) -> None:
    """Kill and remove the container of this folder, if it has one."""
    record = _record(home)
    if record is not None:
        await _run(record, "rm", "--force", record.name)
        (home / RECORD).unlink(missing_ok=True)


def limits() -> Iterator[str]:
    """Options for podman: it asks for more files and processes than it has, which without CAP_SYS_RESOURCE
    fails.
    """
    with contextlib.suppress(OSError, ValueError):
        processes_max = int(_PID_MAX.read_text())
        for name, limit, most in (
            ("nofile", resource.RLIMIT_NOFILE, resource.RLIM_INFINITY),
            ("nproc", resource.RLIMIT_NPROC, processes_max),
        ):
            known = [each for each in (resource.getrlimit(limit)[1], most) if each != resource.RLIM_INFINITY]
            if known:
                yield f"--ulimit={name}={min(known)}:{min(known)}"


def _tried(name: str) -> tuple[Engine | None, str]:
    program = shutil.which(name)
    if program is None:
        return None, "it is not installed"
    try:
        done = subprocess.run(  # noqa: S603 (nothing in it comes from outside)
            [program, "info"], capture_output=True, text=True, timeout=_TRY_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    if done.returncode != 0:
        return None, next(iter(done.stderr.strip().splitlines()[-1:]), f"exit code {done.returncode}")
    # docker's service is root, unless it says that it is not; the others are as their user is
    as_user = name == "docker" and os.geteuid() != 0 and "rootless" not in done.stdout
    limits_processes = name != "podman" or "- pids\n" in done.stdout
    return Engine(name, program, as_user, limits_processes), ""


def _creation(engine: Engine, container: Container, name: str, home: Path) -> Iterator[str]:
    yield from ("create", "--name", name, "--hostname", container.hostname)
    if container.port is not None:
        inside, here = container.port
        yield from ("--publish", f"127.0.0.1:{here}:{inside}")
    else:
        yield from ("--network", "host" if container.network else "none")
    # else podman's `rm --force` asks first and waits: one that is cut off leaves it "stopping"
    yield from ("--stop-timeout", "0")
    yield from ("--env-file", str(home / ENVIRONMENT))
    for target, source in container.mounts.items():
        yield from ("--volume", f"{source}:{target}")
    for target, source in container.readable.items():
        yield from ("--volume", f"{source}:{target}:ro")
    if container.memory_mb:
        yield from ("--memory", f"{container.memory_mb}m")
    if container.processes_max and engine.limits_processes:
        yield from ("--pids-limit", str(container.processes_max))
    if engine.name == "podman":
        yield from ("--http-proxy=false", *limits())
    if engine.as_user:
        yield from ("--user", f"{os.getuid()}:{os.getgid()}")
    words = [*container.entrypoint, *container.arguments]
    if container.entrypoint:
        first = words.pop(0)
        yield from ("--entrypoint", json.dumps([first]) if engine.name == "podman" else first)
    yield from (container.image, *words)


def _lines(variables: Mapping[str, str]) -> Iterator[str]:
    """A line a variable, as it is; raises ContainerRefused for what has no such line."""
    for name, value in variables.items():
        if not _VARIABLE.fullmatch(name) or {"\n", "\r", "\0"} & set(value):
            raise ContainerRefused(f"the environment variable {name!r} cannot be given to a container")
        yield f"{name}={value}\n"


def _name(home: Path) -> str:
    """The job's and the instance's, and what tells one data folder from another."""
    return f"passrole-{home.parent.name}-{home.name}-{hashlib.sha256(os.fsencode(home)).hexdigest()[:12]}"


def _record(home: Path) -> Record | None:
    try:
        return Record(**json.loads((home / RECORD).read_text()))
    except FileNotFoundError:
        return None


async def _run(record: Record, *words: str, seconds: float | None = _COMMAND_SECONDS) -> tuple[int, str]:
    """The exit code, and what was printed to either stream."""
    process = await asyncio.create_subprocess_exec(
        record.program,
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # a group of its own, to be ended with all that it has started
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), seconds)
    except (TimeoutError, asyncio.CancelledError):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, SIGKILL)
        await process.communicate()
        raise
    return process.returncode or 0, said.decode(errors="replace")
