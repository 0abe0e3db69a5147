"""The page of a step: what was sent, each attempt, the log, metrics, property files, a tuning's jobs."""

import json
from typing import Any

import pytest
from tests.conftest import new_name
from tests.console.conftest import Browser, Console, Wait
from tests.eventually import eventually
from tests.journeys.test_check_steps import Checks
from tests.journeys.test_endpoint_steps import config, endpoint
from tests.journeys.test_job_steps import Pipelines
from tests.services.sagemaker.hosting.conftest import TIMES, Host
from tests.services.sagemaker.jobs.workshop import Workshop

from passrole import ids
from passrole.console.plots import POINTS_MAX, plot

HOSTILE = "<script>alert(1)</script> \x1b[31mred\x1b[0m"
SHOWN = "&lt;script&gt;alert(1)&lt;/script&gt; red"
MAY_ALL = [{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}]


@pytest.fixture(scope="module")
def pipelines(console: Console, sandboxed: None) -> Pipelines:
    """On the console's server."""
    return Pipelines(Workshop(console.server))


def ran(pipelines: Pipelines, *steps: dict[str, Any]) -> str:
    """The id of an execution of these steps, once all have succeeded."""
    arn = pipelines.start(pipelines.create(*steps, policies=MAY_ALL))
    for step in pipelines.ended(arn).values():
        assert step["StepStatus"] == "Succeeded", step
    return arn.rpartition("/")[2]


def training(pipelines: Pipelines, script: str) -> dict[str, Any]:
    pipelines.workshop.put(data__x="1")
    step = pipelines.training("Train", script, f"s3://{pipelines.workshop.bucket}/data/")
    step["Arguments"]["AlgorithmSpecification"]["MetricDefinitions"] = [
        {"Name": "loss", "Regex": "loss=([-0-9.e]+);"},
        {"Name": "never", "Regex": "never=([0-9]+);"},
    ]
    return step


def test_the_course_of_a_metric_is_plotted_from_the_log(pipelines: Pipelines, admin: Browser) -> None:
    execution = ran(pipelines, training(pipelines, 'for i in 9 4 2.5 3; do echo "loss=$i;"; done'))
    step = admin.get(f"/executions/{execution}/steps/Train")
    (found,) = admin.get(f"/executions/{execution}/steps/Train.json").json["measured"]["plots"]
    assert (found["name"], found["count"]) == ("loss", 4)
    assert (found["first"], found["least"], found["greatest"], found["last"]) == (9.0, 2.5, 9.0, 3.0)
    assert len(found["points"].split()) == 4
    for page in (step, admin.get(f"/executions/{execution}")):
        assert "<polyline" in page.text
        assert '<th scope="row">loss</th>' in page.text  # the same as figures


def test_who_may_not_read_the_log_sees_the_last_values(
    console: Console, pipelines: Pipelines, admin: Browser
) -> None:
    execution = ran(pipelines, training(pipelines, "echo 'loss=9;'; echo 'loss=4;'"))
    reader = console.allowed("sagemaker:Describe*", "sagemaker:List*")
    measured = reader.get(f"/executions/{execution}/steps/Train.json").json["measured"]
    assert "is not authorized to perform: logs:DescribeLogStreams" in measured["refused"]
    assert [(each["name"], each["last"]) for each in measured["plots"]] == [("loss", 4.0)]


@pytest.mark.parametrize("count", [1, 2, POINTS_MAX, POINTS_MAX + 1, 100_000])
def test_a_plot_is_bounded_and_keeps_its_peak(count: int) -> None:
    values = [0.0] * count
    values[count // 2] = 7.0
    made = plot("m", values)
    points = [tuple(map(float, each.split(","))) for each in made.points.split()]
    assert len(points) <= POINTS_MAX + 2
    assert min(y for _, y in points) == min(made.last_y, *(y for _, y in points))
    assert (made.count, made.greatest, made.last) == (count, 7.0, values[-1])
    if count > 1:
        assert len({y for _, y in points}) == 2  # the peak is not thinned away


def test_each_attempt_has_its_arguments_and_its_log(pipelines: Pipelines, admin: Browser) -> None:
    """A retried execution runs the step again as its second attempt."""
    step = pipelines.processing("One", "echo tried; echo 'no such column' >&2; exit 3")
    arn = pipelines.start(pipelines.create(step, policies=MAY_ALL))
    pipelines.ended(arn)
    pipelines.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="r" * 32)
    eventually(lambda: pipelines.steps(arn)["One"].get("AttemptCount") == 2)
    pipelines.ended(arn)
    at = f"/executions/{arn.rpartition('/')[2]}/steps/One"
    second, first = admin.get(f"{at}.json").json["attempts"]
    assert [first["AttemptCount"], second["AttemptCount"]] == [1, 2]
    assert {first["Status"], second["Status"]} == {"Failed"}
    for each in (first, second):
        (sent,) = each["Sent"]
        assert sent["Arguments"]["AppSpecification"] == step["Arguments"]["AppSpecification"]
        assert each["Job"]["ProcessingJob"]["Arn"].endswith(sent["Name"])
        assert each["Response"]["ProcessingJobStatus"] == "Failed"
    assert first["Job"] != second["Job"]
    assert "no such column" in first["Log"]["lines"]
    page = admin.get(at).text
    assert page.count("Arguments as sent") == 2


