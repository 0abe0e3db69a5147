"""Debian's Chromium, driven by Playwright: `make test-browser` has the environment."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from tests.console.conftest import Console

playwright = pytest.importorskip("playwright.sync_api", reason="`make test-browser` has Playwright")
playwright.expect.set_options(timeout=30_000)  # of a machine that does much else

Page = Any
Open = Callable[..., Page]

# It calls nobody: https://github.com/GoogleChrome/chrome-launcher/blob/main/docs/chrome-flags-for-tools.md
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One browser for all tests; each page has cookies of its own."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("there is no Chromium: `apt-get install chromium`")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def signed_in(chromium: Any, console: Console) -> Iterator[Open]:
    """A page of a browser of its own, signed in as the administrator, a role, or the owner of keys.

    Whatever the page's script or its policy complains about fails the test.
    """
    complaints: list[str] = []
    contexts: list[Any] = []

    def opened(role: str | None = None, keys: Mapping[str, str] | None = None, **options: Any) -> Page:
        context = chromium.new_context(base_url=console.url, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if _is_ours(message) else None)
        page.goto(console.link(role, keys))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def _is_ours(message: Any) -> bool:
    """Not that an answer of the server was a refusal, which a test may want."""
    return message.type == "error" and "Failed to load resource" not in message.text
