"""Answers: who may give one, what it carries, who was first, and what is kept of it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

from tests.conftest import Server
from tests.console.conftest import (
    SETTINGS,
    Browser,
    Console,
    Wait,
    Waiting,
    console_of,
    cookie_of,
    hidden,
    waiting_on,
)

APPROVE = "sagemaker:SendPipelineExecutionStepSuccess"
REJECT = "sagemaker:SendPipelineExecutionStepFailure"
SEE = ("sagemaker:Describe*", "sagemaker:List*")


def at(waiting: Waiting, attempt: int = 1) -> str:
    return f"/approvals/callbacks/{waiting.id}/Review/{attempt}"


def waiting_package(console: Console, group: str) -> str:
    """A version 1 that waits; where its form goes."""
    sagemaker = console.server.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    sagemaker.create_model_package(ModelPackageGroupName=group, ModelApprovalStatus="PendingManualApproval")
    return f"/approvals/packages/{group}/1"


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
    found = admin.get("/approvals.json").json["waiting"]
    (item,) = (each for each in found if each.get("group") == "speeds")
    assert (item["group"], item["version"], item["description"]) == ("speeds", 1, "v1")
    path = "/approvals/packages/speeds/1"
    fields = {
        "decision": "approve",
        "comment": "fine",
        "answers": hidden(admin.get("/packages/speeds/1").text, "answers"),
    }
    assert admin.post(path, fields).status == 200
    arn = sagemaker.list_model_packages(ModelPackageGroupName="speeds")["ModelPackageSummaryList"][0]
    described = sagemaker.describe_model_package(ModelPackageName=arn["ModelPackageArn"])
    assert (described["ModelApprovalStatus"], described["ApprovalDescription"]) == ("Approved", "fine")
    again = admin.post(path, {"decision": "reject", "answers": "0"})
    who = admin.get("/session.json").json["identity"]["Arn"]
    assert (again.status, f"was approved by {who} already" in again.text) == (409, True)
    (kept,) = admin.get("/packages/speeds/1.json").json["item"]["answers"]
    assert {name: kept[name] for name in ("Status", "By", "Comment")} == {
        "Status": "Approved",
        "By": who,
        "Comment": "fine",
    }
    page = admin.get("/packages/speeds/1").text
    assert "user/administrator" in page
    assert "fine" in page


def test_of_two_answers_to_a_package_at_the_same_instant_one_wins(console: Console, admin: Browser) -> None:
    for number in range(5):
        at = waiting_package(console, f"raced-{number}")
        browsers = [console.allowed("sagemaker:UpdateModelPackage", *SEE) for _ in range(4)]
        names = [each.get("/session.json").json["identity"]["Arn"] for each in browsers]
        with ThreadPoolExecutor() as pool:
            got = list(
                pool.map(lambda each: each.post(at, {"decision": "approve", "answers": "0"}), browsers)  # noqa: B023
            )
        assert sorted(each.status for each in got) == [200, 409, 409, 409]
        winner = names[next(index for index, each in enumerate(got) if each.status == 200)]
        package = at.removeprefix("/approvals")
        (kept,) = admin.get(f"{package}.json").json["item"]["answers"]
        assert kept["By"] == winner
        assert all(f"was approved by {winner} already" in each.text for each in got if each.status == 409)


def test_a_form_from_before_an_answer_is_out_of_date_though_it_waits_again(
    console: Console, admin: Browser
) -> None:
    at = waiting_package(console, "again")
    assert admin.post(at, {"decision": "reject", "answers": "0"}).status == 200
    arn = admin.get("/packages/again/1.json").json["package"]["ModelPackageArn"]
    console.server.client("sagemaker").update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="PendingManualApproval"
    )
    assert admin.post(at, {"decision": "approve", "answers": "0"}).status == 409
    assert admin.post(at, {"decision": "approve", "answers": "2"}).status == 200
    kept = admin.get("/packages/again/1.json").json["item"]["answers"]
    assert [each["Status"] for each in kept] == ["Rejected", "PendingManualApproval", "Approved"]


def test_who_may_not_update_a_package_may_not_answer_it(console: Console, admin: Browser) -> None:
    at, reader = waiting_package(console, "kept"), console.allowed(*SEE)
    denied = reader.post(at, {"decision": "approve", "answers": "0"})
    assert (denied.status, "sagemaker:UpdateModelPackage" in denied.text) == (403, True)
    assert "disabled" in reader.get("/packages/kept/1").text
    assert admin.get("/packages/kept/1.json").json["item"]["answers"] == []


def test_a_key_of_the_approval_status_divides_approving_from_rejecting(console: Console) -> None:
    at = waiting_package(console, "divided")
    only = {"StringEquals": {"sagemaker:ModelApprovalStatus": "Rejected"}}
    statements = [
        {"Effect": "Allow", "Action": list(SEE), "Resource": "*"},
        {"Effect": "Allow", "Action": "sagemaker:UpdateModelPackage", "Resource": "*", "Condition": only},
    ]
    user = console.server.user({"Version": "2012-10-17", "Statement": statements})
    browser = console.browser(keys=user)
    assert browser.post(at, {"decision": "approve", "answers": "0"}).status == 403
    assert browser.post(at, {"decision": "reject", "answers": "0"}).status == 200


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
        package = waiting_package(console_of(server), "survivors")
        fields = {"decision": "reject", "comment": "too slow", "answers": "0"}
        assert browser.post(package, fields).status == 200
        server.kill()
        server.start()
        again = Browser(console_of(server).url)
        again.cookies = {cookie_of(again): value for value in browser.cookies.values()}
        (kept,) = answers(again, waiting)
        assert kept["Comment"] == "kept"
        (told,) = again.get("/packages/survivors/1.json").json["item"]["answers"]
        assert (told["Status"], told["Comment"]) == ("Rejected", "too slow")
        assert str(told["By"]).endswith(":user/administrator")
        assert server.finished(waiting.arn)["PipelineExecutionStatus"] == "Failed"  # by the Fail step
    finally:
        server.stop()


def test_many_that_wait_are_shown_a_page_at_a_time_and_reviewed_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    server = Server(tmp_path / "server" / "data", **SETTINGS)
    try:
        console = console_of(server)
        admin, sagemaker = console.browser(), server.client("sagemaker")
        sagemaker.create_model_package_group(ModelPackageGroupName="many")
        for _ in range(120):
            sagemaker.create_model_package(
                ModelPackageGroupName="many", ModelApprovalStatus="PendingManualApproval"
            )
        seen: list[int] = []
        after: str | None = ""
        while after is not None:
            found = admin.get(f"/approvals.json?{urlencode({'after': after})}").json
            seen += [each["version"] for each in found["waiting"]]
            assert (found["count"], len(found["waiting"]) <= 50) == (120, True)
            after = found["after"]
        assert seen == list(range(1, 121))
        assert len(admin.get("/.json").json["waiting"]) < admin.get("/.json").json["waiting_count"]

        page = admin.get("/approvals?review=")
        assert "1 of 120" in page.text
        fields = {"decision": "approve", "answers": "0", "review": hidden(page.text, "review")}
        following = admin.post("/approvals/packages/many/1", fields)
        assert ("1 of 119" in following.text, "many, version 2" in following.text) == (True, True)
        late = admin.post("/approvals/packages/many/1", fields)
        assert (late.status, "/approvals?review=" in late.text) == (409, True)  # the way on
        assert "That was the last; 119 still wait" in admin.get("/approvals?review=inf~").text
        assert admin.get("/approvals?after=x").status == 400
    finally:
        server.stop()
