"""What a page of others, a name that was made to mean loopback, or a large request comes to."""

import pytest
from tests.console.conftest import Browser, Console


@pytest.mark.parametrize("host", ["evil.example", "evil.example:4568", "127.0.0.1.evil.example", ""])
def test_a_foreign_host_is_misdirected(console: Console, admin: Browser, host: str) -> None:
    assert admin.get("/", Host=host or "x").status == 421


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_change_from_elsewhere_is_refused(console: Console, admin: Browser, site: str) -> None:
    assert admin.post("/logout", Sec_Fetch_Site=site).status == 403
    assert admin.get("/session.json").status == 200


@pytest.mark.parametrize(
    ("origin", "status"), [("http://evil.example", 403), ("null", 403), ("", 403), ("{own}", 404)]
)
def test_an_old_browser_is_judged_by_origin(
    console: Console, admin: Browser, origin: str, status: int
) -> None:
    got = admin.post("/executions/zzz/stop", Sec_Fetch_Site="", Origin=origin.format(own=console.url))
    assert got.status == status


def test_every_answer_forbids_scripts_of_others_frames_and_caches(console: Console, admin: Browser) -> None:
    for path in ("/", "/.json", "/static/console.css", "/nowhere", "/signed-out"):
        headers = admin.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
        assert headers["cache-control"] == "no-store"


def test_a_large_body_is_not_read(console: Console, admin: Browser) -> None:
    assert admin.post("/executions/zzz/stop", {"a": "x" * 1_100_000}).status == 413


def test_a_body_that_is_no_form_changes_nothing(console: Console, admin: Browser) -> None:
    got = admin.post("/executions/zzz/stop", Content_Type="application/json")
    assert (got.status, "its own forms" in got.text) == (400, True)


def test_no_page_has_an_inline_script_or_style(console: Console, admin: Browser) -> None:
    for path in ("/", "/pipelines", "/approvals", "/denials", "/check", "/session", "/signed-out"):
        text = admin.get(path).text
        assert "style=" not in text
        assert "<style" not in text
        assert text.count("<script") == text.count('<script src="/static/console.js"') == 1
