"""Who is signed in, and until when."""

from urllib.parse import urlencode

from tests.console.conftest import Browser, Console, cookie_of
from tests.store import chosen

NOTHING = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"},
}


def test_a_link_signs_in_once_as_whoever_asked_for_it(console: Console) -> None:
    link, first, second = console.link(), Browser(console.url), Browser(console.url)
    page = first.get(link)
    assert (page.status, "user/administrator" in page.text) == (200, True)
    assert second.get(link).status == 410
    assert not second.cookies
    assert first.get("/session.json").json["identity"]["Arn"].endswith(":user/administrator")


def test_the_cookie_is_kept_from_scripts_and_other_sites(console: Console) -> None:
    got = Browser(console.url)._pool.request("GET", console.link(), redirect=False)
    cookie = got.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert (got.status, got.headers["location"]) == (303, "/")


def test_a_link_that_another_page_opens_signs_nobody_in(console: Console) -> None:
    browser, link = Browser(console.url), console.link()
    assert browser.get(link, Sec_Fetch_Site="cross-site").status == 403
    assert browser.get(link).status == 200


def test_a_role_is_named_as_whoever_is_behind_it(console: Console) -> None:
    role = console.server.role()
    who = console.browser(role).get("/session.json").json["identity"]["Arn"]
    assert who.endswith(f":assumed-role/{role.rpartition('/')[2]}/administrator")


def test_a_role_that_does_not_trust_sagemaker_signs_nobody_in(console: Console) -> None:
    role = console.server.role(trust="lambda.amazonaws.com")
    assert console.ask("CreateConsoleSession", {"RoleArn": role})["__type"].endswith("AccessDeniedException")


def test_a_user_without_the_right_gets_no_role(console: Console) -> None:
    keys = console.server.user(NOTHING)
    answer = console.ask("CreateConsoleSession", {"RoleArn": console.server.role()}, keys)
    assert "not authorized" in answer["Message"]


def test_nobody_sees_a_page_without_a_session(console: Console) -> None:
    browser = Browser(console.url)
    assert browser.get("/pipelines.json").status == 401
    assert "Nobody is signed in" in browser.get("/pipelines").text
    assert "Nobody is signed in" in browser.post("/executions/abc/stop").text
    assert browser.get("/events").status == 204
    browser.cookies[cookie_of(browser)] = "x" * 43
    assert browser.get("/.json").status == 401


def test_signing_out_ends_the_session_for_the_cookie_too(console: Console) -> None:
    browser = console.browser()
    kept = dict(browser.cookies)
    browser.post("/logout")
    browser.cookies = kept
    assert browser.get("/.json").status == 401


def test_a_session_ends_with_the_key_that_asked_for_it(console: Console) -> None:
    keys = console.server.user(NOTHING)
    browser = console.browser(keys=keys)
    assert browser.get("/session.json").status == 200
    console.server.client("iam").delete_access_key(UserName=keys["user"], AccessKeyId=keys["access_key_id"])
    assert browser.get("/session.json").status == 401


def test_a_session_ends_with_its_role(console: Console) -> None:
    role = console.server.role()
    browser = console.browser(role)
    console.server.client("iam").delete_role(RoleName=role.rpartition("/")[2])
    assert browser.get("/session.json").status == 401


def test_neither_link_nor_session_is_in_the_store(console: Console) -> None:
    link = console.link()
    browser = console.browser()
    stored = chosen.content(console.server.data)
    assert console.server.access["access_key_id"].encode() in stored
    assert link.partition("token=")[2].encode() not in stored
    assert all(value.encode() not in stored for value in browser.cookies.values())


def test_a_made_up_link_opens_nothing(console: Console) -> None:
    for token in ("", "x", "x" * 10_000, "%00"):
        assert Browser(console.url).get(f"/login?{urlencode({'token': token})}").status == 410
