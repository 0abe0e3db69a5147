"""Publish=True: the version has the code of the call that asked for it, whoever changes it meanwhile.

The handlers are called directly, so that another caller can come at a chosen moment.
"""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from tests.services.lambda_.conftest import module
from tests.store import chosen

from passrole.arns import Account, Region
from passrole.config import Config
from passrole.policy.request import Principal
from passrole.runtimes.interface import FunctionRuntime
from passrole.services.context import Context
from passrole.services.lambda_ import packages
from passrole.services.lambda_.function_updates import update_function_code
from passrole.services.lambda_.functions import create_function, get_function_configuration
from passrole.services.lambda_.versions import list_versions_by_function

ACCOUNT, REGION = Account("111122223333"), Region("us-east-1")
CALLER = Principal("user", f"arn:aws:iam::{ACCOUNT}:user/ann", ACCOUNT, "AIDAANN", "ann")
MINE, THEIRS = module("return 'mine'"), module("return 'theirs'")
FIRST: dict[str, Any] = {
    "function_name": "f",
    "role": f"arn:aws:iam::{ACCOUNT}:role/r",
    "runtime": "python3.11",
    "handler": "h.handler",
}

T = TypeVar("T")


class _NoWorkers:
    """Nothing runs, so that there is nothing to end and no folder in use."""

    async def retire(self, arn: str) -> None:
        """There are no workers."""

    async def discard(self, code: Path) -> None:
        """Folders stay."""


async def _any_role(
    service: str, operation: str, parameters: Mapping[str, Any], *_: object, **__: object
) -> dict[str, Any]:
    assert (service, operation) == ("sts", "AssumeRole")
    name = parameters["RoleSessionName"]
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/{name}"
    return {"AssumedRoleUser": {"Arn": arn, "AssumedRoleId": f"AROA:{name}"}}


class Functions:
    """Handlers on a store of their own."""

    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.store = self.run(self._opened(folder))
        self.context = Context(
            principal=CALLER,
            account=ACCOUNT,
            region=REGION,
            request_id="r",
            store=self.store,
            functions=cast(FunctionRuntime, _NoWorkers()),
            call=_any_role,
            clock=lambda: 1_800_000_000.0,
            config=Config(data=folder),
        )

    async def _opened(self, folder: Path) -> Any:
        return chosen.opened(folder)

    def run(self, coroutine: Awaitable[T]) -> T:
        return self.loop.run_until_complete(coroutine)

    def close(self) -> None:
        self.run(self.store.close())
        self.loop.close()

    def create(self, archive: bytes, **more: Any) -> dict[str, Any]:
        return self.run(create_function(self.context, **FIRST, code={"ZipFile": archive}, **more))

    def update(self, archive: bytes, **more: Any) -> dict[str, Any]:
        return self.run(update_function_code(self.context, function_name="f", zip_file=archive, **more))

    def codes(self) -> dict[str, str]:
        """The hash of the code by version."""
        found = self.run(list_versions_by_function(self.context, function_name="f"))["Versions"]
        return {each["Version"]: each["CodeSha256"] for each in found}


@pytest.fixture
def functions(tmp_path: Path) -> Iterator[Functions]:
    running = Functions(tmp_path / "data")
    yield running
    running.close()


@pytest.fixture
def overtaken(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From then on: once the next call has written its code, another caller's is written at once."""
    written = packages.written

    async def then_another(*given: Any) -> Any:
        monkeypatch.setattr(packages, "written", written)
        changed = await written(*given)
        await update_function_code(functions.context, function_name="f", zip_file=THEIRS)
        return changed

    return lambda: monkeypatch.setattr(packages, "written", then_another)


def sha256(archive: bytes) -> str:
    return base64.b64encode(hashlib.sha256(archive).digest()).decode()


def test_an_update_publishes_its_own_code(functions: Functions, overtaken: Callable[[], None]) -> None:
    functions.create(module("return 'first'"), publish=True)
    overtaken()
    answer = functions.update(MINE, publish=True)
    assert (answer["Version"], answer["CodeSha256"]) == ("2", sha256(MINE))
    codes = functions.codes()
    assert (codes["2"], codes["$LATEST"]) == (sha256(MINE), sha256(THEIRS))
    assert len(codes) == 3


def test_a_function_is_created_with_its_own_code_as_the_first_version(
    functions: Functions, overtaken: Callable[[], None]
) -> None:
    overtaken()
    answer = functions.create(MINE, publish=True)
    assert (answer["Version"], answer["CodeSha256"]) == ("1", sha256(MINE))
    assert functions.codes() == {"1": sha256(MINE), "$LATEST": sha256(THEIRS)}


def test_an_update_that_publishes_nothing_new_is_the_last_version(functions: Functions) -> None:
    functions.create(MINE, publish=True)
    revision = functions.run(get_function_configuration(functions.context, function_name="f"))["RevisionId"]
    answer = functions.update(MINE, publish=True, revision_id=revision)
    assert (answer["Version"], answer["CodeSha256"]) == ("1", sha256(MINE))
    assert functions.codes() == {"1": sha256(MINE), "$LATEST": sha256(MINE)}
