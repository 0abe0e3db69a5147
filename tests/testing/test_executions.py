"""What tests assert of executions, and what they are told where it does not hold."""

import pytest
from tests.testing.pipelines import Json, callback, condition, fail, pipeline

from passrole.testing import Server


def _asked(queue_url: str) -> Json:
    decide = condition(
        "Decide",
        "Steps.Ask.OutputParameters['score']",
        {"Get": "Parameters.Threshold"},
        then=[callback("Approve", queue_url)],
        otherwise=[fail("TooBad", "the score is too low")],
    )
    return pipeline(callback("Ask", queue_url, "score"), decide, Threshold=0.8)


def test_a_pipeline_that_succeeds(passrole: Server) -> None:
    execution = passrole.start(_asked(passrole.queue()))
    execution.step("Ask").approve(score=0.9)
    execution.step("Approve").approve()
    execution.succeeded().took("Ask", "Decide", "Approve")
    assert execution.step("Decide").outcome is True
    assert execution.step("Ask").outputs == {"score": "0.9"}
    execution.step("TooBad").skipped()


def test_a_pipeline_that_fails(passrole: Server) -> None:
    execution = passrole.start(_asked(passrole.queue()), Threshold=0.95)
    execution.step("Ask").approve(score=0.9)
    execution.failed("too low").step("Approve").skipped()
    execution.step("TooBad").failed("the score is too low")


def test_an_answer_that_fails_the_step(passrole: Server) -> None:
    execution = passrole.start(_asked(passrole.queue()))
    execution.step("Ask").reject("not today")
    execution.step("Ask").failed("not today")
    execution.failed()


def test_a_denied_step(passrole: Server) -> None:
    execution = passrole.start(_asked(passrole.queue()), role=passrole.role())
    execution.failed().denied("sqs:SendMessage").step("Ask").denied("sqs:SendMessage")
    with pytest.raises(AssertionError, match="expected sqs:DeleteQueue to be denied"):
        execution.denied("sqs:DeleteQueue")


def test_stop_and_retry(passrole: Server) -> None:
    execution = passrole.start(_asked(passrole.queue()))
    execution.step("Ask").waits()
    execution.stop().step("Ask").reject("stopped")
    execution.stopped()
    execution.retry().step("Ask").approve(score=0.1)
    execution.failed("too low")


@pytest.mark.parametrize(
    ("assertion", "complaint"),
    [
        (lambda execution: execution.succeeded(), "expected the execution to be Succeeded"),
        (lambda execution: execution.stopped(), "expected the execution to be Stopped"),
        (lambda execution: execution.failed("nonsense"), "with the reason `nonsense`"),
        (lambda execution: execution.took("Ask"), "`Decide` ran too, `TooBad` ran too"),
        (lambda execution: execution.took("Ask", "Approve"), "`Approve` did not run"),
        (lambda execution: execution.step("Ask").skipped(), "expected `Ask` to be skipped, it Succeeded"),
        (lambda execution: execution.step("Approve").ran(), "expected `Approve` to run, it was skipped"),
        (
            lambda execution: execution.step("TooBad").succeeded(),
            "expected `TooBad` to be Succeeded, it is Failed",
        ),
        (lambda execution: execution.step("Ask").failed(), "expected `Ask` to be Failed, it is Succeeded"),
        (lambda execution: execution.step("Approv"), "no step `Approv`; it has Ask, Decide, Approve, TooBad"),
        (lambda execution: execution.step("Ask").approve(), "`Ask` waits for no callback: it is Succeeded"),
    ],
)
def test_what_does_not_hold_is_told_with_every_step(passrole, assertion, complaint) -> None:  # type: ignore[no-untyped-def]
    execution = passrole.start(_asked(passrole.queue()))
    execution.step("Ask").approve(score=0.1)
    execution.wait()
    with pytest.raises(AssertionError) as raised:
        assertion(execution)
    assert complaint in str(raised.value)
    if "no step" not in complaint:
        assert "TooBad                   Failed\n      the score is too low" in str(raised.value)
        assert "Approve                  not started" in str(raised.value)


def test_what_is_waited_for_in_vain_says_what_to_do(passrole: Server) -> None:
    execution = passrole.start(_asked(passrole.queue()))
    execution.step("Ask").waits()
    with pytest.raises(
        AssertionError, match=r"(?s)did not end within 0.1 s.*execution.step\('Ask'\).approve"
    ):
        execution.wait(seconds=0.1)


def test_a_denial_says_what_to_give(passrole: Server) -> None:
    execution = passrole.start(_asked(passrole.queue()), role=passrole.role())
    with pytest.raises(
        AssertionError, match=r"(?s)not authorized.*passrole.role\(allow=\['sqs:sendmessage'\]"
    ):
        execution.succeeded()
