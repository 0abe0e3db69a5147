"""Checks of the machine: each reports what it found, its severity, and what to do."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from passrole import server_file
from passrole.config import Config, ConfigError
from passrole.runtimes import containers, environment, sandbox
from passrole.runtimes.sandbox.bubblewrap import Bubblewrap
from passrole.runtimes.sandbox.ladder import why_not
from passrole.runtimes.spark import UNCHECKED, Spark
from passrole.services.s3 import upstream_client
from passrole.store import opening
from passrole.store.sqlite import FILE

Level = Literal["ok", "limited", "missing", "wrong"]
"""`limited` works, and not as well as it can; `missing` keeps some steps from running, `wrong` the server."""

DISK_BYTES_MIN = 1_000_000_000
JAVA_MIN = 17
_SERIAL = (
    "nothing is confined: functions, EMR steps and jobs run with your rights, and can read the keys in the"
    " data folder; jobs run one at a time"
)
_UNCONFINED = "without one, functions and EMR steps run with your rights, and jobs are refused"
_PROGRAM_SECONDS_MAX = 20


@dataclass(frozen=True)
class Finding:
    """One prerequisite; `advice` says what to do if it is not met."""

    subject: str
    level: Level
    found: str
    advice: str = ""


def findings(config: Config) -> Iterator[Finding]:
    """Every finding, in the order of their need."""
    for check in _CHECKS:
        if (found := check(config)) is not None:
            yield found


def _python(_config: Config) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    found = f"{version}; functions of other versions of Python run on it too, with a warning"
    return Finding("Python", "ok", found)


def _functions(config: Config) -> Finding:
    try:
        bootstrap = environment.chosen_bootstrap(config.lambda_bootstrap)
    except ConfigError as error:
        return Finding("Lambda functions", "wrong", str(error), "set lambda_bootstrap to auto")
    names = {"awslambdaric": "AWS's own runtime client", "own": "our own small runtime client"}
    level: Level = "ok" if bootstrap == "awslambdaric" else "limited"
    advice = "" if level == "ok" else "functions in Python have AWS's own with awslambdaric installed"
    return Finding("Lambda functions", level, f"run under {names[bootstrap]}", advice)


def _node(_config: Config) -> Finding:
    found = environment.node_runtime()
    if found is None:
        return Finding("Node.js", "missing", "not found", "functions in JavaScript need `node` on the PATH")
    return Finding("Node.js", "ok", found)


def _java(config: Config) -> Finding:
    java = Spark(config).java
    advice = f"EMR steps need a Java runtime, version {JAVA_MIN} or newer, on the PATH or in JAVA_HOME"
    if java is None:
        return Finding("Java", "missing", "not found", advice)
    said = _first_line([str(java), "-version"])
    version = said.partition('"')[2].partition('"')[0]
    major = version.partition(".")[0]
    if not major.isdecimal() or int(major) < JAVA_MIN:
        return Finding("Java", "missing", said or f"{java} does not run", advice)
    return Finding("Java", "ok", f"{version} at {java}")


def _spark(config: Config) -> Finding:
    spark = Spark(config)
    if spark.home is None:
        return Finding("Spark", "missing", "not found", "EMR steps need it: pip install 'passrole[emr]'")
    found = f"{spark.version} at {spark.home}, master {config.spark_master}"
    if (reason := spark.unfound_master()) is not None:
        return Finding("Spark", "missing", found, reason)
    return Finding("Spark", "ok", found)


def _spark_s3(config: Config) -> Finding:
    spark = Spark(config)
    reason = spark.unreachable_reason()
    if spark.uses_s3a:
        return Finding("S3 in Spark", "ok", "S3A calls S3 as the role of each step")
    if reason is None:
        return Finding("S3 in Spark", "limited", UNCHECKED, "set spark_s3 to s3a")
    found, _, advice = reason.partition(": ")
    return Finding("S3 in Spark", "missing", found, advice)


def _sandbox(config: Config) -> Finding:
    try:
        found = sandbox.chosen(config.sandbox, config.containers)
    except sandbox.SandboxMissing as error:
        named = config.sandbox != sandbox.AUTO
        return Finding("sandbox", "wrong" if named else "missing", str(error), _UNCONFINED)
    if found.shows and not found.confines:
        return Finding("sandbox", "missing", f"{found.name}, as the setting says", _SERIAL)
    if not found.confines:
        return Finding("sandbox", "missing", "none, as the setting says", _UNCONFINED)
    confines = f"{found.name} confines functions, EMR steps and jobs{found.remark}"
    best = Bubblewrap()
    if found.name == best.name:
        return Finding("sandbox", "ok", confines)
    named = config.sandbox != sandbox.AUTO
    why = f"the setting `sandbox` is `{found.name}`" if named else why_not(best)
    advice = "set it to auto" if named else "bubblewrap is the better one: `apt-get install bubblewrap`"
    return Finding("sandbox", "limited", f"{best.name} is not used: {why}; {confines}", advice)


def _containers(config: Config) -> Finding:
    advice = "only jobs whose image has its own program need one"
    try:
        found = containers.found(config.containers)
    except containers.EngineMissing as error:
        return Finding("containers", "missing", str(error), advice)
    return Finding("containers", "ok", f"{found.name} at {found.program}")


def _data_folder(config: Config) -> Finding:
    folder = _existing_above(config.data.resolve())
    if not os.access(folder, os.W_OK):
        return Finding("data folder", "wrong", f"{folder} cannot be written to", "choose another with --data")
    free = shutil.disk_usage(folder).free
    found = f"{config.data}, {free / 1e9:.1f} GB free"
    if free < DISK_BYTES_MIN:
        return Finding("data folder", "wrong", found, "free some space, or choose another with --data")
    return Finding("data folder", "ok", found)


def _database(config: Config) -> Finding:
    if not config.store:
        return Finding("database", "ok", f"{FILE} in the data folder")
    try:
        opening.check_reached(config.store)
    except opening.StoreUnusable as error:
        return Finding("database", "wrong", str(error), "see PASSROLE_STORE and `serve --store`")
    return Finding("database", "ok", f"{opening.place(config.store)} answers")


def _objects(config: Config) -> Finding:
    """Where the objects are, by the settings of this shell."""
    if not config.s3_endpoint and not config.store:
        return Finding("objects", "ok", "files in the data folder")
    if not config.s3_endpoint:
        found = "files in the data folder, which other servers of the database do not see"
        return Finding(
            "objects", "limited", found, "set s3_endpoint where several servers share the database"
        )
    if not (config.s3_access_key_id and config.s3_secret_access_key):
        found = f"`{config.s3_endpoint}` is set without a key"
        return Finding("objects", "wrong", found, "set s3_access_key_id and s3_secret_access_key")
    problem = upstream_client.problem(config)
    if problem is not None:
        found = f"`{config.s3_endpoint}` {problem}"
        return Finding("objects", "wrong", found, "see the settings s3_*: calls of S3 fail until it answers")
    return Finding("objects", "ok", f"`{config.s3_endpoint}` answers")


def _port(config: Config) -> Finding:
    running = server_file.url(config)
    if running is not None:
        return Finding("server", "ok", f"runs at {running}")
    address = f"{config.host_in_url}:{config.port}"
    with socket.socket(socket.AF_INET6 if ":" in config.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.host, config.port))
        except OSError as error:
            found = f"{address} cannot be listened on: {error.strerror}"
            return Finding("port", "wrong", found, "choose another with --port; 0 takes any free one")
    return Finding("port", "ok", f"{address} is free")


def _public_url(config: Config) -> Finding | None:
    """The balancer or proxy by which answers name the service, where there is one."""
    url = config.public_url
    if not url:
        return None
    if server_file.answers(url):
        return Finding("public URL", "ok", f"{url} answers")
    found = f"no server is ready behind `{url}`, which URLs of queues begin with"
    return Finding("public URL", "limited", found, "see public_url, and the balancer's list of servers")


def _first_line(command: list[str]) -> str:
    try:
        asked = subprocess.run(  # noqa: S603 (a program that the settings or the PATH name)
            command, capture_output=True, text=True, timeout=_PROGRAM_SECONDS_MAX, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return next(iter((asked.stderr or asked.stdout).splitlines()), "")


def _existing_above(folder: Path) -> Path:
    return folder if folder.exists() else _existing_above(folder.parent)


_CHECKS: tuple[Callable[[Config], Finding | None], ...] = (
    _python,
    _data_folder,
    _database,
    _objects,
    _port,
    _public_url,
    _functions,
    _node,
    _java,
    _spark,
    _spark_s3,
    _sandbox,
    _containers,
)
