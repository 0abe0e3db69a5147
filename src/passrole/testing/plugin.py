"""The pytest plugin: the fixture `passrole`, a server that is as new for each test that asks for it.

pytest loads this module in every session of an environment that has passrole: until a test asks for the
fixture, nothing else is imported.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from passrole.testing.server import Server


@pytest.fixture(scope="session")
def passrole_settings() -> dict[str, Any]:
    """Settings of the session's server; a conftest.py may have its own: `{"region": "eu-west-1"}`."""
    return {}


@pytest.fixture(scope="session")
def passrole_session(passrole_settings: dict[str, Any]) -> "Iterator[Server]":
    """The session's server. Ask for `passrole`, which is reset for each test."""
    from passrole.testing.server import Server

    with Server(**passrole_settings) as server:
        yield server


@pytest.fixture
def passrole(passrole_session: "Server") -> "Iterator[Server]":
    """A server that runs pipelines and authorises them as IAM would, as new for this test."""
    passrole_session.reset()
    yield passrole_session
