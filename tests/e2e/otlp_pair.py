# SPDX-License-Identifier: Apache-2.0
"""A sender that knows what was acknowledged to it, a back end that knows what arrived, and the Sonde between them.

Each request holds one span whose trace id is the request's number, so that the two can be compared one by one.
"""
import collections
import concurrent.futures
import threading
import urllib.request

import grpc
from google.protobuf import duration_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from sonde import PATIENCE, Running, eventually, select

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def request_bytes(number, padding=0):
    request = trace_service_pb2.ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id = number.to_bytes(16, "big")
    span.span_id = b"\1" * 8
    span.name = "x" * padding or "x"
    return request.SerializeToString()


class BackEnd:
    """Counts how often each number arrived. It can be stopped and started again on the same port."""

    def __init__(self):
        self.lock = threading.Lock()
        self.arrived = collections.Counter()
        self.port = None
        self.server = None
        self.start()

    def start(self):
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
        handler = grpc.unary_unary_rpc_method_handler(self.export)
        self.server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("opentelemetry.proto.collector.trace.v1.TraceService", {"Export": handler}),))
        address = f"127.0.0.1:{self.port or 0}"
        assert eventually(lambda: self._bind(address), 10), f"{address} is taken"
        self.server.start()

    def _bind(self, address):
        try:
            self.port = self.server.add_insecure_port(address)
        except RuntimeError:
            return False
        return True

    def stop(self):
        self.server.stop(0).wait()

    def export(self, body, _):
        request = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
        numbers = [int.from_bytes(span.trace_id, "big") for resource in request.resource_spans
                   for scope in resource.scope_spans for span in scope.spans]
        with self.lock:
            self.arrived.update(numbers)
        return b""

    def has(self, numbers):
        with self.lock:
            return all(number in self.arrived for number in numbers)


class Sender:
    """Sends numbers one after the other, some at a time, and keeps how each ended."""

    def __init__(self, port, credentials=None, retries=False):
        """`retries`: a call that never went out, since a GOAWAY came first, is made again, as is grpcio's default."""
        # The least is no wait: it is what a connection has to begin, which a busy machine needs.
        options = [("grpc.enable_retries", retries), ("grpc.initial_reconnect_backoff_ms", 50),
                   ("grpc.min_reconnect_backoff_ms", 5000), ("grpc.max_reconnect_backoff_ms", 100)]
        address = f"127.0.0.1:{port}"
        self.channel = grpc.secure_channel(address, credentials, options) if credentials else grpc.insecure_channel(address, options)
        self.call = self.channel.unary_unary(METHOD)
        self.lock = threading.Lock()
        self.acknowledged = set()
        self.refused = {}  # Number: the grpc.RpcError.
        self.next = 1
        self.ended = threading.Event()
        self.threads = []

    def send(self, padding=0):
        """One request, waited for. Whether it was acknowledged."""
        with self.lock:
            number = self.next
            self.next += 1
        try:
            self.call(request_bytes(number, padding), timeout=20 * PATIENCE)
        except grpc.RpcError as error:
            with self.lock:
                self.refused[number] = error
            return False
        with self.lock:
            self.acknowledged.add(number)
        return True

    def run(self, threads=8):
        """Sends as fast as it can until stop()."""
        def loop():
            while not self.ended.is_set():
                # A peer that is away or full is asked again at once, but not in a tight circle.
                if not self.send():
                    self.ended.wait(0.005)
        self.threads = [threading.Thread(target=loop) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def close(self):
        self.stop()
        self.channel.close()


def retry_delay(error):
    """Seconds that a gRPC status asks to wait, or None."""
    name = b"type.googleapis.com/google.rpc.RetryInfo"
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and name in value:
            # The Any's value is a RetryInfo, whose only field is the Duration: each a tag and a length of one byte.
            info = value[value.index(name) + len(name):]
            assert info[0] == 0x12 and info[2] == 0x0a
            return duration_pb2.Duration.FromString(info[4:4 + info[3]]).ToTimedelta().total_seconds()
    return None


class Relay(Running):
    """A Sonde that shows its own metrics at `own_port`."""

    def __init__(self, directory, config, own_port, *arguments, **options):
        super().__init__(directory, config, *arguments, name="relay", **options)
        self.own_port = own_port

    def metrics_text(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.own_port}/metrics", timeout=10 * PATIENCE) as response:
            return response.read().decode()

    def total(self, name, **labels):
        return sum(value for _, value in select(self.metrics_text(), name, labels))
