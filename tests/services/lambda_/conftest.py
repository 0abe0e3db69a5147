"""Functions for the tests, made through boto3."""

import io
import textwrap
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.eventually import eventually

LAMBDA = "lambda.amazonaws.com"


def zipped(files: Mapping[str, str]) -> bytes:
    """An archive of text files."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        for name, text in files.items():
            opened.writestr(name, text)
    return archive.getvalue()


def module(body: str) -> bytes:
    """An archive of `h.py`, whose handler has this body."""
    body = textwrap.indent(textwrap.dedent(body), "    ")
    return zipped({"h.py": f"def handler(event, context):\n{body}\n"})


class Workshop:
    """Creates functions on a server, and keeps the client of its administrator."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client = server.client("lambda")
        self.role: str = server.role(trust=LAMBDA)

    def new_name(self) -> str:
        return new_name("function")

    def arn(self, name: str) -> str:
        return f"arn:aws:lambda:{self.server.region}:{self.server.account}:function:{name}"

    def create(self, body: str = "return event", **parameters: Any) -> str:
        """A function's name."""
        given = self.parameters(body, **parameters)
        self.client.create_function(**given)
        name: str = given["FunctionName"]
        return name

    def parameters(self, body: str = "return event", **parameters: Any) -> dict[str, Any]:
        return {
            "FunctionName": self.new_name(),
            "Runtime": "python3.11",
            "Role": self.role,
            "Handler": "h.handler",
            "Code": {"ZipFile": module(body)},
            **parameters,
        }

    def zip(self, body: str) -> bytes:
        return module(body)

    def zip_files(self, files: Mapping[str, str]) -> bytes:
        return zipped(files)

    def waited(self, condition: Callable[[], object]) -> None:
        eventually(condition)


@pytest.fixture(scope="session")
def workshop(server: Server) -> Workshop:
    """On the session's server."""
    return Workshop(server)
