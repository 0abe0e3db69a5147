"""What people do: start, watch, approve, be refused."""

import re
from collections.abc import Callable

from playwright.sync_api import expect
from tests.console.browser.conftest import Open, Page
from tests.console.browser.gallery import only
from tests.console.conftest import Console, Wait
from tests.console.test_check import DEFINITION
from tests.eventually import eventually
from tests.journeys.test_job_steps import Pipelines
from tests.services.sagemaker.jobs.workshop import Workshop

SEE = ["sagemaker:Describe*", "sagemaker:List*"]
APPROVE = ["sagemaker:SendPipelineExecutionStepSuccess", "sagemaker:SendPipelineExecutionStepFailure"]


def role(console: Console, *actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return console.server.role([{"Version": "2012-10-17", "Statement": [statement]}])


def test_one_starts_another_approves_a_third_is_refused(
    console: Console, signed_in: Open, wait: Wait
) -> None:
    pipeline = wait(Parameters=[{"Name": "Threshold", "Type": "Integer", "DefaultValue": 3}]).pipeline
    starter = signed_in()
    starter.get_by_role("link", name="Pipelines").click()
    starter.get_by_role("link", name=pipeline, exact=True).click()
    starter.get_by_label("Threshold").fill("7")
    starter.get_by_label("Display name").fill("by-hand")
    starter.get_by_role("button", name="Start execution").click()
    expect(starter.get_by_role("heading", name="by-hand")).to_be_visible()
    review = starter.locator("#step-Review")
    expect(review.locator(".status")).to_have_text(re.compile("Waiting"))  # without a reload
    execution = starter.url.rpartition("/")[2]

    third = signed_in(role(console, *SEE))
    third.goto("/approvals")
    card = third.locator(".card", has=third.get_by_role("link", name=re.compile(execution)))
    expect(card.get_by_role("button", name="Approve")).to_be_disabled()
    expect(card).to_contain_text("is not authorized to perform: sagemaker:SendPipelineExecutionStepSuccess")

    approver = signed_in(approvers := role(console, *SEE, *APPROVE))
    approver.goto("/approvals")
    card = approver.locator(".card", has=approver.get_by_role("link", name=re.compile(execution)))
    card.get_by_label("Score").fill("0.93")
    card.get_by_label("Comment").fill("the curve looks right")
    card.get_by_role("button", name="Approve").click()
    approver.wait_for_url("**/approvals")

    who = f"{approvers.rpartition('/')[2]}/administrator"
    expect(review).to_contain_text(f"approved by {who}: the curve looks right")  # again without a reload
    expect(starter.locator(".headline")).to_contain_text("Failed")  # by its Fail step
    starter.get_by_role("link", name="Review").first.click()
    expect(starter.get_by_role("heading", name="Answers")).to_be_visible()
    expect(starter.locator("main")).to_contain_text("0.93")


def test_an_answer_that_comes_second_says_who_was_first(
    console: Console, signed_in: Open, wait: Wait
) -> None:
    waiting = wait()
    late = signed_in(java_script_enabled=False)
    late.goto(f"/executions/{waiting.id}/steps/Review")
    console.browser().post(f"/approvals/callbacks/{waiting.id}/Review/1", {"decision": "reject"})
    late.get_by_role("button", name="Approve").click()
    expect(late.get_by_role("heading", name="ConflictException")).to_be_visible()
    expect(late.get_by_role("alert")).to_contain_text("was rejected by arn:aws:iam::")


def test_everything_works_without_javascript_by_reload(console: Console, signed_in: Open, wait: Wait) -> None:
    waiting = wait()
    page = signed_in(java_script_enabled=False)
    page.goto(f"/executions/{waiting.id}")
    expect(page.locator("#step-Review .status")).to_have_text(re.compile("Waiting"))
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".headline")).to_contain_text("Stopping")
    console.browser().post(f"/approvals/callbacks/{waiting.id}/Review/1", {"decision": "approve"})
    console.server.finished(waiting.arn)
    reload(page)
    expect(page.locator(".headline")).to_contain_text("Stopped")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Nobody is signed in")).to_be_visible()


def test_two_executions_are_compared_without_javascript(signed_in: Open, wait: Wait) -> None:
    waiting = wait(Parameters=[{"Name": "Threshold", "Type": "Integer", "DefaultValue": 3}])
    page = signed_in(java_script_enabled=False)
    page.goto(f"/pipelines/{waiting.pipeline}")
    page.get_by_label("Threshold").fill("7")
    page.get_by_role("button", name="Start execution").click()
    page.get_by_role("link", name="Compare").click()
    page.get_by_label("Left").select_option(waiting.id)
    page.get_by_role("button", name="Compare").click()
    row = page.get_by_role("row", name=re.compile("^Threshold"))
    expect(row.get_by_role("cell")).to_have_text(["3", "7", "differs"])


