"""`passrole explain --cache`: what is told of a step's search for an earlier result."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.conftest import Server
from tests.gateway.test_own_operations import allow, asked, deny
from tests.journeys.test_job_steps import Pipelines
from tests.services.sagemaker.jobs.workshop import Workshop

from passrole.cli import main
from passrole.cli.pipelines.step_cache import as_json, as_text

PREFIX = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/p/execution/"
ANSWER: dict[str, Any] = {
    "PipelineExecutionArn": f"{PREFIX}b",
    "StepName": "Train",
    "StepType": "Training",
    "Hit": False,
    "SearchTime": 7300.0,
    "Differences": [],
}
SOURCE = {"SourcePipelineExecutionArn": f"{PREFIX}a", "SourceStepName": "Train", "SourceEndTime": 100.0}
SEES = [
    allow("sagemaker:DescribePipelineDefinitionForExecution"),
    allow("sagemaker:ListPipelineExecutionSteps"),
    allow("sagemaker:ListPipelineExecutions"),
]


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"Reason": "off"}, "caching is off: the step has no CacheConfig that is enabled"),
        (
            {"Reason": "never cached", "StepType": "Lambda"},
            "the result of a Lambda step is never reused",
        ),
        ({"Reason": "not searched yet"}, "the search has not begun: a value that the arguments need is"),
        ({"Reason": "arguments unresolved"}, "an argument has no value, so nothing was searched"),
        ({"Reason": "no earlier run"}, "no earlier execution has run it, or it was deleted"),
        (
            {"Reason": "too old", "ExpireAfterSeconds": 3600, **SOURCE},
            "the last result with the same arguments, of p/a, was 2h0m old, of 1h0m allowed by ExpireAfter",
        ),
        (
            {"Reason": "did not succeed", **SOURCE},
            "no earlier run succeeded; the last one, in p/a, ended 2h0m before",
        ),
        ({"Reason": "not kept", **SOURCE}, "p/a had the same arguments, but is older than caching"),
        (
            {"Reason": "hit", "Hit": True, **SOURCE, "SourceStepName": "Fit"},
            "the result of p/a (its step Fit) was reused; it was 2h0m old",
        ),
        (
            {"Reason": "hit", "Hit": True, "SourcePipelineExecutionArn": f"{PREFIX}a"},
            "the result of p/a was reused; that execution is deleted",
        ),
        (
            {"Reason": "taken by selection", "SourcePipelineExecutionArn": f"{PREFIX}a"},
            "selective execution took the result from p/a, without a search",
        ),
    ],
)
def test_each_reason_is_a_sentence(members: dict[str, Any], told: str) -> None:
    verdict, sentence = as_text({**ANSWER, **members}).splitlines()
    assert verdict.endswith("  Train of p/b")
    assert sentence.startswith(f"  {told}")


def test_differences_are_told_with_both_values_and_without_control_characters() -> None:
    differences: list[dict[str, Any]] = [
        {"Path": "Environment.A\x1b", "Value": "\x1b[2J", "SourceValue": ["x"] * 200},
        {"Path": "Environment.B", "SourceValue": "y"},
        *({"Path": f"Environment.C{number}", "Value": number} for number in range(30)),
    ]
    lines = as_text({**ANSWER, **SOURCE, "Reason": "differs", "Differences": differences}).splitlines()
    assert lines[1] == "  no result has the same arguments; those of p/a, 2h0m before, differ"
    assert lines[2:4] == ["  Environment.A\\x1b", '    here   "\\u001b[2J"']
    assert lines[4].endswith("...") and len(lines[4]) < 330
    assert lines[5:8] == ["  Environment.B", "    here   (absent)", '    there  "y"']
    assert lines[-1] == "  and 12 more; --format json has all"
    assert (
        len(json.loads(as_json({**ANSWER, "Reason": "differs", "Differences": differences}))["differences"])
        == 32
    )


@pytest.fixture(scope="module")
def pipelines(server: Server, sandboxed: None) -> Pipelines:
    return Pipelines(Workshop(server))


def explain(server: Server, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", "--data", str(server.data), *arguments], prog_name="passrole")


@pytest.mark.slow
def test_a_hit_is_0_and_a_changed_argument_is_named_and_is_1(pipelines: Pipelines) -> None:
    server, sagemaker = pipelines.workshop.server, pipelines.sagemaker
    step = pipelines.processing("One", "true", CacheConfig={"Enabled": True, "ExpireAfter": "P1D"})
    name = pipelines.create(step)
    first = pipelines.start(name)
    pipelines.ended(first)
    assert "no earlier execution" in explain(server, "--cache", name, "One").stdout
    second = pipelines.start(name)
    pipelines.ended(second)
    hit = explain(server, "--cache", second.rpartition("/")[2], "One")
    assert (hit.exit_code, hit.stdout.splitlines()[0]) == (0, f"hit  One of {name}/{second[-12:]}")
    assert f"the result of {name}/{first[-12:]} was reused" in hit.stdout

    step["Arguments"]["Environment"] = {"EPOCHS": "20"}
    definition = json.dumps({"Version": "2020-12-01", "Steps": [step]})
    sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=definition)
    third = pipelines.start(name)
    pipelines.ended(third)
    miss = explain(server, "--cache", third, "One", "--format", "json")
    assert miss.exit_code == 1
    found = json.loads(miss.stdout)
    assert (found["reason"], found["source"]["execution"]) == ("differs", first)
    assert found["differences"] == [{"path": "Environment", "value": {"EPOCHS": "20"}, "source_value": None}]

    parameters = {"PipelineExecutionArn": third, "StepName": "One"}
    assert asked(server, SEES, "ExplainStepCache", parameters).status == 200
    for each in SEES:
        without = [other for other in SEES if other != each]
        answer = asked(server, without, "ExplainStepCache", parameters)
        assert answer.code == "AccessDeniedException" and b"EPOCHS" not in answer.body
    elsewhere = [*SEES, deny("sagemaker:DescribePipelineDefinitionForExecution", first)]
    assert asked(server, elsewhere, "ExplainStepCache", parameters).code == "AccessDeniedException"


def test_what_is_not_there_is_misuse(server: Server) -> None:
    sagemaker = server.client("sagemaker")
    fail = {"Name": "Never", "Type": "Fail", "Arguments": {"ErrorMessage": "m"}}
    sagemaker.create_pipeline(
        PipelineName="explained-fails",
        RoleArn=server.access["role_arn"],
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [fail]}),
    )
    sagemaker.start_pipeline_execution(PipelineName="explained-fails")
    for execution, step, message in [
        ("nowhere", "One", "there is no execution and no pipeline `nowhere`"),
        (f"{PREFIX}abcdefghijkl", "One", "does not exist"),
        ("explained-fails", "One", "The execution has no step `One` yet"),
    ]:
        result = explain(server, "--cache", execution, step)
        assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
    never = explain(server, "--cache", "explained-fails", "Never")
    assert (never.exit_code, "a Fail step is never reused" in never.stdout) == (1, True)
    both = explain(server, "--cache", "a", "b", "--action", "sqs:SendMessage")
    assert (both.exit_code, "--cache goes with --format and --data only" in both.stderr) == (2, True)


@pytest.mark.parametrize("step", [7, None, {}])
def test_a_step_s_name_is_a_text(server: Server, step: Any) -> None:
    body = {"PipelineExecutionArn": f"{PREFIX}abcdefghijkl", "StepName": step}
    assert asked(server, None, "ExplainStepCache", body).code == "ValidationException"
