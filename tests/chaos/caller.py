"""Calls as boto3 makes and retries them, at whichever node answers; what was answered is written down.

`once` is one call at one node, with botocore's own retries. `until_told` goes on at other nodes until the
call is answered: only what may be asked twice is asked by it.
"""

import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from tests.chaos.told import Told

UNANSWERED = (BotoCoreError, HTTPClientError)
PATIENCE_SECONDS = 240.0
_PAUSE_SECONDS = 0.5
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=2,
    read_timeout=12,
    max_pool_connections=20,
    inject_host_prefix=False,
    proxies={},
    s3={"addressing_style": "path"},
)
_FOR_NOW = {
    "InternalFailure",
    "InternalError",
    "InternalServerError",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "ThrottlingException",
    "ResourceConflictException",
}


class NeverAnswered(Exception):
    """No node has answered for PATIENCE_SECONDS."""


class Caller:
    """The administrator, or whoever has the keys."""

    def __init__(self, urls: Sequence[str], access: Mapping[str, str], told: Told) -> None:
        self.urls, self.told, self._access = urls, told, access
        self._numbers = itertools.count()
        self._session = boto3.Session()
        self._clients: dict[tuple[str, str], Any] = {}
        self._making = threading.Lock()

    def with_keys(self, credentials: Mapping[str, str]) -> "Caller":
        """The same nodes, called in another name."""
        keys = {
            "access_key_id": credentials["AccessKeyId"],
            "secret_access_key": credentials["SecretAccessKey"],
            "session_token": credentials["SessionToken"],
        }
        return Caller(self.urls, {**self._access, **keys}, self.told)

    def once(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer of one node to `service.operation`. Raises BotoCoreError, ClientError."""
        service, _, method = operation.partition(".")
        node = next(self._numbers) % len(self.urls)
        call: Callable[..., dict[str, Any]] = getattr(self._client(service, self.urls[node]), method)
        try:
            answer = call(**parameters)
        except ClientError as error:
            self.told.answer(operation, dict(error.response))
            raise
        self.told.answer(operation, answer)
        return answer

    def until_told(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer. Raises ClientError where it is a refusal, NeverAnswered."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.once(operation, **parameters)
            except UNANSWERED as error:
                self.told.failure(type(error).__name__)
                last: Exception = error
            except ClientError as error:
                if not is_for_now(error):
                    raise
                self.told.failure(code(error))
                last = error
            if time.monotonic() > until:
                raise NeverAnswered(f"{operation}: {last}")
            time.sleep(_PAUSE_SECONDS)

    def _client(self, service: str, url: str) -> Any:
        with self._making:  # a session is not safe for threads
            if (service, url) not in self._clients:
                self._clients[service, url] = self._session.client(  # type: ignore[call-overload]
                    service,
                    region_name=self._access["region"],
                    endpoint_url=url,
                    config=_CONFIG,
                    aws_access_key_id=self._access["access_key_id"],
                    aws_secret_access_key=self._access["secret_access_key"],
                    aws_session_token=self._access.get("session_token"),
                )
            return self._clients[service, url]


def code(error: ClientError) -> str:
    """AWS's name of the error."""
    return str(error.response["Error"].get("Code", "?"))


def is_for_now(error: ClientError) -> bool:
    """Whether the same call may be answered otherwise a moment later."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return bool(status >= 500 or code(error) in _FOR_NOW)
