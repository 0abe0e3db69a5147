"""Spans as OpenTelemetry has them, and where they are sent: OTLP over HTTP. The extra `telemetry`.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
Names are those of the conventions for pipelines where there are any, else they begin with `passrole.`.
https://opentelemetry.io/docs/specs/semconv/cicd/cicd-spans/
"""

import logging
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from passrole.history.traces import Span

SECONDS_MAX = 10.0
"""How long one attempt to send may take, with what the exporter repeats by itself."""

_RESULTS = {
    "Succeeded": "success",
    "Failed": "failure",
    "CompletedWithFailures": "failure",
    "Stopped": "cancellation",
}


class Exporter:
    """Sends spans to a collector. Its methods block: call them in a thread."""

    def __init__(self, endpoint: str) -> None:
        """`endpoint` is the collector's base URL, as in OTEL_EXPORTER_OTLP_ENDPOINT; headers and certificates
        the exporter itself takes from OTEL_EXPORTER_OTLP_HEADERS and its kin.
        """
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # traces.py tells what fails, once
        own = Resource({"service.name": "passrole", "service.version": version("passrole")})
        self._resource = own.merge(OTELResourceDetector().detect())
        self._scope = InstrumentationScope("passrole", version("passrole"))
        self._exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=SECONDS_MAX)

    def send(self, spans: Sequence[Span]) -> bool:
        """Whether the collector has them now."""
        sent = self._exporter.export([self._span(each) for each in spans])
        return sent is SpanExportResult.SUCCESS

    def close(self) -> None:
        """End what is under way."""
        self._exporter.shutdown()

    def _span(self, span: Span) -> ReadableSpan:
        is_failed = _RESULTS.get(span.status) == "failure"
        return ReadableSpan(
            name=span.step or f"RUN {span.pipeline}",
            context=_context(span.trace_id, span.span_id),
            parent=None if span.parent_id is None else _context(span.trace_id, span.parent_id),
            resource=self._resource,
            attributes=_attributes(span),
            events=[
                Event("retry", {"passrole.step.attempt": each.attempt, **_reason(each.reason)}, _ns(each.at))
                for each in span.retries
            ],
            kind=SpanKind.SERVER if span.step is None else SpanKind.INTERNAL,
            status=Status(StatusCode.ERROR, span.reason) if is_failed else Status(StatusCode.UNSET),
            start_time=_ns(span.began),
            end_time=_ns(max(span.began, span.ended)),
            instrumentation_scope=self._scope,
        )


def _attributes(span: Span) -> dict[str, str | int]:
    run = span.execution.rpartition("/")[2]
    common: dict[str, str | int] = {
        "cicd.pipeline.name": span.pipeline,
        "cicd.pipeline.run.id": run,
        "passrole.execution.arn": span.execution,
        **_reason(span.reason),
    }
    result = _RESULTS.get(span.status, "error")
    if span.step is None:
        return common | {
            "cicd.pipeline.action.name": "RUN",
            "cicd.pipeline.result": result,
            "passrole.run": span.run,
            "passrole.execution.status": span.status,
        }
    step: dict[str, str | int] = {
        "cicd.pipeline.task.name": span.step,
        "cicd.pipeline.task.run.id": f"{run}/{span.step}/{span.attempt}",
        "cicd.pipeline.task.run.result": "skip" if span.cached_from else result,
        "passrole.step.type": span.type_ or "",
        "passrole.step.status": span.status,
        "passrole.step.attempt": span.attempt,
    }
    if span.cached_from:
        step["passrole.step.cached_from"] = span.cached_from
    return common | step


def _reason(reason: str | None) -> Mapping[str, str]:
    """The reason, and the kind of error that it begins with: `ClientError: Failed to invoke ...`."""
    if reason is None:
        return {}
    kind, colon, _ = reason.partition(":")
    is_kind = bool(colon) and kind.isidentifier()
    return {"passrole.failure_reason": reason, "error.type": kind if is_kind else "_OTHER"}


def _context(trace_id: int, span_id: int) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _ns(seconds: float) -> int:
    return round(seconds * 1_000_000) * 1_000
