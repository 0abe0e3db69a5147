"""`passrole run --stub`: steps that do not run, also of types that passrole does not run."""

import json
import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.gateway.test_own_operations import allow, asked, deny
from tests.testing.pipelines import condition, fail, lambda_, pipeline
from tests.testing.test_stubs import train

Passrole = Callable[..., "subprocess.Popen[str]"]
Write = Callable[[str, Any], str]
REGISTER = {"Name": "Register", "Type": "AutoML", "Arguments": {"AutoMLJobName": "g"}}
TOKEN = secrets.token_hex(16)  # others use the same server


def definition() -> dict[str, Any]:
    call = lambda_("Score", "arn:aws:lambda:us-east-1:111122223333:function:none", "score")
    decide = condition(
        "Decide",
        "Steps.Score.OutputParameters['score']",
        0.8,
        then=[REGISTER],
        otherwise=[fail("TooBad", "bad")],
    )
    return pipeline(call, decide)


class Stubbed:
    """`passrole run` on the server of the session."""

    def __init__(self, server: Server, passrole: Passrole, write: Write) -> None:
        self.server, self._passrole, self.write = server, passrole, write

    def run(self, file: str, *options: str) -> tuple[int, str, str]:
        process = self._passrole("run", file, "--data", str(self.server.data), *options)
        told, errors = process.communicate(timeout=60)
        return process.returncode, told, errors

    def stub(self, name: str, content: Any) -> tuple[str, str]:
        return "--stub", f"{name}={self.write(f'{name}.json', content)}"


@pytest.fixture
def stubbed(server: Server, passrole: Passrole, write: Write) -> Stubbed:
    return Stubbed(server, passrole, write)


def test_stubbed_steps_do_not_run_and_the_run_says_so(stubbed: Stubbed) -> None:
    file = stubbed.write("stubbed-run.json", definition())
    register = stubbed.stub("Register", {"AutoMLJobArn": "arn:aws:sagemaker:us-east-1:1:automl-job/g"})
    code, told, errors = stubbed.run(file, *stubbed.stub("Score", {"score": 0.9}), *register)
    assert (code, errors) == (0, "")
    assert told.splitlines()[-2:] == [
        "  Score was stubbed: it did not run",
        "  Register was stubbed: it did not run",
    ]
    code, told, _ = stubbed.run(file, *stubbed.stub("Score", {"score": 0.1}), *register)
    assert code == 1 and "TooBad" in told


def test_stubs_are_for_one_execution_alone(stubbed: Stubbed) -> None:
    """Another execution of the same pipeline fails at what passrole does not run."""
    file = stubbed.write("stubbed-once.json", pipeline(REGISTER))
    assert stubbed.run(file, *stubbed.stub("Register", {}))[0] == 0
    started = stubbed.server.client("sagemaker").start_pipeline_execution(PipelineName="stubbed-once")
    assert stubbed.server.finished(started["PipelineExecutionArn"])["PipelineExecutionStatus"] == "Failed"
    step = stubbed.server.steps(started["PipelineExecutionArn"])["Register"]
    assert "a stub can stand for it" in step["FailureReason"]
    code, _, errors = stubbed.run(file)
    assert code == 2 and "Step type 'AutoML' is not supported here" in errors


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ("Scor={}", "the pipeline has no step `Scor` to stub; it has `Score`, `Decide`, `TooBad`"),
        ("TooBad={}", "`TooBad` is a Fail step, which no stub can stand for"),
        ('Decide={"Outcom": true}', "the stub of `Decide`, a Condition step, has `Outcom`"),
        ("Score=[]", "must be a JSON object"),
        ("Score={", "line 1 column 2"),
        ("Score", "`Score` is not STEP=FILE.json"),
    ],
)
def test_a_stub_that_cannot_be_is_refused_before_a_server_is_asked(
    stubbed: Stubbed, tmp_path: Path, option: str, complaint: str
) -> None:
    call = lambda_("Score", "arn:aws:lambda:us-east-1:111122223333:function:none", "score")
    left = "Steps.Score.OutputParameters['score']"
    decide = condition("Decide", left, 0.8, then=[], otherwise=[fail("TooBad", "bad")])
    step, equals, text = option.partition("=")
    content = tmp_path / "content.json"
    content.write_text(text)
    given = f"{step}={content}" if equals else step
    code, told, errors = stubbed.run(stubbed.write("p.json", pipeline(call, decide)), "--stub", given)
    assert (code, told) == (2, "")
    assert complaint in errors


