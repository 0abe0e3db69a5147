"""Errors that calls through boto3 must answer with, as values."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError


def refusal(call: Callable[..., object], **parameters: Any) -> tuple[str, str]:
    """Code and message; the message is empty where the answer has no body."""
    error = _answer(call, parameters)["Error"]
    return error["Code"], error.get("Message", "")


def refusal_with_status(call: Callable[..., object], **parameters: Any) -> tuple[int, str, str]:
    """HTTP status, code and message."""
    answer = _answer(call, parameters)
    error = answer["Error"]
    return answer["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error.get("Message", "")


def _answer(call: Callable[..., object], parameters: Mapping[str, Any]) -> Any:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response
