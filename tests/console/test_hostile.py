"""What people may write and print, and how much of it: pages stay text, and stay small."""

import json
import re
from collections.abc import Sequence
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Document, Server, new_name
from tests.console.conftest import Browser, Console, Wait, hidden
from tests.eventually import eventually
from tests.journeys.test_job_steps import Pipelines
from tests.services.sagemaker.jobs.workshop import Workshop

BAD = (
    "<img src=x onerror=alert(1)>\x1b[31mred\x1b]0;title\x07 "
    "\u202eback\u200f\u2066in\u061c </script>'\"{{ 7*7 }}"
)
MARKS = ("\x1b", "\x07", "\u202e", "\u200f", "\u2066", "\u061c", "<img src=x", "</script>'")

SAYING = """
def handler(event, context):
    print(event["text"])
    if event.get("fails"):
        raise ValueError(event["text"])
    return {"said": event["text"]}
"""


def assert_is_text(browser: Browser, *paths: str, shown: bool = True) -> None:
    for path in paths:
        got = browser.get(path)
        assert got.status in (200, 400, 403, 404, 409), (path, got.status)
        body = re.sub(r' value="[^"]*"', "", got.text)  # what a form sends back is as it was
        found = [mark for mark in MARKS if mark in body]
        assert found == [], (path, found)
        assert not shown or "&lt;img src=x" in got.text, path


def test_what_a_function_prints_returns_and_fails_with_is_text(console: Console, admin: Browser) -> None:
    server = console.server
    for fails in (False, True):
        step = {
            "Name": "Say",
            "Type": "Lambda",
            "FunctionArn": server.function(new_name("sagemaker-say"), SAYING),
            "Arguments": {"text": BAD, "fails": fails},
            "OutputParameters": [{"OutputName": "said", "OutputType": "String"}],
        }
        id_ = run(server, [step], PipelineExecutionDescription=BAD[:200])
        pages = (f"/executions/{id_}", f"/executions/{id_}/steps/Say")
        assert_is_text(admin, *pages)
        assert "red" in admin.get(pages[1]).text


def test_arguments_parameters_comments_and_reasons_are_text(
    console: Console, admin: Browser, wait: Wait
) -> None:
    text = {"Name": "Text", "Type": "String", "DefaultValue": BAD, "EnumValues": [BAD, "b"]}
    waiting = wait({BAD[:40]: BAD, "deep": [[{BAD: [BAD]}]]}, Parameters=[text])
    at = f"/executions/{waiting.id}"
    assert_is_text(admin, "/approvals", at, f"{at}/steps/Review", f"/pipelines/{waiting.pipeline}")
    answer = f"/approvals/callbacks/{waiting.id}/Review/1"
    refused = admin.post(answer, {"decision": BAD, "comment": BAD})
    assert refused.status == 400
    assert admin.post(answer, {"decision": "reject", "comment": BAD, "back": BAD}).status == 200
    eventually(lambda: admin.get(f"{at}.json").json["has_ended"])
    assert_is_text(admin, at, f"{at}/steps/Review")
    assert_is_text(admin, "/", shown=False)


def test_a_model_package_is_text(console: Console, admin: Browser) -> None:
    sagemaker, group = console.server.client("sagemaker"), new_name("hostile")
    sagemaker.create_model_package_group(ModelPackageGroupName=group, ModelPackageGroupDescription="x")
    sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="PendingManualApproval",
        ModelPackageDescription=BAD,
        CustomerMetadataProperties={"note": BAD[:250]},
    )
    at = f"/packages/{group}/1"
    assert_is_text(admin, at, "/approvals")
    fields = {"decision": "approve", "answers": hidden(admin.get(at).text, "answers"), "comment": BAD}
    assert admin.post(f"/approvals{at}", fields).status == 200
    assert_is_text(admin, at)


def test_the_key_of_an_object_that_was_denied_is_text(console: Console, admin: Browser) -> None:
    nothing = {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}
    s3 = console.server.client("s3", {"Version": "2012-10-17", "Statement": [nothing]})
    with pytest.raises(ClientError):
        s3.get_object(Bucket="some-bucket-of-others", Key=f"a/{BAD}")
    assert_is_text(admin, "/denials")


def test_what_a_url_says_is_text(admin: Browser) -> None:
    bad = urlencode({"x": BAD})[2:]
    for path in (
        f"/executions/{bad}",
        f"/pipelines/{bad}",
        f"/executions/{bad}/steps/{bad}",
        f"/packages/{bad}/1",
        f"/approvals?after={bad}",
        f"/approvals?review={bad}",
        f"/check?pipeline={bad}",
        f"/compare?left={bad}&right={bad}",
    ):
        assert_is_text(admin, path, shown=False)


