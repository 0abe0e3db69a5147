"""`passrole serve` on a host of its own, and what can befall it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.chaos.machine import Host
from tests.eventually import eventually, process_ended

PORT = 4566
START_SECONDS = 120.0
_LEFT_BYTES = 4096


def clock_library(folder: Path) -> Path | None:
    """What gives a node a wall clock of its own (clock.c); None where the machine has no C compiler."""
    compiler, made = shutil.which("cc"), folder / "clock.so"
    if compiler is None:
        return None
    source = Path(__file__).with_name("clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(made), str(source), "-ldl"], check=True)
    return made


class Node:
    """A server in the hub, or on a host; it may be dead at the moment."""

    def __init__(
        self,
        name: str,
        data: Path,
        address: str,
        settings: Mapping[str, str],
        *more: str,
        port: int = PORT,
        host: Host | None = None,
        clock_library: Path | None = None,
    ) -> None:
        self.name, self.data, self.host = name, data, host
        self.url = f"http://{address}:{port}"
        self.starts = 0
        self._clock_library = clock_library
        self._clock = data.with_name(f"{name}-clock")
        where = ["--data", str(data), "--host", address, "--port", str(port)]
        words = [sys.executable, "-m", "passrole", "serve", *where, *more]
        self._words = words if host is None else host.words(*words)
        self._settings = {f"PASSROLE_{name.upper()}": value for name, value in settings.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self.step_clock(0)

    @property
    def log(self) -> Path:
        return self.data.with_name(f"{self.name}.log")

    @property
    def access(self) -> dict[str, str]:
        """The administrator's keys."""
        found: dict[str, str] = json.loads((self.data / "credentials.json").read_text())
        return found

    def start(self) -> None:
        """Ready when it returns. One that finds no database, and ends, is started again, as by systemd."""
        begin = self._launch()

        def is_ready() -> bool:
            nonlocal begin
            if not self.is_running():
                begin = self._launch()
            return b"passrole is ready at" in self.log.read_bytes()[begin:]

        eventually(is_ready, seen=self.last_words, seconds=START_SECONDS)

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        self._send(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(20)

    def stop(self) -> int:
        """As systemd does; its exit code."""
        self._send(signal.SIGCONT)
        self._send(signal.SIGTERM)
        return 0 if self._process is None else self._process.wait(60)

    def freeze(self) -> None:
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def step_clock(self, seconds: int) -> None:
        """What its wall clock is ahead by from now on, and in no child of it; its monotonic clock stays."""
        with self._clock.open("r+b" if self._clock.exists() else "wb") as file:
            file.write(seconds.to_bytes(8, sys.byteorder, signed=True))

    def fill_disk(self) -> None:
        """Leave nearly nothing of its disk."""
        with suppress(OSError), (self.data / "filling").open("wb") as file:
            while file.write(bytes(_LEFT_BYTES)):
                file.flush()

    def free_disk(self) -> None:
        (self.data / "filling").unlink(missing_ok=True)

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    def _launch(self) -> int:
        """How long its log was before."""
        self.starts += 1
        begin = self.log.stat().st_size if self.log.exists() else 0
        environment = {"PATH": os.environ["PATH"], **self._settings, **self._own_clock()}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._words, stdout=log, stderr=log, env=environment)
        return begin

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None and not process_ended(self._process.pid):
            self._process.send_signal(number)

    def _own_clock(self) -> dict[str, str]:
        if self._clock_library is None:
            return {}
        return {"LD_PRELOAD": str(self._clock_library), "CHAOS_CLOCK": str(self._clock)}
