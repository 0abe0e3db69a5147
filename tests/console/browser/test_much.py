"""What is much stays usable: thousands of steps, hundreds of approvals."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect
from tests.conftest import Server
from tests.console.browser.conftest import Open
from tests.console.conftest import SETTINGS, Console, Wait, console_of, waiting_on

STEPS, WAITING = 1_990, 500


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One of its own: what waits here would stand before what waits for other tests."""
    running = Server(tmp_path_factory.mktemp("much") / "data", **SETTINGS)
    yield console_of(running)
    running.stop()


@pytest.fixture(scope="module")
def wait(console: Console) -> Wait:
    return waiting_on(console.server)


def test_thousands_of_steps_are_a_list_and_a_graph_that_are_used(signed_in: Open, wait: Wait) -> None:
    names = ["Review", *(f"Step-{number}" for number in range(STEPS - 2))]  # and `After`
    behind = [
        {
            "Name": name,
            "Type": "Lambda",
            "FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:sagemaker-never",
            "DependsOn": sorted({names[number // 3], names[number // 2]}),
            "Arguments": {},
        }
        for number, name in enumerate(names[1:])
    ]
    waiting = wait(further=behind)
    page = signed_in()
    page.goto(f"/executions/{waiting.id}")
    expect(page.locator("ol.steps > li")).to_have_count(STEPS)
    expect(page.locator("svg a.node")).to_have_count(STEPS)
    page.locator("#step-Step-1900 a").click()
    expect(page.get_by_role("heading", name="Step-1900", exact=True)).to_be_visible()


def test_hundreds_of_approvals_are_shown_in_pages(console: Console, signed_in: Open, wait: Wait) -> None:
    pipeline = wait().pipeline
    sagemaker = console.server.client("sagemaker")
    with ThreadPoolExecutor(4) as clients:
        list(clients.map(lambda _: sagemaker.start_pipeline_execution(PipelineName=pipeline), range(WAITING)))
    page = signed_in()
    page.goto("/")
    for name in ("Waits for an answer", "Runs"):  # both say how many there are, and show some
        section = page.get_by_role("region", name=name)
        assert int(section.locator("h2 .count").inner_text()) >= WAITING
        assert section.locator("ul > li").count() <= 50
    expect(page.get_by_text("Only the 500 newest executions were looked at.")).to_be_visible()
    seen = 0
    page.goto("/approvals")
    while True:
        shown = page.locator("[data-item]").count()
        assert shown <= 50
        seen += shown
        further = page.get_by_role("link", name="Next")
        if not further.count():
            break
        following = str(further.get_attribute("href"))
        page.keyboard.press("n")
        page.wait_for_url(re.compile(re.escape(following)))
    assert seen >= WAITING


def test_hundreds_of_approvals_are_reviewed_by_keys_alone(
    console: Console, signed_in: Open, wait: Wait
) -> None:
    pipeline = wait().pipeline
    sagemaker = console.server.client("sagemaker")
    for _ in range(3):
        sagemaker.start_pipeline_execution(PipelineName=pipeline)
    page = signed_in()
    page.goto("/approvals?review=")
    answered: list[str] = []
    for key in ("a", "r", "n", "a"):
        place, name = page.url, page.locator(".card h3").inner_text()
        if key == "n":
            page.keyboard.press(key)
        else:
            page.keyboard.press("j")
            page.keyboard.press(key)
            page.keyboard.press("Enter")
            answered.append(re.findall("[a-z0-9]{12}", name)[0])
        expect(page).not_to_have_url(place)
        page.wait_for_load_state()  # before that, nobody hears the next key
    found = [
        console.browser().get(f"/executions/{each}/steps/Review.json").json["answers"] for each in answered
    ]
    assert [each[0]["Outcome"] for each in found] == ["success", "failure", "success"]
