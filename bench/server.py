"""`passrole serve` as a process of its own, seen from outside as its clients and the system see it."""

import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Any, Self

import boto3
import psutil  # type: ignore[import-untyped,unused-ignore]
from botocore.config import Config as ClientConfig

READY = "passrole is ready at "
START_SECONDS_MAX = 30
_CLIENT = ClientConfig(retries={"total_max_attempts": 1}, read_timeout=120, inject_host_prefix=False)


class Server:
    """Runs between `with` and its end, on a free port of loopback; its data folder stays."""

    def __init__(self, data: Path, *options: str, environment: Mapping[str, str] | None = None) -> None:
        """`options` are further ones of `passrole serve`; `environment` has secrets."""
        self._data = data
        self._environment = {"PATH": "/usr/bin:/bin", **(environment or {})}
        self._options = options

    def __enter__(self) -> Self:
        """Started and ready; `ready_seconds` says how long that took."""
        began = time.perf_counter()
        self._process = subprocess.Popen(  # noqa: S603 (our own command)
            [sys.executable, "-m", "passrole", "serve", "--data", self._data, "--port", "0", *self._options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._environment,
            text=True,
        )
        line = self._first_line()
        self.ready_seconds = time.perf_counter() - began
        if not line.startswith(READY):
            self.__exit__(None, None, None)
            raise RuntimeError(f"the server did not start: `{line.strip()}`")
        self.url = line.removeprefix(READY).strip()
        self.access: dict[str, str] = json.loads((self._data / "credentials.json").read_text())
        self._seen = psutil.Process(self._process.pid)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ended, gently if it can be."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def resident_bytes(self) -> int:
        """Of the server alone; processes of functions are their owners' memory."""
        resident: int = self._seen.memory_info().rss
        return resident

    @property
    def cpu_seconds(self) -> float:
        """What it has used since it began."""
        times = self._seen.cpu_times()
        return float(times.user + times.system)

    @property
    def written_bytes(self) -> float:
        """What it has sent to the disk since it began."""
        return float(self._seen.io_counters().write_bytes)

    def client(self, service: str) -> Any:
        """A boto3 client of the administrator: signed, verified, authorised."""
        session = boto3.Session(
            self.access["access_key_id"],
            self.access["secret_access_key"],
            region_name=self.access["region"],
        )
        return session.client(service, endpoint_url=self.url, config=_CLIENT)  # type: ignore[call-overload]

    def function(self, name: str, source: str) -> str:
        """The ARN of a function with this module, once it has been warmed up."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("main.py", source)
        lambda_ = self.client("lambda")
        arn: str = lambda_.create_function(
            FunctionName=name,
            Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
            Role=self.access["lambda_role_arn"],
            Handler="main.handler",
            Code={"ZipFile": archive.getvalue()},
        )["FunctionArn"]
        lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        lambda_.invoke(FunctionName=name, Payload=b"{}")
        return arn

    def pipeline(self, name: str, definition: str) -> str:
        """The name of a new pipeline that runs as the onboarding role."""
        self.client("sagemaker").create_pipeline(
            PipelineName=name, RoleArn=self.access["role_arn"], PipelineDefinition=definition
        )
        return name

    def _first_line(self) -> str:
        """What it says when it is ready; empty where it ended, or was ended because it took too long."""
        assert self._process.stdout is not None
        deadline = Timer(START_SECONDS_MAX, self._process.kill)
        deadline.start()
        try:
            return self._process.stdout.readline()
        finally:
            deadline.cancel()