def test_a_definition_is_uploaded_without_javascript(signed_in: Open) -> None:
    page = signed_in(java_script_enabled=False)
    page.goto("/check")
    upload = {"name": "p.json", "mimeType": "application/json", "buffer": DEFINITION.encode()}
    page.get_by_label("or a file with it").first.set_input_files(upload)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("heading", name="permissions are missing")).to_be_visible()
    page.locator("a.node").click()
    expect(page).to_have_url(re.compile("#step-Ask$"))


def test_what_is_being_written_survives_a_change(console: Console, signed_in: Open, wait: Wait) -> None:
    first, second = wait(), wait()
    page = signed_in()
    page.goto("/approvals")
    cards = page.locator(".card", has=page.get_by_role("link", name=re.compile(first.id)))
    cards.get_by_label("Comment").fill("half a sentence")
    other = console.browser()
    with page.expect_response("**/approvals"):  # it asks for itself again
        other.post(f"/approvals/callbacks/{second.id}/Review/1", {"decision": "approve"})
    expect(cards.get_by_label("Comment")).to_have_value("half a sentence")


def test_the_inbox_has_keys(signed_in: Open, wait: Wait) -> None:
    wait(), wait()
    page = signed_in()
    items = page.locator("[data-item]")
    page.keyboard.press("j")
    expect(items.nth(0).get_by_role("link").first).to_be_focused()
    page.keyboard.press("j")
    expect(items.nth(1).get_by_role("link").first).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("r")
    expect(items.nth(0).get_by_role("button", name="Reject")).to_be_focused()


def test_keys_alone_answer_an_item_and_are_shown_by_a_question_mark(
    console: Console, signed_in: Open, wait: Wait
) -> None:
    waiting = wait()
    page = signed_in()
    page.goto("/approvals")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_be_hidden()
    page.keyboard.press("?")
    expect(keys).to_be_visible()
    page.keyboard.press("j")  # of the page behind it
    expect(page.locator("[data-item] :focus")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    card = page.locator(".card", has=page.get_by_role("link", name=re.compile(waiting.id)))
    for _ in range(page.locator("[data-item]").count()):
        page.keyboard.press("j")
        if card.locator(":focus").count():
            break
    page.keyboard.press("a")
    expect(card.get_by_role("button", name="Approve")).to_be_focused()
    page.keyboard.press("Enter")
    expect(card).to_have_count(0)
    (kept,) = console.browser().get(f"/executions/{waiting.id}/steps/Review.json").json["answers"]
    assert kept["Outcome"] == "success"


def test_the_button_that_has_the_focus_keeps_it_when_something_changes(
    console: Console, signed_in: Open, wait: Wait
) -> None:
    first, second = wait(), wait()
    page = signed_in()
    page.goto("/approvals")
    card = page.locator(".card", has=page.get_by_role("link", name=re.compile(first.id)))
    card.get_by_role("button", name="Reject").focus()
    with page.expect_response("**/approvals"):
        console.browser().post(f"/approvals/callbacks/{second.id}/Review/1", {"decision": "approve"})
    gone = page.locator(".card", has=page.get_by_role("link", name=re.compile(second.id)))
    expect(gone).to_have_count(0)
    expect(card.get_by_role("button", name="Reject")).to_be_focused()


def test_a_review_goes_from_answer_to_answer(console: Console, signed_in: Open, wait: Wait) -> None:
    first, second = wait(), wait()
    page = signed_in(java_script_enabled=False)
    page.goto("/approvals")
    page.get_by_role("link", name="Review them one after the other").click()
    seen: list[str] = []
    for _ in range(200):
        seen.append(page.locator(".card h3").first.inner_text())  # other tests' packages wait, too
        if second.id in seen[-1]:
            break
        if first.id in seen[-1]:
            page.get_by_label("Comment").fill("in a review")
            page.get_by_role("button", name="Approve").click()
        else:
            page.get_by_role("link", name="Next, without an answer").click()
    assert any(first.id in each for each in seen)
    (kept,) = console.browser().get(f"/executions/{first.id}/steps/Review.json").json["answers"]
    assert kept["Comment"] == "in a review"


def test_a_log_grows_without_a_reload_and_without_javascript_by_one(
    console: Console, signed_in: Open, sandboxed: None
) -> None:
    pipelines = Pipelines(Workshop(console.server))
    script = "i=0; while [ $i -lt 300 ]; do echo line-$i-; i=$((i+1)); sleep 1; done"
    arn = pipelines.start(pipelines.create(pipelines.processing("Slow", script)))
    eventually(lambda: "Slow" in pipelines.steps(arn))
    at = f"/executions/{arn.rpartition('/')[2]}/steps/Slow"
    plain = signed_in(java_script_enabled=False)
    page = signed_in()
    page.goto(at)
    log = page.locator("#log-lines")
    expect(log).to_contain_text("line-0-")
    plain.goto(f"{at}/log")
    last = log.locator("pre").inner_text().count("line-")
    expect(log).to_contain_text(f"line-{last + 2}-")
    plain.reload()
    expect(plain.locator("#log-lines")).to_contain_text(f"line-{last}-")
    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="s" * 32)


