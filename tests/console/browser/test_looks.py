"""Readable for everybody: axe finds nothing, nothing is wider than a phone, light and dark."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from tests.conftest import Server
from tests.console.browser import gallery
from tests.console.browser.conftest import Open, Page
from tests.console.conftest import SETTINGS, Console, Wait, console_of
from tests.console.test_check import DEFINITION

NARROW: Any = {"width": 360, "height": 740}
WIDE: Any = {"width": 1280, "height": 900}
LOOKS = [(size, scheme) for size in (NARROW, WIDE) for scheme in ("light", "dark")]

TOO_LONG = """() => [...document.querySelectorAll(".node")].filter((node) => {
    const label = node.querySelector(".label").getBBox(), box = node.querySelector("rect").getBBox();
    return label.x + label.width > box.width - 4;
}).map((node) => node.textContent)"""
"""The names of a graph that are wider than their boxes."""


def assert_is_readable(page: Page, what: str) -> None:
    """The page as it stands, on a phone and a desk, light and dark, without motion."""
    for size, scheme in LOOKS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert found_by_axe(page) == [], (what, size, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], (what, size)
        assert page.evaluate(TOO_LONG) == [], what


def found_by_axe(page: Page) -> list[tuple[str, list[str]]]:
    """The rules that the page breaks, each with the elements that break it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then((found) => found.violations)")
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]


def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    console: Console, signed_in: Open, wait: Wait
) -> None:
    page = signed_in()
    for what, path in gallery.pages(console, wait).items():
        page.goto(path)
        assert_is_readable(page, what)


def test_axe_finds_nothing_on_the_pages_of_jobs(console: Console, signed_in: Open, sandboxed: None) -> None:
    page = signed_in()
    for what, path in gallery.pages_of_jobs(console).items():
        page.goto(path)
        assert_is_readable(page, what)


def test_axe_finds_nothing_in_the_results_of_a_check_of_files(signed_in: Open) -> None:
    page = signed_in()
    page.goto("/check")
    for number, content in enumerate((DEFINITION.encode(), json.dumps(gallery.only("s3:*")).encode())):
        upload = {"name": "f.json", "mimeType": "application/json", "buffer": content}
        page.get_by_label("or a file with it").nth(number).set_input_files(upload)
    page.get_by_role("button", name="Check", exact=True).click()
    page.get_by_role("group", name="Permissions").wait_for()
    assert_is_readable(page, "a check")


def test_axe_finds_nothing_on_pages_that_refuse(console: Console, signed_in: Open, wait: Wait) -> None:
    waiting = wait()
    late, stranger = signed_in(), signed_in(keys=console.server.user(gallery.only("sts:GetCallerIdentity")))
    late.goto(f"/executions/{waiting.id}/steps/Review")
    late.get_by_label("Comment").fill("too late")  # so that it is not shown anew
    console.browser().post(f"/approvals/callbacks/{waiting.id}/Review/1", {"decision": "reject"})
    late.get_by_role("button", name="Approve").click()
    expect(late.get_by_role("heading", name="ConflictException")).to_be_visible()
    assert_is_readable(late, "409")
    stranger.goto(f"/executions/{waiting.id}")
    expect(stranger.get_by_role("heading", name="AccessDeniedException")).to_be_visible()
    assert_is_readable(stranger, "403")
    stranger.goto("/")
    assert_is_readable(stranger, "an inbox of nothing")
    stranger.get_by_role("button", name="Sign out").click()
    expect(stranger.get_by_role("heading", name="Nobody is signed in")).to_be_visible()
    assert_is_readable(stranger, "no session")


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Console]:
    """A console where nothing has happened yet."""
    running = Server(tmp_path / "data", **SETTINGS)
    yield console_of(running)
    running.stop()


def test_an_empty_console_says_what_to_do(chromium: Any, empty: Console) -> None:
    page = chromium.new_context(base_url=empty.url).new_page()
    page.goto(empty.link())
    for path, says in (
        ("/", "Start a pipeline"),
        ("/pipelines", "passrole demo"),
        ("/approvals", "Nothing waits for an answer."),
        ("/packages", "A RegisterModel step makes one."),
        ("/denials", "Nothing was denied."),
    ):
        page.goto(path)
        expect(page.locator("main")).to_contain_text(says)
        assert_is_readable(page, f"{path} of an empty console")
