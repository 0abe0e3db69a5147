"""S3 without a server: handlers called directly, on a real store and a real folder."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

import pytest
from botocore import xform_name
from tests.store import chosen

from passrole.arns import Account, Region
from passrole.config import Config
from passrole.faults import AccessDenied, Fault
from passrole.policy.request import Principal
from passrole.runtimes.interface import FunctionRuntime
from passrole.services import kms
from passrole.services import s3 as service
from passrole.services.context import Context
from passrole.services.operation import Handler, Operation
from passrole.store import SqliteStore

ACCOUNT, REGION = Account("111122223333"), Region("us-east-1")
CALLER = Principal("user", f"arn:aws:iam::{ACCOUNT}:user/ann", ACCOUNT, "AIDAANN", "ann")
START = 1_800_000_000.0

T = TypeVar("T")


class S3:
    """Operations as methods: `s3.put_object(bucket=..., key=...)`, with a bucket `data` to begin with.

    Calls among handlers go to the handlers, but for the operations in `denied`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loop = asyncio.new_event_loop()
        self.denied: set[tuple[str, str]] = set()
        self.store = self.run(self._opened())
        self.context = self.in_region(REGION)
        self.create_bucket(bucket="data")

    def in_region(self, region: str) -> Context:
        return Context(
            principal=CALLER,
            account=ACCOUNT,
            region=Region(region),
            request_id="r",
            store=self.store,
            functions=cast(FunctionRuntime, None),
            call=self._call,
            clock=lambda: START,
            config=Config(data=self.folder),
        )

    @property
    def root(self) -> Path:
        """The folder of the bucket `data`."""
        return self.folder / "s3" / "data"

    def close(self) -> None:
        self.run(self.store.close())
        self.loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(coroutine)

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        handler = declared(name).handler
        return lambda **parameters: self.run(
            cast(Coroutine[Any, Any, dict[str, Any]], handler(self.context, **parameters))
        )

    def handler(self, name: str) -> Handler:
        """The coroutine function itself, for calls at the same time."""
        return declared(name).handler

    def put(self, key: str, body: bytes = b"bytes", **more: Any) -> dict[str, Any]:
        return self.put_object(bucket="data", key=key, body=body, **more)

    def get(self, key: str, **more: Any) -> bytes:
        body: bytes = self.get_object(bucket="data", key=key, **more)["Body"]
        return body

    def head(self, key: str, **more: Any) -> dict[str, Any]:
        return self.head_object(bucket="data", key=key, **more)

    def keys(self, **more: Any) -> list[str]:
        return [each["Key"] for each in self.list_objects_v2(bucket="data", **more).get("Contents", [])]

    def refusal(self, act: Callable[[], object]) -> tuple[str, int | None]:
        """Code and status of the fault that the act is answered with."""
        fault = self.fault(act)
        return fault.code, fault.status

    def fault(self, act: Callable[[], object]) -> Fault:
        """The fault that the act is answered with."""
        with pytest.raises(Fault) as caught:
            act()
        return caught.value

    async def _call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        principal: Principal | None = None,
        region: str | None = None,
        request_id: str | None = None,
    ) -> dict[str, Any]:
        if service == "kms":
            given = {xform_name(each): value for each, value in parameters.items()}
            return await declared(xform_name(operation), kms).handler(self.context, **given) or {}
        assert service == "s3"
        if (operation, str(parameters.get("Key", ""))) in self.denied:
            raise AccessDenied("AccessDenied", f"not authorized to perform {operation}", status=403)
        given = {xform_name(each): value for each, value in parameters.items()}
        return await declared(xform_name(operation)).handler(self.context, **given) or {}

    async def _opened(self) -> SqliteStore:
        return chosen.opened(self.folder)


def declared(name: str, of: ModuleType = service) -> Operation:
    """The declaration of an operation."""
    for part in of.__all__:
        handler = vars(getattr(of, part)).get(name)
        if isinstance(found := getattr(handler, "__operation__", None), Operation):
            return found
    raise AttributeError(name)


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[S3]:
    """S3 in a folder of its own."""
    running = S3(tmp_path / "data")
    yield running
    running.close()
