"""Traces come to a collector: one for each execution, a span for each step, each once, and nobody waits."""

import asyncio
import importlib.util
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.conftest import Server, new_name
from tests.eventually import eventually
from tests.history.conftest import House
from tests.store import chosen

from passrole import history
from passrole.cli.server.serve import serve
from passrole.config import Config
from passrole.store.measurements import measured
from passrole.worker import traces
from passrole.worker.supervisor import Supervisor
from passrole.worker.traces import Count, Traces

proto = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
pytest.importorskip("opentelemetry.exporter.otlp.proto.http.trace_exporter")

ERROR = 2


@dataclass
class Collector:
    """A small collector: keeps what it is sent, or answers `status`."""

    port: int = 0
    status: int = 200
    spans: list[Any] = field(default_factory=list)
    resources: list[dict[str, str]] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def of(self, execution: str) -> dict[str, Any]:
        """The spans of an execution by name."""
        return {
            each.name: each for each in self.spans if attributes(each)["passrole.execution.arn"] == execution
        }

    def take(self, path: str, body: bytes) -> int:
        self.paths.add(path)
        if self.status == 200:
            request = proto.ExportTraceServiceRequest.FromString(body)
            for resource in request.resource_spans:
                self.resources.append(
                    {each.key: each.value.string_value for each in resource.resource.attributes}
                )
                self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        return self.status


def attributes(span: Any) -> dict[str, Any]:
    values = {each.key: each.value for each in span.attributes}
    return {key: getattr(value, value.WhichOneof("value")) for key, value in values.items()}


@pytest.fixture
def collector() -> Iterator[Collector]:
    collecting = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["content-type"] == "application/x-protobuf"
            status = collecting.take(self.path, self.rfile.read(int(self.headers["content-length"])))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Not in the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collecting.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield collecting
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Waiting:
    """An execution whose step `Ask` waits for an answer; then `End`, a Fail step, ends it."""

    server: Server
    arn: str
    queue: str

    def answer(self) -> None:
        found = self.server.client("sqs").receive_message(QueueUrl=self.queue, WaitTimeSeconds=5)["Messages"]
        token = json.loads(found[0]["Body"])["token"]
        self.server.client("sagemaker").send_pipeline_execution_step_success(CallbackToken=token)

    @property
    def status(self) -> str:
        described = self.server.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=self.arn)
        return str(described["PipelineExecutionStatus"])


def started(server: Server) -> Waiting:
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
    role = server.role([{"Version": "2012-10-17", "Statement": [statement]}])
    queue = server.client("sqs").create_queue(QueueName=new_name("sagemaker-q"))["QueueUrl"]
    ask = {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}, "OutputParameters": []}
    end = {"Name": "End", "Type": "Fail", "DependsOn": ["Ask"], "Arguments": {"ErrorMessage": "enough"}}
    definition = json.dumps({"Version": "2020-12-01", "Steps": [ask, end]})
    sagemaker, name = server.client("sagemaker"), new_name("pipeline")
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=definition, RoleArn=role)
    arn = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    return Waiting(server, arn, queue)


def test_an_execution_is_a_trace_with_a_span_for_each_step(
    start_server: Callable[..., Server], collector: Collector
) -> None:
    waiting = started(start_server(otlp_endpoint=collector.url))
    waiting.answer()
    found = eventually(lambda: each if len(each := collector.of(waiting.arn)) == 3 else None)
    (root,) = [span for span in found.values() if not span.parent_span_id]
    pipeline, id_ = waiting.arn.split("/")[1], waiting.arn.split("/")[-1]
    assert root.name == f"RUN {pipeline}"
    assert attributes(root)["cicd.pipeline.run.id"] == id_
    assert (attributes(root)["cicd.pipeline.result"], root.status.code) == ("failure", ERROR)
    ask, end = found["Ask"], found["End"]
    assert {ask.trace_id, end.trace_id} == {root.trace_id} and {ask.parent_span_id, end.parent_span_id} == {
        root.span_id
    }
    assert (attributes(ask)["passrole.step.type"], attributes(ask)["passrole.step.status"]) == (
        "Callback",
        "Succeeded",
    )
    assert ask.status.code == 0
    assert (end.status.code, end.status.message) == (ERROR, attributes(end)["passrole.failure_reason"])
    assert "enough" in end.status.message
    shown = waiting.server.steps(waiting.arn)["Ask"]
    assert abs(ask.start_time_unix_nano / 1e9 - shown["StartTime"].timestamp()) < 0.002
    assert abs(ask.end_time_unix_nano / 1e9 - shown["EndTime"].timestamp()) < 0.002
    assert collector.resources[0]["service.name"] == "passrole"
    assert collector.paths == {"/v1/traces"}


