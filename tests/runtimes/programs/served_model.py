"""A model's folder and `serve_model.py` over it, as a process that tests ask."""

import asyncio
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.eventually import eventually
from tests.runtimes.programs.training_folder import PROGRAMS

from passrole.runtimes.model_client import Answer, ModelClient, Place

T = TypeVar("T")

PROGRAM = PROGRAMS / "serve_model.py"
DOUBLE = """
    import json

    def model_fn(model_dir):
        return json.load(open(model_dir + "/factor.json"))

    def predict_fn(data, model):
        return data * model
    """
"""An inference.py whose model is a factor in a file."""


class ServedModel:
    """The folder, and what to call the program with."""

    def __init__(self, base: Path, *options: str, python: str = sys.executable) -> None:
        self.base, self.options, self.python = base, options, python
        self.socket = base / "server/socket"
        for folder in ("model/code", "server"):
            (base / folder).mkdir(parents=True)
        (base / "model/factor.json").write_text("2")
        self.environment: dict[str, str] = {}

    def code(self, source: str, name: str = "inference.py") -> "ServedModel":
        """Put a file into code/ of the model's archive."""
        (self.base / "model/code" / name).write_text(textwrap.dedent(source))
        return self

    def ended(self) -> tuple[int, str]:
        """Exit code and output of a server that does not come up."""
        done = subprocess.run(
            self._command(), env=self._variables(), capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, done.stdout + done.stderr

    @contextmanager
    def served(self) -> Iterator["ServedModel"]:
        """While it is ready."""
        with subprocess.Popen(self._command(), env=self._variables()) as process:
            try:
                eventually(lambda: process.poll() is not None or self._asked(ModelClient.is_ready))
                assert process.poll() is None, process.returncode
                yield self
            finally:
                process.terminate()

    def invoke(self, body: str | bytes, content_type: str = "text/csv", **headers: str) -> Answer:
        """POST /invocations."""
        content = body.encode() if isinstance(body, str) else body
        given = {"Content-Type": content_type, **headers}
        return self._asked(lambda client: client.invoke(content, given, seconds_max=30))

    def get(self, path: str) -> Answer:
        """Any GET."""
        return self._asked(lambda client: client.ask("GET", path))

    def _asked(self, ask: Callable[[ModelClient], Awaitable[T]]) -> T:
        async def asked() -> T:
            client = ModelClient(Place(self.socket))
            try:
                return await ask(client)
            finally:
                client.close()

        return asyncio.run(asked())

    def _command(self) -> list[str]:
        return [self.python, str(PROGRAM), "--socket", str(self.socket), *self.options]

    def _variables(self) -> Mapping[str, str]:
        return {"PATH": "/usr/bin:/bin", "SAGEMAKER_BASE_DIR": str(self.base), **self.environment}
