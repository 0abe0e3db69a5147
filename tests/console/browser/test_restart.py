"""A page that stays open while the server ends and comes back."""

import re
import socket
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from tests.conftest import Server
from tests.console.browser.conftest import Open
from tests.console.conftest import SETTINGS, Console, Wait, console_of, waiting_on


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One whose console keeps its port."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = str(found.getsockname()[1])
    running = Server(tmp_path_factory.mktemp("restart") / "data", **{**SETTINGS, "console_port": port})
    yield console_of(running)
    running.stop()


@pytest.fixture(scope="module")
def wait(console: Console) -> Wait:
    return waiting_on(console.server)


def test_a_page_says_that_the_server_is_gone_and_recovers(
    console: Console, signed_in: Open, wait: Wait
) -> None:
    waiting = wait()
    page = signed_in()
    with page.expect_response(re.compile("/events")):
        page.goto(f"/executions/{waiting.id}")
    shown = page.locator("ol.steps").inner_text()
    stale = page.get_by_text("The server does not answer")
    expect(stale).to_be_hidden()
    console.server.kill()
    expect(stale).to_be_visible()
    console.server.start()
    expect(stale).to_be_hidden()
    expect(page.locator("#step-Review .status")).to_have_text(re.compile("Waiting"))
    page.reload()  # the session has survived, too
    assert words(page.locator("ol.steps").inner_text()) == words(shown)
    answer = {"decision": "approve", "output.Score": "1", "output.Note": "n", "comment": "after the restart"}
    console.browser().post(f"/approvals/callbacks/{waiting.id}/Review/1", answer)
    expect(page.locator("#step-Review")).to_contain_text("after the restart")  # without a reload


def words(text: str) -> list[str]:
    """What does not grow with time."""
    return re.findall(r"[A-Za-z]{3,}", text)
