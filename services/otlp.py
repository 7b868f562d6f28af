"""Spans to a collector: OpenTelemetry's batches and its protocol. Loaded only where asked for."""

from __future__ import annotations

import threading
from importlib.metadata import version
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from services.spans import Span
from services.wire import TRACEPARENT

TIMEOUT_S = 3.0
"""For a batch, with its retries."""
CLOSE_S = 3.0
"""For what is left at the end; by itself OpenTelemetry would try each batch for its whole time."""
SAMPLED = TraceFlags(TraceFlags.SAMPLED)
KINDS = {
    "server": SpanKind.SERVER,
    "consumer": SpanKind.CONSUMER,
    "producer": SpanKind.PRODUCER,
    "client": SpanKind.CLIENT,
}


class Otlp:
    """A collector at `endpoint`: its address, with or without the path `/v1/traces`."""

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        url = parts._replace(path=parts.path.rstrip("/") or "/v1/traces").geturl()
        self._exporter = OTLPSpanExporter(endpoint=url, timeout=TIMEOUT_S)
        self._batches = BatchSpanProcessor(self._exporter)
        self._scope = InstrumentationScope("astreinte", version("astreinte"))
        self._resources: dict[str, Resource] = {}

    def add(self, span: Span) -> None:
        """Take a span; the oldest are dropped when too many wait."""
        self._batches.on_end(
            ReadableSpan(
                name=span.name,
                context=_context(span.trace_id, span.span_id),
                parent=_context(span.trace_id, span.parent_id) if span.parent_id else None,
                resource=self._resource(span.work.stage),
                attributes=dict(span.attributes),
                links=_links(span.link),
                kind=KINDS[span.kind],
                status=Status(StatusCode.ERROR, span.error) if span.error else Status(),
                start_time=span.work.start_ns,
                end_time=span.work.end_ns,
                instrumentation_scope=self._scope,
            )
        )

    def close(self) -> None:
        """Send what waits, as far as the collector takes it within seconds."""
        enough = threading.Timer(CLOSE_S, self._exporter.shutdown)
        enough.start()
        self._batches.shutdown()  # type: ignore[no-untyped-call]
        enough.cancel()

    def _resource(self, stage: str) -> Resource:
        """Return who did it: a service for each stage, whatever processes they share."""
        if stage not in self._resources:
            self._resources[stage] = Resource.create(
                {
                    "service.name": f"astreinte-{stage}",
                    "service.namespace": "astreinte",
                    "service.version": self._scope.version or "",
                }
            )
        return self._resources[stage]


def _context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=SAMPLED)


def _links(traceparent: str) -> list[Link]:
    found = TRACEPARENT.fullmatch(traceparent)
    return [Link(_context(found[1], found[2]))] if found else []