def test_a_server_that_is_killed_while_the_collector_is_away_loses_and_doubles_no_span(
    start_server: Callable[..., Server], collector: Collector
) -> None:
    server = start_server(otlp_endpoint=collector.url)
    first, other = started(server), started(server)
    first.answer()
    eventually(lambda: len(collector.of(first.arn)) == 3)
    collector.status = 503
    other.answer()
    eventually(lambda: other.status == "Failed")
    server.kill()
    collector.status = 200
    server.start()
    eventually(lambda: len(collector.of(other.arn)) == 3)
    last = started(server)
    last.answer()
    eventually(lambda: len(collector.of(last.arn)) == 3)
    ids = [(span.trace_id, span.span_id) for span in collector.spans]
    assert len(ids) == len(set(ids)) == 9


def test_the_engine_waits_for_no_collector(start_server: Callable[..., Server], collector: Collector) -> None:
    collector.status = 503
    waiting = started(start_server(otlp_endpoint=collector.url))
    waiting.answer()
    eventually(lambda: waiting.status == "Failed")
    log = Path(waiting.server.log.name)
    eventually(lambda: "the collector takes no traces" in log.read_text())
    collector.status = 200
    eventually(lambda: len(collector.of(waiting.arn)) == 3)


def test_without_an_endpoint_nothing_is_kept_for_traces(start_server: Callable[..., Server]) -> None:
    waiting = started(start_server())
    store = waiting.server.data / "passrole.db"
    with sqlite3.connect(store) as connection:
        kinds = {kind for (kind,) in connection.execute("SELECT DISTINCT kind FROM tasks")}
    connection.close()
    assert history.traces.KIND not in kinds


class Away:
    """A collector that takes nothing."""

    def send(self, _spans: object) -> bool:
        return False

    def close(self) -> None:
        """Nothing is open."""


def test_spans_that_no_collector_took_for_an_hour_are_dropped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "_exporter", lambda _: Away())
    monkeypatch.setattr(traces, "PAUSE_SECONDS", 0.0)

    async def dropped() -> None:
        store, supervisor = chosen.opened(tmp_path), Supervisor()
        house, heard, told = House(store), list[Count](), asyncio.Event()

        def hear(key: str) -> None:
            heard.append(measured(Count, key))
            told.set()

        store.listen(traces.SPANS, hear)
        await store.write(lambda tx: history.traces.follow(tx, house.arn("e")))
        await house.start("e", "f1", at=1.0)  # over at once, long ago
        Traces(store, lambda: 10_000.0, Config(otlp_endpoint="http://127.0.0.1:1")).start(supervisor)
        async with asyncio.timeout(20):
            await told.wait()
        assert heard == [Count("dropped", 2)]
        assert await store.read(lambda tx: history.traces.followed(tx, "", 10)) == []
        await supervisor.close()
        await store.close()

    asyncio.run(dropped())


@pytest.mark.parametrize("endpoint", ["127.0.0.1:4318", "grpc://127.0.0.1:4317", "x"])
def test_an_endpoint_that_is_no_url_is_named(endpoint: str) -> None:
    assert "http://127.0.0.1:4318" in (traces.problem(endpoint) or "")


def test_without_the_extra_the_option_is_refused_and_the_variable_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    ran = CliRunner().invoke(serve, ["--otlp-endpoint", "http://127.0.0.1:4318"])
    assert ran.exit_code == 2
    assert "pip install 'passrole[telemetry]'" in ran.output

    async def started() -> None:
        supervisor = Supervisor()
        config = Config(otlp_endpoint="http://127.0.0.1:4318")
        Traces(None, lambda: 0.0, config).start(supervisor)  # type: ignore[arg-type]  # it is not asked
        assert supervisor.running() == {}

    asyncio.run(started())
    assert "no traces are sent" in caplog.text
