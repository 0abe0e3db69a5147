"""Functions of a data folder on which no server runs: they are there, and none of them runs."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from passrole.runtimes.interface import (
    CredentialsSource,
    FunctionSpec,
    Invocation,
    InvocationResult,
    IsDue,
    TooManyInvocations,
)


class FunctionsAtRest:
    """See interface.FunctionRuntime."""

    async def invoke(
        self,
        spec: FunctionSpec,  # noqa: ARG002 (the interface's)
        credentials: CredentialsSource,  # noqa: ARG002
        invocation: Invocation,  # noqa: ARG002
    ) -> InvocationResult:
        """Raises TooManyInvocations: one would already be too many."""
        raise TooManyInvocations

    @contextmanager
    def expecting(
        self,
        request_id: str,  # noqa: ARG002
        party: str = "",  # noqa: ARG002
        is_due: IsDue | None = None,  # noqa: ARG002
        /,
    ) -> Iterator["asyncio.Future[None]"]:
        """The future is never done."""
        yield asyncio.get_running_loop().create_future()

    async def retire(self, arn: str) -> None:
        """No worker is idle."""

    async def discard(self, code: Path) -> None:
        """The next start of a server removes it."""

    async def close(self) -> None:
        """No process is there."""