def test_a_training_shows_its_metrics_and_its_log_as_they_grow(
    console: Console, signed_in: Open, sandboxed: None
) -> None:
    pipelines = Pipelines(Workshop(console.server))
    script = "i=0; while [ $i -lt 600 ]; do i=$((i+1)); echo loss=$i-; sleep 0.5; done"
    pipelines.workshop.put(data__x="1")
    step = pipelines.training("Train", script, f"s3://{pipelines.workshop.bucket}/data/")
    step["Arguments"]["AlgorithmSpecification"]["MetricDefinitions"] = [
        {"Name": "loss", "Regex": "loss=([0-9]+)-"}
    ]
    arn = pipelines.start(pipelines.create(step, policies=[dict(only("*"))]))
    at = f"/executions/{arn.rpartition('/')[2]}"
    eventually(lambda: "Train" in pipelines.steps(arn))
    whole, page = signed_in(), signed_in()
    whole.goto(at)
    page.goto(f"{at}/steps/Train")
    for each in (page, whole):  # both were opened before there was a value
        expect(each.get_by_role("heading", name="Metrics")).to_be_visible()
        last = int(each.locator(".plots .last").inner_text())
        expect(each.locator(".plots .last")).not_to_have_text(str(last))
        assert int(each.locator(".plots .last").inner_text()) > last
        expect(each.locator(".plot polyline")).to_have_count(1)
    expect(page.locator("#log-lines")).to_contain_text("loss=9-")
    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="t" * 32)
    expect(page.locator("[data-follow]")).to_have_count(0)  # it is over: nothing more is asked


def test_the_journey_without_javascript_on_a_phone_in_the_dark(
    console: Console, signed_in: Open, wait: Wait
) -> None:
    options = {
        "java_script_enabled": False,
        "viewport": {"width": 360, "height": 740},
        "color_scheme": "dark",
    }
    pipeline = wait(Parameters=[{"Name": "Threshold", "Type": "Integer", "DefaultValue": 3}]).pipeline
    starter = signed_in(**options)
    starter.get_by_role("link", name="Pipelines").click()
    starter.get_by_role("link", name=pipeline, exact=True).click()
    starter.get_by_label("Threshold").fill("7")
    starter.get_by_role("button", name="Start execution").click()
    starter.wait_for_url("**/executions/*")
    execution = starter.url.rpartition("/")[2]
    review = starter.locator("#step-Review")
    reloaded(starter, lambda: "Waiting" in review.inner_text())

    third = signed_in(role(console, *SEE), **options)
    third.goto(f"/executions/{execution}/steps/Review")
    expect(third.get_by_role("button", name="Approve")).to_be_disabled()
    expect(third.locator("main")).to_contain_text("is not authorized to perform: sagemaker:SendPipeline")

    approver = signed_in(role(console, *SEE, *APPROVE), **options)
    approver.goto("/approvals")
    card = approver.locator(".card", has=approver.get_by_role("link", name=re.compile(execution)))
    card.get_by_label("Score").fill("0.93")
    card.get_by_label("Comment").fill("the curve looks right")
    card.get_by_role("button", name="Approve").click()
    expect(card).to_have_count(0)

    reloaded(starter, lambda: "Failed" in starter.locator(".headline").inner_text())  # by its Fail step
    expect(review).to_contain_text("/administrator: the curve looks right")
    expect(starter.locator("main")).to_contain_text("0.93")


def test_a_stolen_cookie_opens_nothing_once_the_key_is_deleted(
    console: Console, signed_in: Open, wait: Wait
) -> None:
    waiting, keys = wait(), console.server.user(only("*"))
    owner, thief = signed_in(keys=keys), signed_in()
    thief.context.clear_cookies()
    thief.context.add_cookies(owner.context.cookies())
    thief.goto(f"/executions/{waiting.id}")
    expect(thief.get_by_role("button", name="Stop")).to_be_enabled()
    console.server.client("iam").delete_access_key(UserName=keys["user"], AccessKeyId=keys["access_key_id"])
    thief.get_by_role("button", name="Stop").click()
    expect(thief.get_by_role("heading", name="Nobody is signed in")).to_be_visible()
    owner.goto("/")
    expect(owner.get_by_role("heading", name="Nobody is signed in")).to_be_visible()
    assert console.server.steps(waiting.arn)["Review"]["StepStatus"] == "Executing"


def reloaded(page: Page, shows: Callable[[], bool]) -> None:
    """Reload a page until it shows something."""

    def shown() -> bool:
        reload(page)
        return shows()

    eventually(shown)


def reload(page: Page) -> None:
    """A page that is there: Chromium refuses to reload one that is just taking the place of another."""
    page.wait_for_load_state()
    page.reload()
