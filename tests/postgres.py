"""PostgreSQL for tests and the benchmark: a cluster of its own in a temporary folder, behind a Unix socket.

It is started by whoever needs it and ended at the end of the block. PostgreSQL refuses to run as root, so
root lends it to an ordinary user.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

USER = "passrole"
_READY_SECONDS = 60.0
_DEBIAN = Path("/usr/lib/postgresql")


class PostgresMissing(Exception):
    """The machine has no PostgreSQL; the message says what to install."""


class Cluster:
    """A running PostgreSQL."""

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]") -> None:
        self._folder = folder
        self.process = process

    def url(self, database: str = "postgres", password: str = "") -> str:
        """Where clients find the database; any password is right."""
        user = f"{USER}:{password}" if password else USER
        return f"postgresql://{user}@/{database}?host={self._folder}"

    def create(self, database: str, password: str = "", template: str = "template1") -> str:
        """Make a database, empty or as the template is; its URL."""
        self.sql(f"CREATE DATABASE {database} TEMPLATE {template}")
        return self.url(database, password)

    def sql(self, text: str) -> None:
        """Run statements in the database `postgres`."""
        command = [program("psql"), "-h", str(self._folder), "-U", USER, "-d", "postgres", "-qc", text]
        subprocess.run(command, check=True, capture_output=True)

    def require_password(self, password: str) -> None:
        """From now on databases other than `postgres` want this one."""
        self.sql(f"ALTER USER {USER} PASSWORD '{password}'")
        rules = "local postgres all trust\nlocal all all scram-sha-256\n"
        (self._folder / "data" / "pg_hba.conf").write_text(rules)
        self.sql("SELECT pg_reload_conf()")


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs. Raises PostgresMissing."""
    versions = sorted(_DEBIAN.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    for folder in versions:
        if (folder / name).exists():
            return str(folder / name)
    found = shutil.which(name)
    if found is None:
        raise PostgresMissing(f"no PostgreSQL here (`{name}` is missing): install Debian's `postgresql`")
    return found


@contextlib.contextmanager
def cluster(**settings: str) -> Iterator[Cluster]:
    """A new one with these settings. Raises PostgresMissing."""
    programs = {name: program(name) for name in ("initdb", "postgres", "psql")}
    folder = Path(tempfile.mkdtemp(prefix="passrole-postgres-"))
    try:
        as_user = ordinary_user(folder)
        data = folder / "data"
        initdb = [programs["initdb"], "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C"]
        subprocess.run([*initdb, "--no-sync"], check=True, capture_output=True, **as_user)
        with _running(programs["postgres"], folder, data, settings, as_user) as process:
            yield Cluster(folder, process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _running(
    postgres: str, folder: Path, data: Path, settings: dict[str, str], as_user: dict[str, Any]
) -> Iterator["subprocess.Popen[bytes]"]:
    given = {"listen_addresses": "", "unix_socket_directories": str(folder), **settings}
    options = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([postgres, "-D", data, *options], stdout=log, stderr=log, **as_user)
    try:
        _wait_until_ready(process, folder)
        yield process
    finally:
        process.send_signal(signal.SIGINT)  # its "fast shutdown": it waits for no client
        process.wait(_READY_SECONDS)


def _wait_until_ready(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    ask = [program("psql"), "-h", str(folder), "-U", USER, "-d", "postgres", "-qc", "SELECT 1"]
    end = time.monotonic() + _READY_SECONDS
    while subprocess.run(ask, capture_output=True).returncode != 0:
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()}")
        time.sleep(0.05)


def ordinary_user(folder: Path) -> dict[str, Any]:
    """How a process is started so that it is not root's; the folder becomes its user's."""
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": folder}
