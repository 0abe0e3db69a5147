"""A PostgreSQL primary and its synchronous standby, which change their parts when the primary is lost.

A commit returns when both have it (`synchronous_commit=on`), so a promotion loses nothing that was
acknowledged. Both name `*` as their synchronous standbys: a primary that was just promoted acknowledges
nothing before the old one follows it. `fsync` is off: processes die here, and never the machine.
"""

import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from tests.chaos.machine import HUB
from tests.eventually import eventually
from tests.postgres import USER, ordinary_user, program

PORTS = (5431, 5432)
_DATABASE = "passrole"
_SETTINGS = {
    "listen_addresses": HUB,
    "fsync": "off",
    "max_connections": "200",
    "synchronous_commit": "on",
    "synchronous_standby_names": "*",
    "wal_keep_size": "512MB",
    "wal_sender_timeout": "5s",
    "wal_receiver_timeout": "5s",
    "wal_retrieve_retry_interval": "200ms",
}
_READY_SECONDS = 90.0


class Postgres:
    """One of the two."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.data = folder / "data"
        folder.mkdir()
        self._as_user: Mapping[str, Any] = ordinary_user(folder)
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{USER}@{HUB}:{self.port}/{database}"

    def create(self) -> None:
        """As a primary."""
        self.run(
            "initdb", "-D", str(self.data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N", "-k"
        )
        with (self.data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 10.77.0.0/24 trust\nhost replication all 10.77.0.0/24 trust\n")

        with (self.data / "postgresql.conf").open("a") as settings:  # pg_rewind starts it without words
            settings.writelines(f"{name} = '{value}'\n" for name, value in _SETTINGS.items())

    def follow(self, primary: "Postgres") -> None:
        """Become the standby of a primary that runs, from nothing."""
        shutil.rmtree(self.data, ignore_errors=True)
        self.run(
            "pg_basebackup",
            "-d",
            primary.url(),
            "-D",
            str(self.data),
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            "-N",
        )

    def rewind(self, primary: "Postgres") -> None:
        """Become the standby of who was its own standby. Raises RuntimeError where it cannot."""
        self.run("pg_rewind", "-D", str(self.data), f"--source-server={primary.url()}", "-R", "-N")

    def start(self) -> None:
        """Raises RuntimeError where it ends."""
        given = {"port": str(self.port), "unix_socket_directories": str(self.folder)}
        options = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            words = [program("postgres"), "-D", str(self.data), *options]
            self._process = subprocess.Popen(words, stdout=log, stderr=log, **self._as_user)
        eventually(self._has_started, seen=self.last_words, seconds=_READY_SECONDS)

    def stop(self, how: signal.Signals) -> None:
        """SIGINT: it ends its clients. SIGQUIT: as a crash does, and it recovers when it starts."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_READY_SECONDS)
            self._process = None

    def promote(self) -> None:
        """pg_rewind may read it from then on: before version 16 it knows its new timeline by a checkpoint."""
        self.run("pg_ctl", "promote", "-D", str(self.data), "-w")
        self.asked("CHECKPOINT")

    def answers(self) -> bool:
        try:
            return self.asked("SELECT 1") is not None
        except psycopg.OperationalError:
            return False

    def asked(self, sql: str) -> Any:
        """The first value of the first row."""
        with psycopg.connect(self.url(), autocommit=True, connect_timeout=5) as connection:
            found = connection.execute(sql.encode())
            row = found.fetchone() if found.description else None
            return None if row is None else row[0]

    def _has_started(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended: {self.last_words()}")
        return self.answers()

    def last_words(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def run(self, name: str, *words: str) -> None:
        """One of PostgreSQL's programs. Raises RuntimeError with what it says."""
        done = subprocess.run([program(name), *words], capture_output=True, text=True, **self._as_user)
        if done.returncode != 0:
            raise RuntimeError(f"{name}: {done.stderr.strip() or done.stdout.strip()}")


class Pair:
    """A primary and its standby."""

    def __init__(self, folder: Path) -> None:
        """They run, and the second follows the first."""
        self.primary, self.standby = (Postgres(folder / f"postgres-{port}", port) for port in PORTS)
        self.copies = 0
        self.primary.create()
        self.primary.start()
        self.standby.follow(self.primary)
        self.standby.start()
        self.wait_until_in_step()
        with psycopg.connect(self.primary.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {_DATABASE}".encode())

    @property
    def url(self) -> str:
        """Where servers find whichever is the primary."""
        both = ",".join(f"{HUB}:{port}" for port in PORTS)
        return f"postgresql://{USER}@{both}/{_DATABASE}?target_session_attrs=read-write"

    def restart_primary(self, how: signal.Signals) -> None:
        self.primary.stop(how)
        self.primary.start()

    def fail_over(self) -> None:
        """The primary dies, and the standby is promoted."""
        self.wait_until_in_step()
        self.primary.stop(signal.SIGQUIT)
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary

    def rebuild(self) -> None:
        """Who was the primary follows; as a copy where it cannot be rewound."""
        try:
            self.standby.rewind(self.primary)
            self.standby.start()
        except RuntimeError as error:
            print(error, flush=True)
            self.copies += 1
            self.standby.follow(self.primary)
            self.standby.start()
        self.wait_until_in_step()

    def wait_until_in_step(self) -> None:
        eventually(self._is_in_step, seen=self.standby.last_words, seconds=_READY_SECONDS)

    def stop(self) -> None:
        for each in (self.primary, self.standby):
            each.stop(signal.SIGQUIT)

    def _is_in_step(self) -> bool:
        try:
            return bool(self.primary.asked("SELECT sync_state FROM pg_stat_replication") == "sync")
        except psycopg.OperationalError:
            return False
