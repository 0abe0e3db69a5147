"""Pages of others in the same browser: they neither read nor change anything."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from playwright.sync_api import expect
from tests.console.browser.conftest import ARGUMENTS, Open
from tests.console.conftest import Console, Wait


class _Hostile(BaseHTTPRequestHandler):
    """Answers each GET with one page."""

    def __init__(self, page: str, *arguments: Any) -> None:
        self.page = page
        super().__init__(*arguments)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.page.encode())

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def served(page: str) -> Iterator[str]:
    """The URL of a page of a stranger."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Hostile, page)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_form_on_another_port_changes_nothing(console: Console, signed_in: Open, wait: Wait) -> None:
    """Cookies know no ports, and SameSite does not either: it would be sent along."""
    waiting = wait()
    action = f"{console.url}/approvals/callbacks/{waiting.id}/Review/1"
    form = (
        f'<form method="post" action="{action}"><button name="decision" value="approve">Win</button></form>'
    )
    page = signed_in()
    with served(form) as url:
        page.goto(url)
        page.get_by_role("button", name="Win").click()
        expect(page.locator("body")).to_contain_text("from the console's own pages alone")
    assert console.server.steps(waiting.arn)["Review"]["StepStatus"] == "Executing"


def test_a_page_of_others_shows_no_console_in_a_frame(console: Console, chromium: Any) -> None:
    page = chromium.new_context().new_page()
    page.goto(console.link())
    with served(f'<iframe src="{console.url}/session"></iframe>') as url:
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            page.goto(url)
        expect(page.frame_locator("iframe").get_by_text("You are")).to_have_count(0)
    page.context.close()


def test_a_name_that_means_loopback_reads_nothing(console: Console, chromium: Any) -> None:
    """DNS rebinding: the name was the stranger's, and is ours a second later."""
    program = shutil.which("chromium")
    rules = "--host-resolver-rules=MAP rebound.example 127.0.0.1"
    browser = chromium.browser_type.launch(executable_path=program, args=[*ARGUMENTS, rules])
    page = browser.new_context().new_page()
    port = console.url.rpartition(":")[2]
    for path in ("/", "/login?token=x", "/static/console.js", "/metrics", "/.json"):
        answer = page.goto(f"http://rebound.example:{port}{path}")
        assert (answer.status, "another address" in answer.text()) == (421, True), path
    browser.close()
