"""Readable for everybody: axe finds nothing, nothing is wider than a phone, light and dark."""

from collections.abc import Mapping
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from tests.console.browser.conftest import Open
from tests.console.conftest import Console, Wait
from tests.console.test_packages import group_of

PAGES = (
    "/",
    "/pipelines",
    "/pipelines/{pipeline}",
    "/executions/{id}",
    "/executions/{id}/steps/Review",
    "/executions/{id}/steps/Review/log",
    "/compare?left={id}&right={id}",
    "/compare",
    "/approvals",
    "/packages",
    "/denials",
    "/check?pipeline={pipeline}",
    "/session",
    "/executions/nowhere",
)
NARROW: Mapping[str, Any] = {"width": 360, "height": 740}
WIDE: Mapping[str, Any] = {"width": 1280, "height": 900}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["360", "1280"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    signed_in: Open, wait: Wait, scheme: str, size: Mapping[str, Any]
) -> None:
    waiting = wait({"a-name-of-some-length-without-any-space": "x" * 300})
    page = signed_in(color_scheme=scheme, viewport=size, reduced_motion="reduce")
    for path in PAGES:
        page.goto(path.format(pipeline=waiting.pipeline, id=waiting.id))
        found = Axe().run(page)
        assert found.response["violations"] == [], (path, found.generate_report())
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path


def test_axe_finds_nothing_in_the_results_of_a_check(signed_in: Open, wait: Wait) -> None:
    waiting = wait()
    page = signed_in(viewport=NARROW, reduced_motion="reduce")
    page.goto(f"/check?pipeline={waiting.pipeline}")
    page.get_by_role("button", name="Check", exact=True).click()
    page.get_by_role("group", name="Permissions").wait_for()
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_axe_finds_nothing_on_the_page_of_a_group_without_javascript_or_with(
    console: Console, signed_in: Open
) -> None:
    group = group_of(console, b'{"mse": 1.5}', b"{}")
    plain = signed_in(java_script_enabled=False)
    plain.goto("/packages")
    plain.get_by_role("link", name=group).click()
    expect(plain.get_by_role("cell", name="1.5")).to_be_visible()
    page = signed_in(viewport=NARROW, color_scheme="dark", reduced_motion="reduce")
    page.goto(f"/packages/{group}")
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
