"""The pytest plugin: the fixture `passrole`, a server that is as new for each test that asks for it.

pytest loads this module in every session of an environment that has passrole: until a test asks for the
fixture, nothing else is imported. `--passrole-branches` sums up at the end which branches of the pipelines no
test has taken, also over the processes of pytest-xdist.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from passrole.testing.branches import Branches
    from passrole.testing.server import Server

_OPTION = "passrole_branches"
_BRANCHES = pytest.StashKey["Branches"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the command line."""
    parser.getgroup("passrole").addoption(
        "--passrole-branches",
        action="store_true",
        dest=_OPTION,
        help="at the end, list the branches of pipelines' conditions that no test has taken",
    )


@pytest.fixture(scope="session")
def passrole_settings() -> dict[str, Any]:
    """Settings of the session's server; a conftest.py may have its own: `{"region": "eu-west-1"}`."""
    return {}


@pytest.fixture(scope="session")
def passrole_session(passrole_settings: dict[str, Any], pytestconfig: pytest.Config) -> "Iterator[Server]":
    """The session's server. Ask for `passrole`, which is reset for each test."""
    from passrole.testing.server import Server

    with Server(**passrole_settings) as server:
        if not pytestconfig.getoption(_OPTION, False):
            yield server
            return
        server.count_branches()
        yield server
        _branches_of(pytestconfig).note_json(server.count_branches().to_json())


@pytest.fixture
def passrole(passrole_session: "Server") -> "Iterator[Server]":
    """A server that runs pipelines and authorises them as IAM would, as new for this test."""
    passrole_session.reset()
    yield passrole_session


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of pytest-xdist sends what it has seen to the one that sums up."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None and _BRANCHES in session.config.stash:
        output[_OPTION] = session.config.stash[_BRANCHES].to_json()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A process of pytest-xdist has ended."""
    seen = getattr(node, "workeroutput", {}).get(_OPTION)
    if seen:
        _branches_of(node.config).note_json(seen)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The branches, where they were asked for."""
    if not config.getoption(_OPTION) or _BRANCHES not in config.stash:
        return
    terminalreporter.section("branches of pipelines")
    for line in config.stash[_BRANCHES].lines():
        terminalreporter.write_line(line)


def _branches_of(config: pytest.Config) -> "Branches":
    from passrole.testing.branches import Branches

    return config.stash.setdefault(_BRANCHES, Branches())
