"""What the outside is asked to do, and what a listing shows of a step from then on."""

import json
from collections.abc import Callable
from dataclasses import replace

from passrole.definition import Pipeline, parse
from passrole.engine import State, begin, decide
from passrole.engine.commands import InvokeFunction, SendCallback
from passrole.engine.facts import CallbackAnswered, CallbackSent, ExecutionStarted, Output, StopRequested
from passrole.engine.tokens import callback_token

PipelineOf = Callable[[str], Pipeline]
Started = Callable[..., ExecutionStarted]
Play = Callable[[str, str], State]
TOKEN = callback_token("5eed", "c1", 1)


def test_a_lambda_step_asks_for_an_invocation(pipeline_of: PipelineOf, started: Started) -> None:
    decision = decide(begin(pipeline_of("l1")), started())
    assert decision.commands == (InvokeFunction(step="l1", attempt=1, function_arn="arn:l1", payload={}),)
    assert decision.state.steps["l1"].metadata == {"Lambda": {"Arn": "arn:l1"}}


def test_both_messages_of_a_callback_differ_in_their_status_alone(
    pipeline_of: PipelineOf, started: Started
) -> None:
    first = decide(begin(pipeline_of("c1")), started(at=1.0))
    sent = decide(first.state, CallbackSent(at=2.0, step="c1", attempt=1))
    second = decide(sent.state, StopRequested(at=3.0))
    expected = {"step": "c1", "attempt": 1, "queue_url": "https://queue/c1", "token": TOKEN, "arguments": {}}
    assert first.commands == (SendCallback(**expected),)  # type: ignore[arg-type]
    assert second.commands == (SendCallback(**expected, status="Stopping"),)  # type: ignore[arg-type]


def test_the_second_message_repeats_the_time_of_the_first(started: Started) -> None:
    """Its arguments are resolved again, but as of the start of the step."""
    now = {"now": {"Get": "Execution.CurrentDateTime"}}
    step = {"Name": "c1", "Type": "Callback", "SqsQueueUrl": "https://queue/c1", "Arguments": now}
    first = decide(begin(parse(json.dumps({"Version": "2020-12-01", "Steps": [step]}))), started(at=1.0))
    sent = decide(first.state, CallbackSent(at=2.0, step="c1", attempt=1))
    (message,) = decide(sent.state, StopRequested(at=3.0)).commands
    assert isinstance(message, SendCallback)
    assert message.arguments == {"now": "1970-01-01T00:00:01.000Z"}
    assert replace(message, status="Executing") == first.commands[0]


def test_a_callback_keeps_the_outputs_it_was_answered_with(pipeline_of: PipelineOf, started: Started) -> None:
    """Undeclared ones as well: AWS's examples answer with such."""
    state = decide(begin(pipeline_of("c1")), started()).state
    answer = CallbackAnswered(
        at=1, step="c1", attempt=1, outcome="success", outputs=(Output("any", "1"), Output("b", ""))
    )
    step = decide(state, answer).state.steps["c1"]
    assert step.metadata == {
        "Callback": {
            "CallbackToken": TOKEN,
            "SqsQueueUrl": "https://queue/c1",
            "OutputParameters": [{"Name": "any", "Value": "1"}, {"Name": "b", "Value": ""}],
        }
    }
    assert (step.output("any"), step.output("b"), step.output("c")) == ("1", "", None)


def test_a_refused_callback_fails_with_the_callers_own_words(play: Play) -> None:
    assert play("c1", "start -> c1!\nc1 no -> Failed").steps["c1"].failure_reason == "not today"


def test_a_condition_shows_its_outcome(play: Play) -> None:
    steps = play("q1?yes{|} q2?no{|} q3?bad{|}", "start -> Failed").steps
    assert steps["q1"].metadata == {"Condition": {"Outcome": "True"}}
    assert steps["q2"].metadata == {"Condition": {"Outcome": "False"}}
    assert (steps["q3"].metadata, steps["q3"].failure_reason) == (
        {},
        "ClientError: Condition Equals cannot compare Number and String.",
    )


def test_a_fail_step_shows_its_message(play: Play) -> None:
    step = play("f1", "start -> Failed").steps["f1"]
    assert step.failure_reason == "f1 says no"
    assert step.metadata == {"Fail": {"ErrorMessage": "f1 says no"}}
