# SPDX-License-Identifier: Apache-2.0
"""The ledger of items: a sender that knows how each request ended, a back end that misbehaves as it is told, the link
between that can be cut, and the sum that must be right for each signal:

    sent = delivered + refused to the sender + counted as dropped with a reason

Every item has a number. Each number is sent once, so what arrives twice was repeated by Sonde, and may be only where the
back end had it and Sonde could not know.
"""
import collections
import http.client
import threading

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from sonde import PATIENCE

ITEMS = 3  # Of a request.


class Traces:
    name = "traces"
    word = "spans"
    service = "opentelemetry.proto.collector.trace.v1.TraceService"
    request = trace_service_pb2.ExportTraceServiceRequest
    response = trace_service_pb2.ExportTraceServiceResponse
    rejected = "rejected_spans"

    @staticmethod
    def add(request, numbers, padding):
        spans = request.resource_spans.add().scope_spans.add().spans
        for number in numbers:
            spans.add(trace_id=number.to_bytes(16, "big"), span_id=b"\1" * 8, name="x" * padding or "x")

    @staticmethod
    def numbers(request):
        return [int.from_bytes(span.trace_id, "big") for resource in request.resource_spans
                for scope in resource.scope_spans for span in scope.spans]


class Metrics:
    name = "metrics"
    word = "metric_points"
    service = "opentelemetry.proto.collector.metrics.v1.MetricsService"
    request = metrics_service_pb2.ExportMetricsServiceRequest
    response = metrics_service_pb2.ExportMetricsServiceResponse
    rejected = "rejected_data_points"

    @staticmethod
    def add(request, numbers, padding):
        metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="n", description="x" * padding)
        for number in numbers:
            metric.gauge.data_points.add(time_unix_nano=1, as_int=number)

    @staticmethod
    def numbers(request):
        return [point.as_int for resource in request.resource_metrics for scope in resource.scope_metrics
                for metric in scope.metrics for point in metric.gauge.data_points]


class Logs:
    name = "logs"
    word = "log_records"
    service = "opentelemetry.proto.collector.logs.v1.LogsService"
    request = logs_service_pb2.ExportLogsServiceRequest
    response = logs_service_pb2.ExportLogsServiceResponse
    rejected = "rejected_log_records"

    @staticmethod
    def add(request, numbers, padding):
        records = request.resource_logs.add().scope_logs.add().log_records
        for number in numbers:
            record = records.add(time_unix_nano=1, severity_text="x" * padding)
            record.body.int_value = number

    @staticmethod
    def numbers(request):
        return [record.body.int_value for resource in request.resource_logs for scope in resource.scope_logs
                for record in scope.log_records]


SIGNALS = (Traces, Metrics, Logs)


class Sender:
    """Sends each number once and keeps how its request ended."""

    def __init__(self, protocol, port):
        self.protocol, self.port = protocol, port
        self.lock = threading.Lock()
        self.next = 1
        self.acknowledged = collections.defaultdict(set)
        self.refused = collections.defaultdict(dict)  # Signal: number: (status, seconds to wait or None).
        self.unknown = collections.defaultdict(set)  # Nobody answered.
        self.local = threading.local()
        self.channel = None
        if protocol == "grpc":
            self.channel = grpc.insecure_channel(
                f"127.0.0.1:{port}", options=[("grpc.enable_retries", 0), ("grpc.initial_reconnect_backoff_ms", 50),
                                              ("grpc.min_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 100)])

    def send(self, signal, items=ITEMS, padding=0):
        """One request, waited for: its numbers, and whether they were acknowledged."""
        with self.lock:
            numbers = range(self.next, self.next + items)
            self.next += items
        request = signal.request()
        signal.add(request, numbers, padding)
        ended = (self._grpc if self.protocol == "grpc" else self._http)(signal, request.SerializeToString())
        with self.lock:
            if ended is None:
                self.acknowledged[signal.name].update(numbers)
            elif ended == "unknown":
                self.unknown[signal.name].update(numbers)
            else:
                self.refused[signal.name].update(dict.fromkeys(numbers, ended))
        return numbers, ended is None

    def _grpc(self, signal, body):
        from otlp_pair import retry_delay
        try:
            self.channel.unary_unary(f"/{signal.service}/Export")(body, timeout=30 * PATIENCE)
        except grpc.RpcError as error:
            # UNAVAILABLE without details is the client's own: the connection broke, and the server may have it all.
            if error.code() == grpc.StatusCode.UNAVAILABLE and retry_delay(error) is None:
                return "unknown"
            return error.code(), retry_delay(error)
        return None

    def _http(self, signal, body):
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30 * PATIENCE)
        try:
            connection.request("POST", f"/v1/{signal.name}", body, {"Content-Type": "application/x-protobuf"})
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            self.local.connection = None
            return "unknown"
        if response.status == 200:
            return None
        wait = response.getheader("Retry-After")
        return response.status, None if wait is None else int(wait)

    def burst(self, requests, threads=4, **how):
        """So many requests of each signal, all ended."""
        def work():
            while True:
                with self.lock:
                    if not left:
                        return
                    signal = left.pop()
                self.send(signal, **how)
        left = list(SIGNALS) * requests
        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def close(self):
        if self.channel:
            self.channel.close()


class Drops:
    """What Sonde counted as dropped, by signal and reason, since this was made."""

    def __init__(self, relay):
        self.relay = relay
        self.before = self._read()
        self.earlier = collections.Counter()  # By processes that are gone.

    def _read(self):
        from sonde import select
        found = collections.Counter()
        for labels, value in select(self.relay.metrics_text(), "sonde_dropped_records_total", {}):
            found[labels["signal"], labels["reason"]] += int(value)
        return found

    def since(self, signal):
        """{reason: items}"""
        now = self._read() + self.earlier
        now.subtract(self.before)
        return {reason: count for (name, reason), count in now.items() if name == signal.name and count}

    def process_ends(self):
        """Before Sonde is killed: its counters begin anew."""
        self.earlier += self._read()


def verify(sender, back_end, drops, told=("queue_full", "too_large", "disk_full", "disk_failed", "memory_limit")):
    """The sum, and no duplicate that nothing explains. `told` are reasons of which senders heard as refusals."""
    for signal in SIGNALS:
        name = signal.name
        with sender.lock, back_end.lock:
            acknowledged = set(sender.acknowledged[name])
            refused = set(sender.refused[name])
            unknown = set(sender.unknown[name])
            delivered = collections.Counter(back_end.delivered[name])
            maybe = set(back_end.unanswered[name])
            rejected = set(back_end.rejected[name])
        lost = acknowledged - set(delivered)
        dropped = {reason: count for reason, count in drops.since(signal).items() if reason not in told}
        assert len(lost) == sum(dropped.values()), (name, dropped, sorted(lost)[:10])
        assert rejected <= lost, name
        assert not refused & set(delivered), (name, sorted(refused & set(delivered))[:10])
        assert set(delivered) <= acknowledged | unknown, (name, sorted(set(delivered) - acknowledged - unknown)[:10])
        twice = {number for number, count in delivered.items() if count > 1}
        assert twice <= maybe, (name, sorted(twice - maybe)[:10])