def test_a_message_is_shown_without_its_token(console: Console, admin: Browser, wait: Wait) -> None:
    waiting = wait({"note": HOSTILE})
    token = console.server.steps(waiting.arn)["Review"]["Metadata"]["Callback"]["CallbackToken"]
    at = f"/executions/{waiting.id}/steps/Review"
    (attempt,) = admin.get(f"{at}.json").json["attempts"]
    assert attempt["Sent"][0]["Arguments"] == {"note": HOSTILE}
    for path in (at, f"{at}.json"):
        assert token not in admin.get(path).text
    assert SHOWN in admin.get(at).text


def test_a_large_document_is_shown_in_part(console: Console, wait: Wait) -> None:
    waiting = wait({"note": "x" * 100_000})
    asked = {"PipelineExecutionArn": waiting.arn, "StepName": "Review"}
    (attempt,) = console.ask("ListStepAttempts", asked)["Attempts"]
    assert attempt["Sent"][0]["Arguments"].startswith('{"note":"xxx')
    assert len(attempt["Sent"][0]["Arguments"]) < 70_000


def test_attempts_are_for_who_may_see_definition_and_steps(console: Console, wait: Wait) -> None:
    waiting = wait()
    asked = {"PipelineExecutionArn": waiting.arn, "StepName": "Review"}
    for actions in (
        ["sagemaker:ListPipelineExecutionSteps"],
        ["sagemaker:DescribePipelineDefinitionForExecution"],
    ):
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        keys = console.server.user({"Version": "2012-10-17", "Statement": [statement]})
        assert "is not authorized" in json.dumps(console.ask("ListStepAttempts", asked, keys))


def test_a_property_file_is_read_as_the_caller(
    console: Console, pipelines: Pipelines, admin: Browser
) -> None:
    located = {"LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    uri = f"s3://{pipelines.workshop.bucket}/reports"
    step = pipelines.processing("Evaluate", 'echo \'{"mse": "<b>1.5</b>"}\' > /opt/ml/processing/out/e.json')
    step["Arguments"]["ProcessingOutputConfig"] = {
        "Outputs": [{"OutputName": "report", "S3Output": {"S3Uri": uri, **located}}]
    }
    step["PropertyFiles"] = [{"PropertyFileName": "Report", "OutputName": "report", "FilePath": "e.json"}]
    execution = ran(pipelines, step)
    at = f"/executions/{execution}/steps/Evaluate"
    (file,) = admin.get(f"{at}.json").json["property_files"]
    assert (file["uri"], json.loads(file["text"])) == (f"{uri}/e.json", {"mse": "<b>1.5</b>"})
    assert "&lt;b&gt;1.5" in admin.get(at).text
    reader = console.allowed("sagemaker:Describe*", "sagemaker:List*")
    (refused,) = reader.get(f"{at}.json").json["property_files"]
    assert (refused["text"], bool(refused["refused"])) == ("", True)


def test_a_log_is_followed_while_its_step_runs(pipelines: Pipelines, admin: Browser) -> None:
    script = "echo '<b>first</b>'; printf '\\033[31mred\\033[0m\\n'; sleep 600"
    arn = pipelines.start(pipelines.create(pipelines.processing("One", script), policies=MAY_ALL))
    at = f"/executions/{arn.rpartition('/')[2]}/steps/One"
    eventually(lambda: "One" in pipelines.steps(arn))
    eventually(lambda: "red" in admin.get(f"{at}/log").text, seconds=60)
    page = admin.get(f"{at}/log").text
    assert f'data-follow="{at}/log"' in page
    assert "&lt;b&gt;first&lt;/b&gt;" in page
    assert "\x1b" not in page
    assert f'data-follow="{at}/log"' in admin.get(at).text
    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="s" * 32)
    pipelines.ended(arn)
    assert "data-follow" not in admin.get(f"{at}/log").text


