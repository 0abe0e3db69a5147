"""Numbers for Prometheus, without any name."""

from tests.console.conftest import Browser, Console, Wait
from tests.eventually import eventually


def numbers(console: Console) -> dict[str, float]:
    got = Browser(console.url).get("/metrics")
    assert (got.status, got.headers["content-type"].partition(";")[0]) == (200, "text/plain")
    lines = (line for line in got.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_what_happens_is_counted(console: Console, wait: Wait) -> None:
    before, waiting = numbers(console), wait()
    succeeded = 'passrole_steps_total{end="Succeeded",type="Callback"}'
    console.browser().post(f"/approvals/callbacks/{waiting.id}/Review/1", {"decision": "approve"})
    eventually(lambda: numbers(console).get(succeeded, 0) > before.get(succeeded, 0))
    after = numbers(console)
    assert after['passrole_step_duration_seconds_count{type="Callback"}'] >= 1
    allowed = 'passrole_calls_total{service="sagemaker",verdict="allowed"}'
    assert after[allowed] > before.get(allowed, 0)


def test_a_denial_is_counted(console: Console) -> None:
    denied = 'passrole_calls_total{service="sagemaker",verdict="denied"}'
    before = numbers(console).get(denied, 0)
    console.allowed("sts:GetCallerIdentity").get("/pipelines")
    assert numbers(console)[denied] == before + 1


def test_what_waits_is_a_gauge(console: Console, wait: Wait) -> None:
    before = numbers(console)['passrole_waiting{kind="callback"}']
    wait()
    after = numbers(console)
    assert after['passrole_waiting{kind="callback"}'] >= before + 1
    assert after['passrole_executions{status="Executing"}'] >= 1


def test_no_name_is_among_them(console: Console, wait: Wait) -> None:
    waiting = wait()
    text = Browser(console.url).get("/metrics").text
    assert waiting.pipeline not in text
    assert "Review" not in text
    assert "arn:" not in text


def test_it_says_that_it_is_ready(console: Console) -> None:
    for path in ("/health", "/ready"):
        assert Browser(console.url).get(path).json == {"status": "ready"}
