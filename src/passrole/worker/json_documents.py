"""JSON documents in S3, read for JsonGet as the execution's role.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-propertyfile.html
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson

from passrole import exact_json
from passrole.definition.expressions import Json
from passrole.patterns.json_paths import ABSENT, rooted, value_at
from passrole.worker.calls import Action

BYTES_MAX = 10_485_760
"""Of a document: ours, for AWS documents none."""

LARGE_BYTES = 65_536
_GET_OBJECT = Action("s3", "GetObject", "s3:GetObject")


class UnreadableDocument(Exception):
    """There is no value to be had; `reason` is the step's FailureReason. AWS documents no words for it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.reason = f"ClientError: {message}"


class JsonDocuments:
    """Values out of documents, each of which is read once; `call` calls as the role. Raises CallFailed."""

    def __init__(self, call: Callable[[Action, dict[str, Any]], Awaitable[dict[str, Any]]]) -> None:
        self._call = call
        self._documents: dict[str, Json] = {}

    async def values(self, wanted: Sequence[Sequence[str]]) -> list[tuple[str, str, Json]]:
        """For each [URI, path] these two and the value. Raises UnreadableDocument."""
        found: list[tuple[str, str, Json]] = []
        for uri, path in wanted:
            if uri not in self._documents:
                self._documents[uri] = await self._document(uri)
            value = value_at(self._documents[uri], rooted(path))
            if value is ABSENT:
                raise UnreadableDocument(f"Invalid json path '{path}' in {uri}.")
            found.append((uri, path, value))
        return found

    async def _document(self, uri: str) -> Json:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not uri.startswith("s3://") or not bucket or not key:
            raise UnreadableDocument(f"'{uri}' is not the URI of an object in S3.")
        body: bytes = (await self._call(_GET_OBJECT, {"Bucket": bucket, "Key": key}))["Body"]
        if len(body) > BYTES_MAX:
            raise UnreadableDocument(f"{uri} has {len(body)} bytes, the maximum is {BYTES_MAX}.")
        try:
            if len(body) < LARGE_BYTES:
                document: Json = exact_json.loads(body)
            else:
                document = await asyncio.to_thread(exact_json.loads, body)
        except orjson.JSONDecodeError as error:
            raise UnreadableDocument(f"{uri} is not a JSON document: {error.msg}.") from None
        return document
