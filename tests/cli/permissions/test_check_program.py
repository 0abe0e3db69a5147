"""`passrole check pipeline.py[:NAME]`: files that make their pipeline with the SageMaker SDK, without AWS."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.policies import allowing

from passrole.cli import main

PROGRAM = """
import sagemaker
from sagemaker.processing import ScriptProcessor
from sagemaker.workflow.callback_step import CallbackStep
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.steps import ProcessingStep

print("what a program prints is not the report")


def both(region, role):
    session = PipelineSession()
    processor = ScriptProcessor(
        image_uri="111122223333.dkr.ecr.us-east-1.amazonaws.com/x:1", command=["python3"], role=role,
        instance_count=1, instance_type="ml.m5.large", sagemaker_session=session,
    )
    work = ProcessingStep(name="Work", step_args=processor.run(code=__file__))
    return Pipeline(name="both", steps=[work], sagemaker_session=session)


url = "https://sqs.us-east-1.amazonaws.com/111122223333/"
ask = CallbackStep("Ask", sqs_queue_url=url + "ask", inputs={}, outputs=[])
tell = CallbackStep(
    name="Tell",  # passrole: ignore[PR101] another stack allows it
    sqs_queue_url=url + "tell", inputs={}, outputs=[],
)
pipeline = Pipeline(name="asking", steps=[ask, tell], sagemaker_session=PipelineSession())
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a program and a policy."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    (tmp_path / "pipeline.py").write_text(PROGRAM)
    (tmp_path / "none.json").write_text(json.dumps(allowing("s3:ListAllMyBuckets")))
    return tmp_path


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments, "--policy", "none.json"], prog_name="passrole")


def test_the_only_pipeline_is_taken_and_findings_are_at_the_names_of_steps() -> None:
    pytest.importorskip("sagemaker.workflow")
    result = check("pipeline.py", "--format", "json")
    found = json.loads(result.stdout)
    line = next(at for at, text in enumerate(PROGRAM.splitlines(), 1) if text.startswith("ask = "))
    places = [(each["subject"], each["line"], each["column"]) for each in found["findings"]]
    assert places == [("Ask", line, 20)]
    assert [each["reason"] for each in found["suppressed"]] == ["another stack allows it"]


def test_a_function_that_makes_the_pipeline_is_called_and_uploads_go_nowhere() -> None:
    pytest.importorskip("sagemaker.workflow")
    result = check("pipeline.py:both")
    assert (result.exit_code, result.stderr) == (1, "")
    assert "missing  iam:PassRole on arn:aws:iam::111122223333:role/execution-role" in result.stdout
    assert "Work: the job's own role arn:aws:iam::111122223333:role/execution-role" in result.stdout


@pytest.mark.parametrize(
    "name, program, message",
    [
        ("", "x = 3", "it has no pipeline at its top level: name one with FILE.py:NAME"),
        ("", "def get_pipeline(): ...", "there are `get_pipeline`"),
        (":make", "def make(bucket): ...", "`make` needs the argument `bucket`"),
        (":other", "def make(): ...", "it has no pipeline `other`; there are `make`"),
        ("", "\n\n1 / 0", "ZeroDivisionError: division by zero (line 3)"),
        ("", "import nonsense_module", "No module named 'nonsense_module'"),
        ("", "raise SystemExit(3)", "SystemExit: 3 (line 1)"),
        ("", "import os; os._exit(5)", "ended with exit code 5"),
        ("", "x = (", "SyntaxError"),
        (
            "",
            "import boto3; boto3.client('sqs').list_queues()",
            "it calls sqs:ListQueues while it makes the pipeline, and `check` calls no AWS",
        ),
        (
            "",
            "import urllib.request; urllib.request.urlopen('http://192.0.2.1/')",
            "`check` opens no connection, and the file asks for ('192.0.2.1', 80)",
        ),
    ],
)
def test_a_program_without_a_pipeline_is_told_why_in_one_line(
    folder: Path, name: str, program: str, message: str
) -> None:
    (folder / "p.py").write_text(program)
    result = check(f"p.py{name}")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert message in result.stderr


def test_the_folder_of_the_file_is_searched_and_main_is_not_run(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub/own.py").write_text("raise ValueError('own is imported')")
    (folder / "sub/p.py").write_text("if __name__ == '__main__':\n    raise KeyError\nimport own")
    assert "ValueError: own is imported (line 3)" in check("sub/p.py").stderr


def test_credentials_of_the_user_stay_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    (folder / "p.py").write_text(
        "import os; raise ValueError(sorted(os.environ[n] for n in os.environ if n.startswith('AWS_'))[-1:],"
        " 'AWS_PROFILE' in os.environ)"
    )
    said = check("p.py").stderr
    assert ("secret" in said, "False)" in said) == (False, True)