def test_who_may_not_start_the_pipeline_may_not_stub_it(server: Server) -> None:
    body = {"PipelineName": "p", "ClientRequestToken": TOKEN, "Stubs": {"Train": {}}}
    may = allow("sagemaker:StartPipelineExecution", "arn:aws:sagemaker:*:*:pipeline/p")
    assert asked(server, [may], "StubSteps", body).status == 200
    assert asked(server, [may], "StubSteps", {**body, "PipelineName": "q"}).status == 400
    assert asked(server, [allow("sqs:ListQueues")], "StubSteps", body).status == 400
    refused = asked(server, [allow("*"), deny("sagemaker:StartPipelineExecution")], "StubSteps", body)
    assert b"AccessDenied" in refused.body


@pytest.mark.parametrize(
    "changed",
    [
        {"Stubs": {"Train": {"Function": True}}},
        {"Stubs": []},
        {"Stubs": {"Train": 1}},
        {"PipelineName": "*"},
        {"PipelineName": "p/execution/x"},
        {"PipelineName": 1},
        {"ClientRequestToken": "short"},
    ],
)
def test_what_is_no_request_for_stubs_is_refused(server: Server, changed: dict[str, Any]) -> None:
    body = {"PipelineName": "p", "ClientRequestToken": TOKEN, "Stubs": {"Train": {}}, **changed}
    answer = asked(server, None, "StubSteps", body)
    assert answer.status == 400 and b"ValidationException" in answer.body


def test_a_stub_is_for_the_start_with_its_token_alone(server: Server) -> None:
    sagemaker = server.client("sagemaker")
    call = lambda_("Score", "arn:aws:lambda:us-east-1:111122223333:function:none", "score")
    sagemaker.create_pipeline(
        PipelineName="tokens",
        RoleArn=server.access["role_arn"],
        PipelineDefinition=json.dumps(pipeline(call)),
        ClientRequestToken=TOKEN,
    )
    stubs = {"Score": {"Outputs": {"score": 0.9}}}
    body = {"PipelineName": "tokens", "ClientRequestToken": TOKEN, "Stubs": stubs}
    assert asked(server, None, "StubSteps", body).status == 200

    def status(token: str) -> str:
        started = sagemaker.start_pipeline_execution(PipelineName="tokens", ClientRequestToken=token)
        return str(server.finished(started["PipelineExecutionArn"])["PipelineExecutionStatus"])

    assert status("o" * 32) == "Failed"
    assert status(TOKEN) == "Succeeded"
    assert status("p" * 32) == "Failed"


def test_each_of_several_prepared_starts_takes_its_own_stubs(server: Server) -> None:
    """As two `run --stub` of one pipeline at once: the first starts after the second has prepared its own."""
    sagemaker, name = server.client("sagemaker"), "several-tokens"
    call = lambda_("Score", "arn:aws:lambda:us-east-1:111122223333:function:none", "score")
    scores = {f"{number}/{secrets.token_hex(16)}": score for number, score in enumerate(("0.1", "0.2"))}
    for token, score in scores.items():
        stubs = {"Train": {}, "Score": {"Outputs": {"score": float(score)}}}
        body = {"PipelineName": name, "ClientRequestToken": token, "Stubs": stubs}
        assert asked(server, None, "StubSteps", body).status == 200
    sagemaker.create_pipeline(
        PipelineName=name,
        RoleArn=server.access["role_arn"],
        PipelineDefinition=json.dumps(pipeline(train(), call, Eta="0.1")),
    )
    for token, score in scores.items():
        started = sagemaker.start_pipeline_execution(PipelineName=name, ClientRequestToken=token)
        arn = started["PipelineExecutionArn"]
        assert server.finished(arn)["PipelineExecutionStatus"] == "Succeeded"
        steps = server.steps(arn)
        assert all(step["StepDescription"].startswith("(stubbed)") for step in steps.values())
        (output,) = steps["Score"]["Metadata"]["Lambda"]["OutputParameters"]
        assert output == {"Name": "score", "Value": score}
        jobs = sagemaker.list_training_jobs(NameContains=arn.rpartition("/")[2])
        assert jobs["TrainingJobSummaries"] == []


def test_a_pipeline_that_is_deleted_leaves_no_stubs(server: Server) -> None:
    """Its definition, with a step of a type that passrole does not run, is refused afterwards."""
    sagemaker, name = server.client("sagemaker"), "deleted-with-stubs"
    body = {"PipelineName": name, "ClientRequestToken": TOKEN, "Stubs": {"Register": {}}}
    assert asked(server, None, "StubSteps", body).status == 200
    given = {"RoleArn": server.access["role_arn"], "PipelineDefinition": json.dumps(pipeline(REGISTER))}
    sagemaker.create_pipeline(PipelineName=name, **given)
    sagemaker.delete_pipeline(PipelineName=name)
    with pytest.raises(ClientError, match="AutoML"):
        sagemaker.create_pipeline(PipelineName=name, **given)
