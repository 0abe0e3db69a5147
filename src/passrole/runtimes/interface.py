"""The interface of a runtime for functions; `functions.py` implements it, and tests have fakes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class FunctionSpec:
    """A function to run.

    `revision` changes with every change of code or configuration: workers of an older one finish what
    they do and get nothing more. `code` is the folder of the unpacked archive. `environment` is what
    the function's configuration sets; the runtime adds AWS's own variables and nothing of the host's.
    `opt` is the folder of its layers, and `remark` a line for the log of each process.
    """

    arn: str
    name: str
    revision: str
    runtime: str
    handler: str
    code: Path
    timeout_seconds: int
    memory_mb: int
    environment: Mapping[str, str] = field(default_factory=dict)
    version: str = "$LATEST"
    opt: Path | None = None
    remark: str = ""


@dataclass(frozen=True)
class Credentials:
    """Temporary credentials of the function's own role, for its process."""

    access_key: str
    secret_key: str
    session_token: str
    expires: float


CredentialsSource = Callable[[], Awaitable[Credentials]]
"""Assumes the function's role; called for each started process and never for a warm one.

The code is in its folder then, whoever put it there.
"""


@dataclass(frozen=True)
class Invocation:
    """One call of a function: the event's bytes and the request id in its log lines.

    `arn` is the function as it was addressed, where that is not the specification's: by an alias.
    """

    request_id: str
    payload: bytes
    arn: str = ""


@dataclass(frozen=True)
class InvocationResult:
    """What the function answered. `error` is `Unhandled` where it failed, and `payload` is then AWS's
    JSON of the failure. `log` is what it wrote, START, END and REPORT lines included; `log_stream` is the
    stream of the worker that ran it, as the function saw it. `began` is when that worker took it up, in epoch
    seconds: not before the one before it in the stream had ended.
    """

    payload: bytes
    error: str | None
    log: bytes
    log_stream: str = ""
    began: float = 0.0


class TooManyInvocations(Exception):
    """No worker was free within SLOT_WAIT_SECONDS."""


class CodeRemoved(Exception):
    """The code folder was discarded meanwhile; read the function again."""


IsDue = Callable[[], Awaitable[bool]]
"""Whether what an invocation is for is still to be done."""


class FunctionRuntime(Protocol):
    """Keeps warm workers for functions."""

    async def invoke(
        self, spec: FunctionSpec, credentials: CredentialsSource, invocation: Invocation
    ) -> InvocationResult:
        """Run the function once. Raises TooManyInvocations, CodeRemoved and what `credentials` raises; a
        failing function is a result.
        """

    def expecting(
        self, request_id: str, party: str = "", is_due: IsDue | None = None, /
    ) -> AbstractContextManager["asyncio.Future[None]"]:
        """For who is about to invoke under this request id: the invocation waits for a slot as long as it
        takes, and the future is done when it has one. Invocations of different parties take turns. `is_due`
        is asked once a worker is ready; where it is not any more, the invocation is cancelled.
        """

    async def retire(self, arn: str) -> None:
        """End the idle workers of a changed or deleted function; busy ones finish their invocation."""

    async def discard(self, code: Path) -> None:
        """Remove a folder of unpacked code when no worker uses it any more."""

    async def close(self) -> None:
        """End all processes."""
