"""A bench on which functions run for real, under AWS's bootstrap and under ours."""

import asyncio
import json
import textwrap
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.eventually import eventually_async

from passrole.config import Config, Paths
from passrole.runtimes import Functions
from passrole.runtimes.environment import HOST_RUNTIME
from passrole.runtimes.interface import Credentials, FunctionSpec, Invocation, InvocationResult
from passrole.runtimes.sandbox import machine
from passrole.runtimes.worker_start import TASK_ROOT

T = TypeVar("T")

WHO = "import os; return os.environ['AWS_LAMBDA_LOG_STREAM_NAME'].partition(']')[2]"
"""Tells a function's processes apart, and is in their environment: in a sandbox all have the same number."""


class Bench:
    """Writes functions, and runs scenarios against a fresh runtime."""

    def __init__(self, place: Path, bootstrap: str) -> None:
        self.place = place
        shared = Paths(str(place))
        self.config = Config(data=place / "data", lambda_bootstrap=bootstrap, shared_paths=shared)
        self.assumed = 0
        self.lifetime = 3600.0

    def function(
        self, source: str, *, name: str = "f", files: dict[str, str] | None = None, **changes: Any
    ) -> FunctionSpec:
        """A function whose module `h` has this source, or just a body for its handler."""
        if "def handler" not in source and "handler" not in changes:
            source = "def handler(event, context):\n" + textwrap.indent(textwrap.dedent(source), "    ")
        code = self.place / f"{name}-{changes.get('revision', '1')}"
        code.mkdir()
        for file, text in {"h.py": textwrap.dedent(source), **(files or {})}.items():
            (code / file).write_text(text)
        spec = FunctionSpec(
            arn=f"arn:aws:lambda:eu-west-1:111122223333:function:{name}",
            name=name,
            revision="1",
            runtime=HOST_RUNTIME,
            handler="h.handler",
            code=code,
            timeout_seconds=10,
            memory_mb=512,
        )
        return replace(spec, **changes)

    def gated(self, *, then: str = "return who", **changes: Any) -> FunctionSpec:
        """A function that waits for `open_gate` within its invocation, but for the event `false`."""
        source = f"""
            import os, time
            who = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"].partition("]")[2]
            if event is not False:
                open(f"{self.place}/{{context.aws_request_id}}-{{who}}.begun", "w").close()
                while not os.path.exists("{self.place}/gate"): time.sleep(0.01)
            {then}
        """
        return self.function(source, **changes)

    def root(self, spec: FunctionSpec) -> Path:
        """Where the function sees its code."""
        return TASK_ROOT if machine.sandbox(self.config).confines else spec.code

    async def until_begun(self, count: int) -> None:
        """So many invocations of the gated function are under way."""
        await eventually_async(lambda: len(list(self.place.glob("*.begun"))) >= count)

    def open_gate(self) -> None:
        (self.place / "gate").touch()

    def run(self, scenario: Callable[[Functions], Awaitable[T]], **settings: Any) -> T:
        """A scenario against a runtime of its own."""

        async def opened() -> T:
            functions = Functions(replace(self.config, **settings))
            try:
                return await scenario(functions)
            finally:
                await functions.close()

        return asyncio.run(opened())

    async def call(self, functions: Functions, spec: FunctionSpec, event: Any = None) -> Any:
        """What the function returned."""
        result = await self.invoke(functions, spec, event)
        assert result.error is None, result
        return json.loads(result.payload)

    async def invoke(
        self, functions: Functions, spec: FunctionSpec, event: Any = None, request_id: str = "r-1"
    ) -> InvocationResult:
        """The whole result."""
        invocation = Invocation(request_id, json.dumps(event).encode())
        return await functions.invoke(spec, self.credentials, invocation)

    def once(self, spec: FunctionSpec, event: Any = None, **settings: Any) -> InvocationResult:
        """One invocation, cold."""
        return self.run(lambda functions: self.invoke(functions, spec, event), **settings)

    async def credentials(self) -> Credentials:
        """Counts how often a role is assumed."""
        self.assumed += 1
        return Credentials("ASIAKEY", "secret", f"token-{self.assumed}", time.time() + self.lifetime)


@pytest.fixture(params=["awslambdaric", "own"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """Under both bootstraps."""
    return Bench(tmp_path, request.param)


@pytest.fixture
def own_bench(tmp_path: Path) -> Bench:
    """Where the bootstrap does not matter."""
    return Bench(tmp_path, "own")
