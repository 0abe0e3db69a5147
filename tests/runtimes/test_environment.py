"""Which bootstrap is taken, and what is said of another Python."""

import importlib.util
from typing import Any

import pytest

from passrole.config import ConfigError
from passrole.runtimes import environment
from passrole.runtimes.environment import HOST_RUNTIME, chosen_bootstrap, runtime_warning


@pytest.mark.parametrize(
    "setting, chosen", [("auto", "awslambdaric"), ("awslambdaric", "awslambdaric"), ("own", "own")]
)
def test_awss_client_is_taken_where_it_is_installed(setting: str, chosen: str) -> None:
    assert chosen_bootstrap(setting) == chosen


def test_ours_is_taken_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_name: str) -> Any:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", nothing)
    assert chosen_bootstrap("auto") == "own"
    with pytest.raises(ConfigError, match="not installed"):
        chosen_bootstrap("awslambdaric")


def test_another_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be `docker`"):
        chosen_bootstrap("docker")


def test_the_hosts_own_version_is_not_warned_of() -> None:
    assert runtime_warning(HOST_RUNTIME) is None
    assert runtime_warning("python3.8") is not None


def test_without_node_its_functions_are_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    environment.node_runtime.cache_clear()
    monkeypatch.setenv("PATH", "/nowhere")
    try:
        reason = environment.unavailable_reason("nodejs20.x")
        assert reason == "Node.js is not installed: there is no `node` on the path"
        assert environment.unavailable_reason("python3.9") is None
    finally:
        environment.node_runtime.cache_clear()
