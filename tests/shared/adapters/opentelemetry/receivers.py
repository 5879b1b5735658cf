"""Stand-ins for where figures are sent: an OTLP receiver, and the ingestion endpoint of Application Insights."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric


@dataclass
class Receiver:
    """What came in: path, headers and body of each request."""

    url: str
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def metrics(self) -> dict[str, Metric]:
        """The metrics of the newest OTLP request, by name."""
        return {
            metric.name: metric
            for resource in self._exported().resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def resource(self) -> dict[str, str]:
        (resource,) = self._exported().resource_metrics
        return {pair.key: pair.value.string_value for pair in resource.resource.attributes}

    def _exported(self) -> ExportMetricsServiceRequest:
        path, headers, body = self.requests[-1]
        assert (path, headers["content-type"]) == ("/v1/metrics", "application/x-protobuf")
        return ExportMetricsServiceRequest.FromString(body)

    def tracked(self) -> list[dict[str, Any]]:
        """The telemetry items that Application Insights was sent."""
        items: list[dict[str, Any]] = []
        for path, _, body in self.requests:
            assert path.startswith("/v2.1/track"), path
            items += json.loads(body)
        return items


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Takes everything, answers as the service in question does when all is well."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            heard.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            is_otlp = self.path == "/v1/metrics"
            self._answer(ExportMetricsServiceResponse().SerializeToString() if is_otlp else _accepted(body))

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """A test says what matters itself."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    heard = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _accepted(body: bytes) -> bytes:
    count = len(json.loads(body))
    return json.dumps({"itemsReceived": count, "itemsAccepted": count, "errors": []}).encode()
