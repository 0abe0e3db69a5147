"""Answers: who may give one, what it carries, who was first, and what is kept of it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.conftest import Server
from tests.console.conftest import (
    SETTINGS,
    Browser,
    Console,
    Wait,
    Waiting,
    console_of,
    cookie_of,
    waiting_on,
)

APPROVE = "sagemaker:SendPipelineExecutionStepSuccess"
REJECT = "sagemaker:SendPipelineExecutionStepFailure"
SEE = ("sagemaker:Describe*", "sagemaker:List*")


def at(waiting: Waiting, attempt: int = 1) -> str:
    return f"/approvals/callbacks/{waiting.id}/Review/{attempt}"


def answers(browser: Browser, waiting: Waiting) -> list[dict[str, object]]:
    found: list[dict[str, object]] = browser.get(f"/executions/{waiting.id}/steps/Review.json").json[
        "answers"
    ]
    return found


def test_an_approval_carries_outputs_and_a_comment_and_is_kept_with_a_name(
    console: Console, admin: Browser, wait: Wait
) -> None:
    waiting, approver = wait(), console.allowed(APPROVE, *SEE)
    item = next(
        each for each in approver.get("/approvals.json").json["waiting"] if each["execution"] == waiting.id
    )
    assert item["outputs"] == [{"name": "Score", "type": "Float"}, {"name": "Note", "type": "String"}]
    assert item["may_not_approve"] is None
    assert REJECT in item["may_not_reject"]
    fields = {"decision": "approve", "comment": "looks good", "output.Score": "0.9", "output.Note": "a\r\nb"}
    assert approver.post(at(waiting), fields).status == 200
    (kept,) = answers(admin, waiting)
    who = approver.get("/session.json").json["identity"]["Arn"]
    assert {name: kept[name] for name in ("Outcome", "By", "Comment")} == {
        "Outcome": "success",
        "By": who,
        "Comment": "looks good",
    }
    step = console.server.steps(waiting.arn)["Review"]
    assert step["Metadata"]["Callback"]["OutputParameters"] == [
        {"Name": "Score", "Value": "0.9"},
        {"Name": "Note", "Value": "a\nb"},
    ]
    assert "looks good" in admin.get(f"/executions/{waiting.id}").text


def test_a_rejection_fails_the_step_with_its_comment(console: Console, admin: Browser, wait: Wait) -> None:
    waiting = wait()
    assert admin.post(at(waiting), {"decision": "reject", "comment": "too slow"}).status == 200
    assert console.server.finished(waiting.arn)["PipelineExecutionStatus"] == "Failed"
    assert console.server.steps(waiting.arn)["Review"]["FailureReason"] == "too slow"


def test_the_second_of_two_learns_who_was_first(console: Console, admin: Browser, wait: Wait) -> None:
    waiting = wait()
    browsers = [console.allowed(APPROVE, *SEE) for _ in range(2)]
    names = [each.get("/session.json").json["identity"]["Arn"] for each in browsers]
    with ThreadPoolExecutor() as pool:
        got = list(pool.map(lambda each: each.post(at(waiting), {"decision": "approve"}), browsers))
    assert sorted(each.status for each in got) == [200, 409]
    (kept,) = answers(admin, waiting)
    loser = next(each for each in got if each.status == 409)
    winner = names[1 - got.index(loser)]
    assert kept["By"] == winner
    assert f"approved by {winner} already" in loser.text


def test_who_may_not_answer_is_refused_and_nothing_is_changed(console: Console, wait: Wait) -> None:
    waiting, reader = wait(), console.allowed(*SEE)
    denied = reader.post(at(waiting), {"decision": "approve", "comment": "mine"})
    assert (denied.status, APPROVE in denied.text) == (403, True)
    assert answers(reader, waiting) == []
    assert "OutputParameters" not in console.server.steps(waiting.arn)["Review"]["Metadata"]["Callback"]


def test_an_attempt_that_is_not_is_no_approval(admin: Browser, wait: Wait) -> None:
    waiting = wait()
    assert admin.post(at(waiting, 2), {"decision": "approve"}).status == 404
    assert admin.post(at(waiting), {"decision": "maybe"}).status == 400
    assert admin.post(at(waiting), {"decision": "approve", "comment": "x" * 2000}).status == 400
    assert answers(admin, waiting) == []


def test_an_answer_by_token_has_its_name_too(console: Console, admin: Browser, wait: Wait) -> None:
    waiting = wait()
    token = console.server.steps(waiting.arn)["Review"]["Metadata"]["Callback"]["CallbackToken"]
    console.server.client("sagemaker").send_pipeline_execution_step_success(CallbackToken=token)
    (kept,) = answers(admin, waiting)
    assert str(kept["By"]).endswith(":user/administrator")


def test_a_model_package_is_approved_once(console: Console, admin: Browser) -> None:
    sagemaker = console.server.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="speeds")
    sagemaker.create_model_package(
        ModelPackageGroupName="speeds",
        ModelApprovalStatus="PendingManualApproval",
        ModelPackageDescription="v1",
    )
    (item,) = (each for each in admin.get("/approvals.json").json["waiting"] if each["kind"] == "package")
    assert (item["group"], item["version"], item["description"]) == ("speeds", 1, "v1")
    path = "/approvals/packages/speeds/1"
    assert admin.post(path, {"decision": "approve", "comment": "fine"}).status == 200
    arn = sagemaker.list_model_packages(ModelPackageGroupName="speeds")["ModelPackageSummaryList"][0]
    described = sagemaker.describe_model_package(ModelPackageName=arn["ModelPackageArn"])
    assert (described["ModelApprovalStatus"], described["ApprovalDescription"]) == ("Approved", "fine")
    again = admin.post(path, {"decision": "reject"})
    assert (again.status, "was approved by" in again.text) == (409, True)


def test_a_package_that_may_only_be_listed_does_not_close_the_page(console: Console) -> None:
    sagemaker = console.server.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="listed")
    sagemaker.create_model_package(
        ModelPackageGroupName="listed", ModelApprovalStatus="PendingManualApproval"
    )
    reader = console.allowed("sagemaker:List*")
    found = reader.get("/approvals.json").json["waiting"]
    assert [each["metrics"] for each in found if each.get("group") == "listed"] == [{}]
    assert reader.get("/").status == 200


def test_record_and_session_outlive_a_killed_server(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    server = Server(tmp_path / "server" / "data", **SETTINGS)
    try:
        waiting, browser = waiting_on(server)(), console_of(server).browser()
        assert browser.post(at(waiting), {"decision": "approve", "comment": "kept"}).status == 200
        server.kill()
        server.start()
        again = Browser(console_of(server).url)
        again.cookies = {cookie_of(again): value for value in browser.cookies.values()}
        (kept,) = answers(again, waiting)
        assert kept["Comment"] == "kept"
        assert server.finished(waiting.arn)["PipelineExecutionStatus"] == "Failed"  # by the Fail step
    finally:
        server.stop()
