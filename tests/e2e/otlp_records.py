# SPDX-License-Identifier: Apache-2.0
"""A back end of OTLP that keeps every record of every signal in a form that two records can be compared in.

It shares no code with Sonde: grpcio, the standard library's HTTP server and the published protobuf classes.
"""
import collections
import concurrent.futures
import gzip
import http.server
import threading

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

REQUESTS = {
    "traces": ("opentelemetry.proto.collector.trace.v1.TraceService", trace_service_pb2.ExportTraceServiceRequest),
    "metrics": ("opentelemetry.proto.collector.metrics.v1.MetricsService", metrics_service_pb2.ExportMetricsServiceRequest),
    "logs": ("opentelemetry.proto.collector.logs.v1.LogsService", logs_service_pb2.ExportLogsServiceRequest),
}
# A sender that never stops must not take the machine's memory with it.
KEPT_RECORDS = 200_000


def value(any_value):
    """An AnyValue as (kind, value), so that 1, 1.0, "1" and True are four things."""
    kind = any_value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return "array", [value(inner) for inner in any_value.array_value.values]
    if kind == "kvlist_value":
        return "map", attributes(any_value.kvlist_value.values)
    return kind.removesuffix("_value"), getattr(any_value, kind)


def attributes(pairs):
    found = {pair.key: value(pair.value) for pair in pairs}
    assert len(found) == len(pairs), f"a key is there twice: {pairs}"
    return found


def span_record(span):
    return {
        "name": span.name, "kind": span.kind, "trace_id": span.trace_id.hex(), "span_id": span.span_id.hex(),
        "parent": span.parent_span_id.hex(), "start": span.start_time_unix_nano, "end": span.end_time_unix_nano,
        "attributes": attributes(span.attributes), "status": (span.status.code, span.status.message),
        "events": [(event.name, event.time_unix_nano, attributes(event.attributes)) for event in span.events],
        "links": [(link.trace_id.hex(), link.span_id.hex(), attributes(link.attributes)) for link in span.links],
        "dropped": span.dropped_attributes_count + span.dropped_events_count + span.dropped_links_count}


def log_record(log):
    return {"at": log.time_unix_nano, "severity": (log.severity_number, log.severity_text), "body": value(log.body),
            "attributes": attributes(log.attributes), "trace_id": log.trace_id.hex(), "span_id": log.span_id.hex(),
            "dropped": log.dropped_attributes_count}


def point_record(kind, point):
    if kind == "histogram":
        return {"count": point.count, "sum": point.sum, "min": point.min, "max": point.max,
                "bounds": list(point.explicit_bounds), "buckets": list(point.bucket_counts)}
    if kind == "exponential_histogram":
        buckets = {point.positive.offset + i: n for i, n in enumerate(point.positive.bucket_counts) if n}
        assert not any(point.negative.bucket_counts)
        return {"count": point.count, "sum": point.sum, "min": point.min, "max": point.max, "zeros": point.zero_count,
                "scale": point.scale, "buckets": buckets}
    number = point.WhichOneof("value")
    return number.removeprefix("as_"), getattr(point, number)


def metric_record(metric):
    kind = metric.WhichOneof("data")
    data = getattr(metric, kind)
    record = {"name": metric.name, "unit": metric.unit, "description": metric.description, "kind": kind,
              "points": [(attributes(point.attributes), point_record(kind, point)) for point in data.data_points]}
    if kind == "sum":
        record["monotonic"] = data.is_monotonic
    if kind != "gauge":
        record["cumulative"] = data.aggregation_temporality == 2
    return record


def records_of(signal, request):
    """Yields (resource attributes, scope's name and version, record)."""
    make, groups = {"traces": (span_record, "spans"), "metrics": (metric_record, "metrics"), "logs": (log_record, "log_records")}[signal]
    group = "resource_" + {"traces": "spans"}.get(signal, signal)
    for of_resource in getattr(request, group):
        resource = attributes(of_resource.resource.attributes)
        for of_scope in getattr(of_resource, group.replace("resource", "scope")):
            for item in getattr(of_scope, groups):
                yield resource, (of_scope.scope.name, of_scope.scope.version), make(item)


class RecordingBackEnd:
    """Keeps what comes over gRPC (`grpc_port`) and HTTP (`http_port`) apart."""

    def __init__(self):
        self.lock = threading.Lock()
        self.records = {(way, signal): collections.deque(maxlen=KEPT_RECORDS) for way in ("grpc", "http") for signal in REQUESTS}
        self.faults = []
        self.grpc_server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        for signal, (service, _) in REQUESTS.items():
            handler = grpc.unary_unary_rpc_method_handler(lambda body, _, signal=signal: self.take("grpc", signal, body))
            self.grpc_server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": handler}),))
        self.grpc_port = self.grpc_server.add_insecure_port("127.0.0.1:0")
        self.grpc_server.start()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Content-Encoding"] == "gzip":
                    body = gzip.decompress(body)
                outer.take("http", self.path.removeprefix("/v1/"), body)
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.http_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http_port = self.http_server.server_address[1]
        threading.Thread(target=self.http_server.serve_forever, daemon=True).start()

    def take(self, way, signal, body):
        try:
            found = list(records_of(signal, REQUESTS[signal][1].FromString(body)))
        except Exception as error:  # pylint: disable=broad-except
            with self.lock:
                self.faults.append(f"{way} {signal}: {error!r}")
            raise
        with self.lock:
            self.records[way, signal] += found
        return b""

    def received(self, way, signal, key, wanted):
        """The (resource, scope, record)s whose resource has this string attribute."""
        with self.lock:
            assert not self.faults
            return [record for record in self.records[way, signal] if record[0].get(key) == ("string", wanted)]

    def stop(self):
        self.grpc_server.stop(0)
        self.http_server.shutdown()
        self.http_server.server_close()
