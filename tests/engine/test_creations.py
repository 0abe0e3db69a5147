"""Steps that create a model or a version by one call: names, requests, another attempt, a stop."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from passrole.definition import parse
from passrole.engine import State, begin, decide
from passrole.engine.commands import CreateResource, InvokeFunction
from passrole.engine.facts import ResourceCreated, StopRequested

Play = Callable[[str, str], State]
Started = Callable[..., Any]


def test_a_step_that_creates_is_one_call(play: Play) -> None:
    state = play("m1 l1<m1>", "start -> m1!\nm1 made -> l1!\nl1 ok -> Succeeded")
    assert state.steps["m1"].metadata == {"Model": {"Arn": "arn:m"}}


SCRIPTS = {
    "a refusal that its policy names is tried again": """
        start       -> m1!
        m1 limited  -> m1/2:
        m1 limited  -> ignored
        m1/2 made   -> ignored
        m1/2 due    -> m1/2!
        m1/2 made   -> Succeeded""",
    "and no more often than the policy says": """
        start         -> m1!
        m1 limited    -> m1/2:
        m1/2 due      -> m1/2!
        m1/2 limited  -> Failed""",
    "another failure is the step's": """
        start      -> m1!
        m1 breaks  -> Failed
        retry      -> m1/2!
        m1/2 made  -> Succeeded""",
    "it is waited for after a stop": """
        start    -> m1!
        stop     -> -
        m1 made  -> Stopped""",
    "and not tried again then": """
        start       -> m1!
        stop        -> -
        m1 limited  -> Stopped""",
    "while it waits for another attempt it is stopped at once": """
        start       -> m1!
        m1 limited  -> m1/2:
        stop        -> Stopped
        m1/2 due    -> ignored""",
    "what is heard twice is old news": """
        start    -> m1!
        m1 made  -> Succeeded
        m1 made  -> ignored""",
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_scripts(play: Play, script: str) -> None:
    play("m1", script)


def asked(started: Started, type_: str, arguments: Any, *later: Any) -> tuple[State, CreateResource]:
    step = {"Name": "Reg_it", "Type": type_, "Arguments": arguments}
    text = json.dumps({"Version": "2020-12-01", "Steps": [step, *later]})
    decision = decide(begin(parse(text)), started())
    (command,) = decision.commands
    assert isinstance(command, CreateResource)
    return decision.state, command


def test_a_model_gets_a_name_and_null_is_absent(started: Started) -> None:
    _, command = asked(started, "Model", {"PrimaryContainer": {"Image": "i", "Environment": None}})
    prefix, random_part = command.name.rsplit("-", 1)
    assert (prefix, len(random_part)) == ("pipelines-e1-Reg-it", 10)
    assert command.request == {"PrimaryContainer": {"Image": "i"}}
    _, command = asked(started, "Model", {"ModelName": "mine"})
    assert command.name.startswith("mine-e1-")


def test_a_version_has_no_name_and_a_package_alone_the_one_that_is_given(started: Started) -> None:
    _, command = asked(started, "RegisterModel", {"ModelPackageGroupName": "g", "ModelMetrics": None})
    assert (command.name, command.request) == ("", {"ModelPackageGroupName": "g"})
    _, command = asked(started, "RegisterModel", {"ModelPackageName": "alone"})
    assert command.name == "alone"


def test_what_it_created_can_be_referred_to(started: Started) -> None:
    reads = {
        "Name": "L",
        "Type": "Lambda",
        "FunctionArn": "arn:f",
        "Arguments": {"arn": {"Get": "Steps.Reg_it.ModelPackageArn"}},
    }
    state, command = asked(started, "RegisterModel", {"ModelPackageGroupName": "g"}, reads)
    created = ResourceCreated(at=2.0, step=command.step, attempt=1, properties={"ModelPackageArn": "arn:p"})
    (invoked,) = decide(state, created).commands
    assert isinstance(invoked, InvokeFunction) and invoked.payload == {"arn": "arn:p"}


def test_after_a_stop_nothing_is_asked_for(started: Started) -> None:
    state, _ = asked(started, "Model", {})
    assert decide(state, StopRequested(at=2.0)).commands == ()
