# SPDX-License-Identifier: Apache-2.0
"""An OTLP receiver that shares no code with Sonde: grpcio and the published protobuf classes."""
import base64
import collections
import concurrent.futures
import gzip
import http.server
import json
import threading

import grpc
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


# What a test may want is recent; a busy machine sends without end.
KEPT_SPANS = 50_000


def attributes(pairs):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value") for pair in pairs}


def traces_from_json(text):
    """OTLP's JSON is protobuf's own but for ids, which are hexadecimal."""
    def convert(pairs):
        return {key: base64.b64encode(bytes.fromhex(value)).decode() if key in ("traceId", "spanId", "parentSpanId") else value
                for key, value in pairs}

    return json_format.ParseDict(json.loads(text, object_pairs_hook=convert), trace_service_pb2.ExportTraceServiceRequest())


class OtlpReceiver(trace_service_pb2_grpc.TraceServiceServicer, metrics_service_pb2_grpc.MetricsServiceServicer):
    """Keeps the last spans and each metric it was sent, over gRPC (`grpc_port`) and HTTP (`http_port`)."""

    def __init__(self, credentials=None, http_tls=None):
        """`credentials` opens a port that wants TLS too: `tls_port`. With `http_tls`, a context of ssl, HTTP wants it too."""
        self.lock = threading.Lock()
        self.spans = {way: collections.deque(maxlen=KEPT_SPANS) for way in ("grpc", "http")}
        # The last data point of each series: cumulative counts replace each other.
        self.points = {"grpc": {}, "http": {}}
        self.grpc_server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self.grpc_server)
        outer = self

        class Metrics(metrics_service_pb2_grpc.MetricsServiceServicer):
            def Export(self, request, context):
                outer.take_metrics("grpc", request)
                return metrics_service_pb2.ExportMetricsServiceResponse()

        metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(Metrics(), self.grpc_server)
        self.grpc_port = self.grpc_server.add_insecure_port("127.0.0.1:0")
        self.tls_port = credentials and self.grpc_server.add_secure_port("127.0.0.1:0", credentials)
        self.grpc_server.start()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Content-Encoding"] == "gzip":
                    body = gzip.decompress(body)
                if self.headers["Content-Type"] == "application/json":
                    outer.take_traces("http", traces_from_json(body))
                elif self.path == "/v1/traces":
                    outer.take_traces("http", trace_service_pb2.ExportTraceServiceRequest.FromString(body))
                else:
                    outer.take_metrics("http", metrics_service_pb2.ExportMetricsServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.http_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if http_tls:
            self.http_server.socket = http_tls.wrap_socket(self.http_server.socket, server_side=True)
        self.http_port = self.http_server.server_address[1]
        threading.Thread(target=self.http_server.serve_forever, daemon=True).start()

    def Export(self, request, context):
        self.take_traces("grpc", request)
        return trace_service_pb2.ExportTraceServiceResponse()

    def take_traces(self, way, request):
        with self.lock:
            for resource_spans in request.resource_spans:
                resource = attributes(resource_spans.resource.attributes)
                for scope_spans in resource_spans.scope_spans:
                    self.spans[way] += [(resource, span, attributes(span.attributes)) for span in scope_spans.spans]

    def take_metrics(self, way, request):
        with self.lock:
            for resource_metrics in request.resource_metrics:
                resource = attributes(resource_metrics.resource.attributes)
                for scope_metrics in resource_metrics.scope_metrics:
                    for metric in scope_metrics.metrics:
                        self.take_metric(way, resource, metric)

    def take_metric(self, way, resource, metric):
        kind = metric.WhichOneof("data")
        for point in getattr(metric, kind).data_points:
            labels = attributes(point.attributes)
            key = (metric.name, tuple(sorted(resource.items())), tuple(sorted(labels.items())))
            value = point.count if kind == "histogram" else point.as_int or point.as_double
            self.points[way][key] = (resource, labels, value)

    def snapshot(self, way="grpc"):
        """The spans received so far, as (resource attributes, span, span attributes)."""
        with self.lock:
            return list(self.spans[way])

    def series(self, name, way):
        """The series of a metric, as (resource attributes, attributes, last count or value)."""
        with self.lock:
            return [entry for key, entry in self.points[way].items() if key[0] == name]

    def stop(self):
        self.grpc_server.stop(0)
        self.http_server.shutdown()
