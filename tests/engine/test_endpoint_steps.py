"""EndpointConfig and Endpoint steps: names as they stand, requests, and no result that is taken over."""

import json
from collections.abc import Callable
from typing import Any

from passrole.definition import parse
from passrole.engine import State, begin, decide
from passrole.engine.commands import CreateResource, SubmitJob
from passrole.engine.facts import JobEnded, JobSubmitted, ResourceCreated, StopRequested

Started = Callable[..., Any]
VARIANT = {
    "VariantName": "v",
    "ModelName": "m",
    "InstanceType": "ml.m5.large",
    "InitialInstanceCount": 1,
}
CONFIG = {
    "Name": "C",
    "Type": "EndpointConfig",
    "Arguments": {"EndpointConfigName": "churn", "ProductionVariants": [VARIANT]},
    "CacheConfig": {"Enabled": True},
}
ENDPOINT = {
    "Name": "E",
    "Type": "Endpoint",
    "Arguments": {"EndpointName": "churn", "EndpointConfigName": {"Get": "Steps.C.EndpointConfigName"}},
    "CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"},
}


def begun(started: Started, *steps: Any) -> Any:
    return decide(begin(parse(json.dumps({"Version": "2020-12-01", "Steps": steps}))), started())


def to_the_endpoint(started: Started) -> tuple[State, SubmitJob]:
    decision = begun(started, CONFIG, ENDPOINT)
    (command,) = decision.commands
    assert isinstance(command, CreateResource)
    assert (command.kind, command.name, command.since) == ("EndpointConfig", "churn", command.since)
    assert command.since is not None
    fact = ResourceCreated(
        at=2,
        step="C",
        attempt=1,
        metadata={"EndpointConfig": {"Arn": "arn:c"}},
        properties={"EndpointConfigName": "churn"},
    )
    decision = decide(decision.state, fact)
    (submission,) = decision.commands
    assert isinstance(submission, SubmitJob)
    return decision.state, submission


def test_an_endpoint_is_asked_for_by_its_own_name_with_the_configuration_before_it(started: Started) -> None:
    _, command = to_the_endpoint(started)
    assert (command.kind, command.name) == ("Endpoint", "churn")
    assert command.request == {"EndpointName": "churn", "EndpointConfigName": "churn"}


def test_a_configuration_without_a_name_gets_one(started: Started) -> None:
    unnamed = {**CONFIG, "Arguments": {"ProductionVariants": [VARIANT]}}
    (command,) = begun(started, unnamed).commands
    assert command.name.startswith("pipelines-e1-C-")


def test_a_stop_waits_until_the_endpoint_is_in_progress_no_more(started: Started) -> None:
    state, _ = to_the_endpoint(started)
    handle = {"Endpoint": {"Arn": "arn:e"}}
    state = decide(state, JobSubmitted(at=3, step="E", attempt=1, handle=handle)).state
    state = decide(state, StopRequested(at=4)).state
    assert state.status == "Stopping"
    ended = JobEnded(at=5, step="E", attempt=1, succeeded=True, properties={"EndpointStatus": "InService"})
    state = decide(state, ended).state
    assert (state.status, state.steps["E"].status) == ("Stopped", "Stopped")
