"""Tests of one's own pipelines: a server in the process of the tests, made anew for each in milliseconds.

    def test_a_bad_model_is_not_registered(passrole):          # the fixture of plugin.py
        passrole.stub("Train", properties={"FinalMetricDataList": [{"MetricName": "auc", "Value": 0.4}]})
        execution = passrole.run("pipeline.json", Threshold="0.8")
        execution.failed("the model is not good enough")
        execution.step("Register").skipped()

Without pytest it is a context manager: `with Server() as passrole: ...`. Between tests comes
`passrole.reset()`.

It stands on `client` and `app`. Time, faults and stubs are objects of this process: no call over the network
reaches them, and an ordinary server has none of them. What is named here is loaded when it is asked for, for
pytest loads the plugin in sessions that have nothing to do with it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from passrole.testing.executions import Execution, Step
    from passrole.testing.server import Server

__all__ = ["Execution", "Server", "Step"]

_MODULES = {"Execution": "executions", "Server": "server", "Step": "executions"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
