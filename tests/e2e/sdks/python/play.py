# SPDX-License-Identifier: Apache-2.0
"""Plays recording.json with the OpenTelemetry SDK of Python, once for each case, and prints the ids it gave.

usage: play.py RECORDING CASES; both are JSON files. test_sdks.py says what a case is.
"""
import json
import sys

import grpc
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.metrics import Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode


def value_of(kind, value):
    if kind == "map":
        return {key: value_of(inner, v) for key, inner, v in value}
    return float(value) if kind == "double" else value


def attributes(triples):
    return {key: value_of(kind, value) for key, kind, value in triples}


def exporters(case):
    """The exporters of spans, metrics and logs."""
    if case["protocol"] == "grpc":
        options = {"endpoint": case["endpoint"], "compression": {
            "none": grpc.Compression.NoCompression, "gzip": grpc.Compression.Gzip, "deflate": grpc.Compression.Deflate}[case["compression"]]}
        if "ca" in case:
            read = {name: open(case[name], "rb").read() if name in case else None for name in ("ca", "key", "cert")}
            options["credentials"] = grpc.ssl_channel_credentials(read["ca"], read["key"], read["cert"])
        else:
            options["insecure"] = True
        return [make(**options) for make in (GrpcSpans, GrpcMetrics, GrpcLogs)]
    options = {"compression": Compression(case["compression"])}
    if "ca" in case:
        options |= {"certificate_file": case["ca"], "client_key_file": case.get("key"), "client_certificate_file": case.get("cert")}
    return [make(endpoint=f"{case['endpoint']}/v1/{signal}", **options)
            for make, signal in ((HttpSpans, "traces"), (HttpMetrics, "metrics"), (HttpLogs, "logs"))]


def play_spans(recording, tracer, epoch):
    spans = {}
    for entry in recording["spans"] + [{"name": f"item {n}", "kind": "internal", "start": n, "end": n + 1, "attributes": [["n", "int", n]]}
                                       for n in range(recording["many_spans"])]:
        parent = trace.set_span_in_context(spans[entry["parent"]] if "parent" in entry else trace.INVALID_SPAN)
        links = [Link(spans[link["to"]].get_span_context(), attributes(link["attributes"])) for link in entry.get("links", [])]
        span = tracer.start_span(entry["name"], parent, SpanKind[entry["kind"].upper()], attributes(entry["attributes"]), links,
                                 start_time=epoch + entry["start"])
        for event in entry.get("events", []):
            span.add_event(event["name"], attributes(event["attributes"]), epoch + event["at"])
        if "status" in entry:
            code, text = entry["status"]
            span.set_status(Status(StatusCode[code.upper()], text or None))
        spans[entry["name"]] = span
        span.end(epoch + entry["end"])
    return spans


def play_metrics(recording, meter):
    for entry in recording["metrics"]:
        records = [(float(value) if entry["number"] == "double" else value, attributes(own)) for value, own in entry["records"]]
        about = {"name": entry["name"], "unit": entry["unit"], "description": entry["description"]}
        kind = entry["kind"].removeprefix("exponential_")
        if kind.startswith("observable_"):
            getattr(meter, f"create_{kind}")(
                callbacks=[lambda _, records=records: [Observation(value, own) for value, own in records]], **about)
            continue
        instrument = getattr(meter, f"create_{kind}")(**about)
        record = getattr(instrument, {"histogram": "record", "gauge": "set"}.get(kind, "add"))
        for value, own in records:
            record(value, own)


def play_logs(recording, logger, epoch, spans):
    many = [{"at": n, "severity": [9, "INFO"], "body": ["string", f"line {n}"], "attributes": [["n", "int", n]]}
            for n in range(recording["many_logs"])]
    for entry in recording["logs"] + many:
        number, text = entry["severity"]
        context = trace.set_span_in_context(spans[entry["span"]] if "span" in entry else trace.INVALID_SPAN)
        logger.emit(LogRecord(timestamp=epoch + entry["at"], context=context, severity_number=SeverityNumber(number),
                              severity_text=text, body=value_of(*entry["body"]), attributes=attributes(entry["attributes"])))


def play(recording, case):
    resource = Resource.create(attributes(recording["resource"]) | {"service.name": "python", "service.instance.id": case["name"]})
    span_exporter, metric_exporter, log_exporter = exporters(case)
    tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
    tracers.add_span_processor(BatchSpanProcessor(span_exporter))
    sizes = View(instrument_name="body_size", aggregation=ExponentialBucketHistogramAggregation())
    meters = MeterProvider([PeriodicExportingMetricReader(metric_exporter, export_interval_millis=3600_000)], resource,
                           shutdown_on_exit=False, views=[sizes])
    loggers = LoggerProvider(resource, shutdown_on_exit=False)
    loggers.add_log_record_processor(BatchLogRecordProcessor(log_exporter))

    scope = recording["scope"]
    epoch = recording["epoch_seconds"] * 10**9
    spans = play_spans(recording, tracers.get_tracer(scope["name"], scope["version"]), epoch)
    play_metrics(recording, meters.get_meter(scope["name"], scope["version"]))
    play_logs(recording, loggers.get_logger(scope["name"], scope["version"]), epoch, spans)
    # Shutting down sends what is left, once.
    for provider in (tracers, meters, loggers):
        provider.shutdown()
    ids = {name: [f"{span.get_span_context().trace_id:032x}", f"{span.get_span_context().span_id:016x}"] for name, span in spans.items()}
    print(json.dumps({"case": case["name"], "spans": ids}), flush=True)


if __name__ == "__main__":
    with open(sys.argv[1]) as one, open(sys.argv[2]) as other:
        recorded, cases = json.load(one), json.load(other)
    for wanted in cases:
        play(recorded, wanted)
