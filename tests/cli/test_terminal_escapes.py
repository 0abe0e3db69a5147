"""Nothing that a function, a job or a caller wrote steers the terminal of who looks at it."""

import json
from typing import Any
from unicodedata import category

import pytest
from click import UsageError
from click.testing import CliRunner, Result
from tests.conftest import Server, new_name

from passrole.cli import main
from passrole.cli.errors import Failed, Misuse, one_line
from passrole.cli.pipelines.callbacks import columns
from passrole.cli.pipelines.progress import detail, outputs
from passrole.client.callbacks import WaitingCallback
from passrole.client.progress import steps_of
from passrole.log_format import terminal_lines

CLEAR, TITLE, CSI = "\x1b[2J", "\x1b]0;owned\x07", "\x9b31m"
HOSTILE = f"a{CLEAR}b{TITLE}c{CSI}d\x08\x7fe\u2028f\u202eg"
SAID = r"a\x1b[2Jb\x1b]0;owned\x07c\x9b31md\x08\x7fe\u2028f\u202eg"


def steers(text: str) -> bool:
    kinds = {category(letter) for letter in text if letter not in "\n\t"}
    return not kinds.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_a_line_keeps_its_tabs_and_nothing_else_that_steers() -> None:
    assert terminal_lines(f"REPORT\tx {HOSTILE}") == [f"REPORT\tx {SAID}"]
    assert terminal_lines("one\r\ntwo\rthree\n") == ["one", r"two\rthree", ""]


def test_what_steps_and_callers_wrote_is_escaped() -> None:
    listed = {
        "StepName": "S",
        "StepStatus": "Failed",
        "FailureReason": HOSTILE,
        "Metadata": {"Lambda": {"OutputParameters": [{"Name": "n", "Value": HOSTILE}]}},
    }
    (step,) = steps_of([listed], 0.0)
    assert detail(step) == SAID
    assert outputs([step]) == [f"S.n = {SAID}"]
    waiting = WaitingCallback(
        "token", f"arn:aws:sagemaker:r:1:pipeline/p/execution/{HOSTILE}", "S", 0.0, "q", {"a": HOSTILE}
    )
    assert not steers("  ".join(columns(waiting, 1.0)))


@pytest.mark.parametrize("kind", [Failed, Misuse, UsageError])
def test_an_error_is_one_line_that_steers_nothing(kind: Any) -> None:
    assert not steers(one_line(kind(f"AccessDenied: {HOSTILE}")))


def test_logs_of_a_function_and_its_failure_are_escaped(server: Server) -> None:
    name = new_name("sagemaker-steering")
    source = f"def handler(event, context):\n    print({HOSTILE!r})\n    raise ValueError({HOSTILE!r})\n"
    step = {"Name": "S", "Type": "Lambda", "FunctionArn": server.function(name, source), "Arguments": {}}
    text = json.dumps({"Version": "2020-12-01", "Steps": [step]})
    pipeline, sagemaker = new_name("steering"), server.client("sagemaker")
    sagemaker.create_pipeline(
        PipelineName=pipeline, RoleArn=server.access["role_arn"], PipelineDefinition=text
    )
    arn = sagemaker.start_pipeline_execution(PipelineName=pipeline)["PipelineExecutionArn"]
    server.finished(arn)
    told = run("logs", "--data", str(server.data), "--follow", arn)
    while "REPORT" not in told.output:  # they are delivered half a second after the function
        told = run("logs", "--data", str(server.data), arn)
    assert SAID in told.output and not steers(told.output)
    assert all(line.split("  ")[1] == "S" for line in told.output.splitlines())


def test_a_refusal_of_the_server_is_escaped(server: Server) -> None:
    told = run("logs", "--data", str(server.data), f"arn:aws:sagemaker:us-east-1:1:pipeline/{HOSTILE}")
    assert told.exit_code != 0 and told.output and not steers(told.output)
    told = run("reject", "--data", str(server.data), HOSTILE, "--reason", HOSTILE)
    assert told.exit_code != 0 and told.output and not steers(told.output)


def test_a_denial_in_the_trail_is_explained_without_steering(server: Server) -> None:
    server.client("s3").create_bucket(Bucket="steering-bucket")
    user = server.user(
        {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
    )
    s3 = server.client_with("s3", user["access_key_id"], user["secret_access_key"])
    with pytest.raises(s3.exceptions.ClientError):
        s3.get_object(Bucket="steering-bucket", Key=HOSTILE)
    told = run("explain", "--data", str(server.data))
    assert "steering-bucket" in told.output and not steers(told.output)