def test_a_function_has_begun_before_its_step_where_the_clock_of_its_server_is_behind(
    console: Console, admin: Browser
) -> None:
    """What it printed is shown by the id of its invocation, whatever its lines' times."""
    sagemaker, logs = console.server.client("sagemaker"), console.server.client("logs")
    name = new_name("sagemaker-early")
    function = console.server.function(name, "def handler(event, context): return {}")
    step = {"Name": "Early", "Type": "Lambda", "FunctionArn": function}
    sagemaker.create_pipeline(
        PipelineName=name,
        RoleArn=console.server.access["role_arn"],
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [step]}),
    )
    arn = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    console.server.finished(arn)
    page = f"/executions/{arn.rpartition('/')[2]}/steps/Early/log.json"
    eventually(lambda: admin.get(page).json["log"]["lines"])  # its own
    began = int(console.server.steps(arn)["Early"]["StartTime"].timestamp() * 1000)
    own = f"START RequestId: {ids.invocation_id(arn, 'Early', 1)} Version: $LATEST"
    other = "START RequestId: another Version: $LATEST"
    stream = {"logGroupName": f"/aws/lambda/{name}", "logStreamName": "of-the-other-server"}
    logs.create_log_stream(**stream)
    lines = [other, "before", own, "by the other clock", other, "after"]
    events = [{"timestamp": began - 3_000, "message": line} for line in lines]
    logs.put_log_events(**stream, logEvents=events)
    eventually(lambda: admin.get(page).json["log"]["lines"] == [own, "by the other clock"])


def test_the_end_of_a_long_log_is_shown(pipelines: Pipelines, admin: Browser) -> None:
    execution = ran(pipelines, pipelines.processing("One", "seq 1 30000; echo the end"))
    found = admin.get(f"/executions/{execution}/steps/One/log.json").json["log"]
    assert found["lines"][-1] == "the end"
    assert (len(found["lines"]), found["is_cut"]) == (2_000, True)


def test_a_tuning_lists_its_training_jobs_best_first_and_what_they_print(
    pipelines: Pipelines, admin: Browser
) -> None:
    request = pipelines.workshop.tuning('echo "loss=$2;"', {})
    del request["HyperParameterTuningJobName"]
    execution = ran(pipelines, {"Name": "Tune", "Type": "Tuning", "Arguments": request})
    at = f"/executions/{execution}/steps/Tune"
    facts = admin.get(f"{at}.json").json
    found = facts["children"]
    values = [each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for each in found["jobs"]]
    assert (found["metric"], found["count"]) == ("loss", 2)
    assert values == sorted(values)
    assert facts["job"]["HyperParameterTuningJobStatus"] == "Completed"
    printed = [line for line in facts["log"]["lines"] if "loss=" in line]
    assert sorted(line.partition(" ")[0] for line in printed) == ["001", "002"]
    assert [line for line in admin.get(f"{at}/log.json").json["log"]["lines"] if "loss=" in line] == printed
    assert "lr = " in admin.get(at).text


def test_a_check_has_the_log_and_the_description_of_its_job(console: Console, admin: Browser) -> None:
    checks = Checks(console.server)
    execution = ran(checks.pipelines, checks.step(checks.role_of_jobs("s3:*", "logs:*")))
    facts = admin.get(f"/executions/{execution}/steps/One.json").json
    assert facts["job"]["ProcessingJobStatus"] == "Completed"
    assert facts["log"]["lines"]


def test_an_endpoint_has_what_its_servers_printed(
    console: Console, pipelines: Pipelines, admin: Browser
) -> None:
    host = Host(console.server)
    try:
        name = new_name("shown")
        model = host.model(2, TIMES.replace("return json.load", "print('loaded'); return json.load"))
        execution = ran(pipelines, config(model, name), endpoint(name))
        page = f"/executions/{execution}/steps/Endpoint.json"
        assert admin.get(page).json["step"]["status"] == "Succeeded"
        eventually(lambda: "loaded" in admin.get(page).json["log"]["lines"])
    finally:
        host.close()
