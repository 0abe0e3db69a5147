"""Recordings that tests make are decided the same by the engine, whatever happened in them."""

import json
from pathlib import Path

from tests.testing.pipelines import callback, lambda_, pipeline
from tests.testing.test_stubs import judged, metric, train
from tests.testing.test_time import RETURNS, _may_train

from passrole.definition import parse_stored
from passrole.engine.replay import replay
from passrole.testing import Server


def same(file: Path, status: str) -> None:
    document = json.loads(file.read_text())
    replayed = replay(parse_stored(document["Definition"]), document["Journal"])
    assert replayed.differences == ()
    assert replayed.state.status == status


def test_stubs_retries_callbacks_and_functions(passrole: Server, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    passrole.stub("Train", lambda _arguments: {"properties": metric(0.9)})
    same(passrole.run(judged(train())).save(file), "Succeeded")
    passrole.unstub()
    ask = callback("Ask", passrole.queue(), "score")
    call = lambda_("Call", passrole.function(RETURNS), "score", DependsOn=["Ask"])
    execution = passrole.start(pipeline(ask, call))
    execution.step("Ask").reject("no")
    same(execution.wait().save(file), "Failed")
    execution.retry().step("Ask").approve(score=1)
    same(execution.wait().save(file), "Succeeded")
    passrole.fail("sagemaker:CreateTrainingJob", "CapacityError")
    policy = {"ExceptionType": ["SageMaker.CAPACITY_ERROR"], "IntervalSeconds": 60, "MaxAttempts": 2}
    execution = passrole.start(pipeline(train(RetryPolicies=[policy]), Eta="1"), role=_may_train(passrole))
    execution.step("Train").waits()
    passrole.time.advance(hours=1)
    same(execution.wait().save(file), "Failed")
