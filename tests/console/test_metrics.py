"""Numbers for Prometheus, without any name."""

import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest
import urllib3
from prometheus_client.parser import text_string_to_metric_families
from tests.conftest import Server, new_name
from tests.console.conftest import SETTINGS, Browser, Console, Wait, console_of
from tests.eventually import eventually
from tests.store import chosen

from passrole.api import Told
from passrole.console.metrics import _names

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "reference" / "metrics.md"


def numbers(console: Console) -> dict[str, float]:
    got = Browser(console.url).get("/metrics")
    assert (got.status, got.headers["content-type"].partition(";")[0]) == (200, "text/plain")
    lines = (line for line in got.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def call(operation: str, verdict: str, status: int, service: str = "sagemaker") -> str:
    """The counter of calls of an operation."""
    return (
        f'passrole_calls_total{{operation="{operation}",service="{service}",'
        f'status="{status}",verdict="{verdict}"}}'
    )


def test_what_happens_is_counted(console: Console, wait: Wait) -> None:
    before, waiting = numbers(console), wait()
    succeeded = 'passrole_steps_total{end="Succeeded",type="Callback"}'
    console.browser().post(f"/approvals/callbacks/{waiting.id}/Review/1", {"decision": "approve"})
    eventually(lambda: numbers(console).get(succeeded, 0) > before.get(succeeded, 0))
    after = numbers(console)
    assert after['passrole_step_duration_seconds_count{type="Callback"}'] >= 1
    ended = 'passrole_execution_duration_seconds_count{status="Failed"}'  # by the step `After`
    eventually(lambda: numbers(console).get(ended, 0) > before.get(ended, 0))
    allowed = call("ApproveCallback", "allowed", 200, "passrole")
    assert after[allowed] > before.get(allowed, 0)
    labels = 'operation="ApproveCallback",service="passrole"'
    took = f"passrole_call_duration_seconds_count{{{labels}}}"
    assert after[took] > before.get(took, 0)


def test_a_denial_is_counted(console: Console) -> None:
    denied = call("ListPipelines", "denied", 400)
    by_action = 'passrole_denials_total{action="sagemaker:ListPipelines",service="sagemaker"}'
    before = numbers(console)
    console.allowed("sts:GetCallerIdentity").get("/pipelines")
    after = numbers(console)
    assert after[denied] == before.get(denied, 0) + 1
    assert after[by_action] == before.get(by_action, 0) + 1


def test_a_request_of_nobody_known_is_counted_without_a_name(console: Console) -> None:
    unread = 'passrole_calls_total{operation="none",service="none",status="403",verdict="refused"}'
    before = numbers(console).get(unread, 0)
    assert urllib3.request("GET", f"{console.server.url}/hostile-bucket-{new_name('b')}").status == 403
    assert numbers(console)[unread] == before + 1


@pytest.mark.parametrize("service", ["sagemaker", "madeup"])
def test_what_callers_make_up_is_no_label(console: Console, service: str) -> None:
    console.ask("MadeUpOperation", {})
    labels = set(re.findall(r'operation="([^"]+)"', Browser(console.url).get("/metrics").text))
    assert not {each for each in labels if "MadeUp" in each}
    told = Told(service, "MadeUpOperation", "refused", 400, 0.1)
    assert _names(told) == ("sagemaker" if service == "sagemaker" else "other", "other")


def test_messages_of_queues_are_counted_by_state(console: Console) -> None:
    sqs = console.server.client("sqs")
    url = sqs.create_queue(QueueName=new_name("depth"))["QueueUrl"]
    visible, in_flight, delayed = (
        f'passrole_sqs_messages{{state="{each}"}}' for each in ("visible", "in_flight", "delayed")
    )
    before = numbers(console)
    for delay in (0, 0, 900):
        sqs.send_message(QueueUrl=url, MessageBody="m", DelaySeconds=delay)
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1

    def is_counted() -> bool:
        """Other tests' messages are among them, and their numbers change too."""
        now = numbers(console)
        more = [now[each] - before[each] for each in (visible, in_flight, delayed)]
        return all(each >= 1 for each in more) and now["passrole_sqs_queues"] >= 1

    eventually(is_counted)


def test_every_family_is_in_the_reference_and_follows_the_conventions(console: Console) -> None:
    text = Browser(console.url).get("/metrics").text
    found = {each.name: each for each in text_string_to_metric_families(text)}
    listed = re.findall(r"^\| `([a-z_]+)` \| (\w+)", PAGE.read_text(), re.MULTILINE)
    documented = {name.removesuffix("_total"): kind for name, kind in listed}
    assert {name: each.type for name, each in found.items()}.items() <= documented.items()
    for name, kind in documented.items():
        assert re.fullmatch(r"(passrole|process)(_[a-z]+)+", name), name
        assert not (kind == "histogram" and not name.endswith("_seconds")), name


def test_the_page_is_what_the_code_says_now() -> None:
    generator = runpy.run_path(str(DOCS / "generate_metrics.py"))
    assert generator["page"]() == PAGE.read_text(), "run `make docs`"


def test_the_dashboard_asks_for_metrics_that_are_there() -> None:
    dashboard = json.loads((DOCS / "howto" / "grafana-dashboard.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    names = {name for text in asked for name in re.findall(r"\b(?:passrole|process)_\w+", text)}
    page = PAGE.read_text()
    assert len(names) >= 8
    assert [name for name in sorted(names) if f"`{name.removesuffix('_bucket')}`" not in page] == []


def test_what_waits_is_a_gauge(console: Console, wait: Wait) -> None:
    before = numbers(console)['passrole_waiting{kind="callback"}']
    wait()
    eventually(
        lambda: numbers(console)['passrole_waiting{kind="callback"}'] >= before + 1
    )  # not counted each time
    assert numbers(console)['passrole_executions{status="Executing"}'] >= 1


def test_no_name_is_among_them(console: Console, wait: Wait) -> None:
    waiting = wait()
    text = Browser(console.url).get("/metrics").text
    assert waiting.pipeline not in text
    assert "Review" not in text
    assert "arn:" not in text


def test_it_says_that_it_lives_and_that_it_is_ready(console: Console) -> None:
    browser = Browser(console.url)
    assert browser.get("/health").json == {"status": "alive"}
    ready = browser.get("/ready")
    assert (ready.status, ready.json["status"]) == (200, "ready")
    assert ready.json["parts"] == {"store": "ok", "audit": "ok", "worker": "ok"}


def test_it_is_not_ready_once_its_folder_is_gone(start_server: Callable[..., Server]) -> None:
    server = start_server(**SETTINGS)
    browser = Browser(console_of(server).url)
    assert browser.get("/ready").status == 200
    server.data.rename(server.data.with_name("elsewhere"))
    try:
        ready = browser.get("/ready")
        assert (ready.status, ready.json["status"]) == (503, "not ready")
        assert ready.json["parts"]["audit"] == "failing"
        assert ready.json["parts"]["store"] == ("ok" if chosen.IS_POSTGRES else "failing")
        assert str(server.data) not in ready.text
        assert browser.get("/health").status == 200
    finally:
        server.data.with_name("elsewhere").rename(server.data)
