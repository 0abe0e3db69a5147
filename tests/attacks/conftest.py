"""Attacks through boto3: what they ask for, and how they are refused."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tests.conftest import Server


def document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """A policy."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.fixture
def near(start_server: Callable[..., Server]) -> Any:
    """A server that keeps its objects at another one."""
    far = start_server()
    return start_server(
        s3_endpoint=far.url,
        s3_access_key_id=far.access["access_key_id"],
        s3_secret_access_key=far.access["secret_access_key"],
    )