def test_a_log_of_ten_megabytes_is_a_short_page(console: Console, admin: Browser) -> None:
    loop = "for n in range(100_000):\n        print(n, 'x' * 90)"
    source = f"def handler(event, context):\n    {loop}\n    return {{}}\n"
    step = {
        "Name": "Say",
        "Type": "Lambda",
        "FunctionArn": console.server.function(new_name("sagemaker-say"), source),
    }
    id_ = run(console.server, [step])
    got = admin.get(f"/executions/{id_}/steps/Say")
    assert (got.status, len(got.text) < 200_000) == (200, True)


def test_one_line_of_a_megabyte_is_a_short_page(console: Console, admin: Browser) -> None:
    source = "def handler(event, context):\n    print('x' * 1_000_000)\n    return {}\n"
    step = {
        "Name": "Say",
        "Type": "Lambda",
        "FunctionArn": console.server.function(new_name("sagemaker-say"), source),
    }
    got = admin.get(f"/executions/{run(console.server, [step])}/steps/Say")
    assert (got.status, len(got.text) < 200_000) == (200, True)


def test_what_is_nested_deeply_is_shown_and_shuts_no_page(admin: Browser, wait: Wait) -> None:
    nested: object = "in the middle"
    for _ in range(90):
        nested = [nested]
    waiting = wait({"nested": nested})
    for path in ("/approvals", f"/executions/{waiting.id}/steps/Review"):
        for each in (path, f"{path}.json"):
            assert admin.get(each).status == 200, each


def test_many_parameters_with_long_values_are_a_form_that_can_be_sent(admin: Browser, wait: Wait) -> None:
    parameters = [
        {"Name": f"P{number:03}", "Type": "String", "DefaultValue": "v" * 50} for number in range(200)
    ]
    waiting = wait(Parameters=parameters)
    page = admin.get(f"/pipelines/{waiting.pipeline}")
    assert page.text.count('name="parameter.') == 200
    given = {f"parameter.P{number:03}": "w" * 50 for number in range(200)}
    started = admin.post(
        f"/pipelines/{waiting.pipeline}/start", {"token": hidden(page.text, "token"), **given}
    )
    assert started.status == 200
    assert "w" * 50 in started.text


def run(server: Server, steps: Sequence[Document], **members: str) -> str:
    """The id of an execution of these steps, which is over."""
    allowed = {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}
    role = server.role([{"Version": "2012-10-17", "Statement": [allowed]}])
    sagemaker, name = server.client("sagemaker"), new_name("pipeline")
    definition = json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": steps})
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=definition, RoleArn=role)
    arn = sagemaker.start_pipeline_execution(PipelineName=name, **members)["PipelineExecutionArn"]
    server.finished(arn)
    return str(arn.rpartition("/")[2])


def test_what_jobs_are_called_print_and_fail_with_is_text(
    console: Console, admin: Browser, sandboxed: None
) -> None:
    pipelines = Pipelines(Workshop(console.server))
    pipelines.workshop.put(data__x="1")
    script = 'echo "loss=1- $BAD"; printf \'%s\' "$BAD" > /opt/ml/output/failure; exit 1'
    step = pipelines.training("Train", script, f"s3://{pipelines.workshop.bucket}/data/")
    metric = {"Name": BAD, "Regex": "loss=([0-9]+)-"}
    step["Arguments"]["AlgorithmSpecification"]["MetricDefinitions"] = [metric]
    step["Arguments"]["Environment"] = {"BAD": BAD}
    step["Arguments"]["HyperParameters"] = {BAD[:40]: BAD}
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    name = pipelines.create(step, policies=[{"Version": "2012-10-17", "Statement": [allowed]}])
    started = [pipelines.start(name) for _ in range(2)]
    for each in started:
        pipelines.ended(each)
    ids = [each.rpartition("/")[2] for each in started]
    at = f"/executions/{ids[0]}"
    assert_is_text(
        admin, at, f"{at}/steps/Train", f"{at}/steps/Train/log", f"/compare?left={ids[0]}&right={ids[1]}"
    )
    assert "polyline" in admin.get(f"{at}/steps/Train").text


def test_a_value_of_several_lines_and_a_strange_choice_are_sent_as_they_are(
    console: Console, admin: Browser, wait: Wait
) -> None:
    lines = {"Name": "Lines", "Type": "String", "DefaultValue": "\na\nb"}
    choice = {"Name": "Choice", "Type": "String", "DefaultValue": "x\u202ey", "EnumValues": ["x\u202ey", "z"]}
    page = admin.get(f"/pipelines/{wait(Parameters=[lines, choice]).pipeline}").text
    assert re.search(r'<textarea name="parameter.Lines"[^>]*>\n\na\nb</textarea>', page)
    assert '<option selected value="x\u202ey">x\ufffdy</option>' in page
