"""Definitions that lie in S3, without a server: what is read, as whom, and what is refused."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest

from passrole.faults import AccessDenied, Fault
from passrole.services.context import Context
from passrole.services.sagemaker.definition_sources import BYTES_MAX, definition_text

Define = Callable[..., str]
FAIL = {"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "é"}}
LOCATION = {"Bucket": "bucket", "ObjectKey": "a/b.json"}


class Shelf:
    """As much of a context as is needed: calls, answered with `body`, or with a fault."""

    def __init__(self, body: bytes | Fault) -> None:
        self._body = body
        self.asked: list[tuple[str, str, Mapping[str, Any]]] = []

    async def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append((service, operation, parameters))
        if isinstance(self._body, Fault):
            raise self._body
        return {"Body": self._body}


def text_of(shelf: Shelf, text: str | None, location: Mapping[str, str] | None) -> str | None:
    return asyncio.run(definition_text(cast(Context, shelf), text, location))


def test_an_object_is_read_no_further_than_a_definition_can_be_long(define: Define) -> None:
    text = define(FAIL)
    shelf = Shelf(text.encode())
    assert text_of(shelf, None, LOCATION) == text
    expected = {"Bucket": "bucket", "Key": "a/b.json", "Range": f"bytes=0-{BYTES_MAX}"}
    assert shelf.asked == [("s3", "GetObject", expected)]
    text_of(shelf, None, {**LOCATION, "VersionId": "v1"})
    assert shelf.asked[1] == ("s3", "GetObject", {**expected, "VersionId": "v1"})


def test_a_text_is_taken_as_it_is_and_none_is_none(define: Define) -> None:
    shelf = Shelf(b"")
    assert text_of(shelf, define(FAIL), None) == define(FAIL)
    assert text_of(shelf, None, None) is None
    assert shelf.asked == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (AccessDenied("AccessDenied", "not yours"), "from s3://bucket/a/b.json. Error Details: not yours"),
        (Fault("NoSuchKey", "gone", status=404), "Error Details: gone"),
        (b"\xff", "is not UTF-8"),
        (b" " * (BYTES_MAX + 1), "is too long"),
        (b"{", "Malformed JSON"),
        (b"", "Malformed JSON"),
    ],
)
def test_an_object_that_is_no_definition_is_a_validation_error(body: bytes | Fault, sentence: str) -> None:
    with pytest.raises(Fault) as caught:
        text_of(Shelf(body), None, LOCATION)
    assert caught.value.code == "ValidationException"
    assert sentence in caught.value.message


def test_our_own_failure_is_not_blamed_on_the_object() -> None:
    with pytest.raises(Fault, match="InternalFailure"):
        text_of(Shelf(Fault("InternalFailure", "oh", status=500, sender=False)), None, LOCATION)


def test_two_definitions_are_one_too_many(define: Define) -> None:
    with pytest.raises(Fault, match="ValidationException"):
        text_of(Shelf(b""), define(FAIL), LOCATION)
