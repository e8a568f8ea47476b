# SPDX-License-Identifier: Apache-2.0
"""The scenarios of bench/pipeline.py and the configuration that Sonde and the Collector run in each: the same
file for both, with the defaults of both, but for Sonde's opaque mode, which the Collector does not have."""

# window: requests that a closed loop keeps under way; rate and sink_rate: items a second. bars: how many times as much as Sonde
# the others have to take for an item, or, with p99_bars, their delays at the 99th percentile.
SCENARIOS = {
    "traces-1000": {"data": "span", "items": 1000, "window": 16, "bars": {"reference": 12, "otelcol": 12}},
    "traces-100": {"data": "span", "items": 100, "window": 32},
    "traces-10": {"data": "span", "items": 10, "window": 64, "bars": {"reference": 20, "otelcol": 25}},
    "small-traces-1000": {"data": "small-span", "items": 1000, "window": 16},
    "logs-1000": {"data": "log", "items": 1000, "window": 16, "bars": {"reference": 12, "otelcol": 12}},
    "metrics-1000": {"data": "metric", "items": 1000, "window": 16, "bars": {"reference": 12, "otelcol": 12}},
    "insert-gzip-batch": {"data": "span", "items": 1000, "window": 64, "gzip_in": True, "gzip_out": True, "insert": True,
                          "batch": 8192, "drain": 20, "bars": {"reference": 11, "otelcol": 11}},
    "gzip-unmodified": {"data": "span", "items": 1000, "window": 16, "gzip_in": True, "gzip_out": True, "bars": {"reference": 30, "otelcol": 30}},
    "gzip-opaque": {"data": "span", "items": 1000, "window": 16, "gzip_in": True, "gzip_out": True, "opaque": True, "bars": {"reference": 100, "otelcol": 100}},
    "latency-50k": {"data": "span", "items": 100, "rate": 50_000, "seconds": 5, "p99_bars": {"otelcol": 4}},
    "overload": {"data": "span", "items": 100, "rate": 100_000, "sink_rate": 50_000, "seconds": 30, "warm_up": 0,
                 "drain": 60, "may_refuse": True},
    "idle": {"data": "span", "items": 100, "idle": True, "seconds": 20, "most_rss_mb": 15, "most_cpu_percent": 0.1},
}
SIGNALS = {"span": "traces", "small-span": "traces", "log": "logs", "metric": "metrics"}


def collector_config(scenario, ports, system):
    processors, uses = "", []
    if scenario.get("insert"):
        processors += ("  attributes:\n    actions:\n"
                       "      - {key: deployment.environment, value: benchmark, action: insert}\n")
        uses.append("attributes")
    if scenario.get("batch"):
        processors += f"  batch: {{send_batch_size: {scenario['batch']}}}\n"
        uses.append("batch")
    signal = SIGNALS[scenario["data"]]
    opaque = "    opaque: true\n" if scenario.get("opaque") and system == "sonde" else ""
    return f"""
receivers:
  otlp:
{opaque}    protocols:
      grpc:
        endpoint: 127.0.0.1:{ports['in']}
{"processors:" if processors else ""}
{processors}
exporters:
  otlp:
    endpoint: 127.0.0.1:{ports['out']}
    tls:
      insecure: true
    compression: {"gzip" if scenario.get("gzip_out") else "none"}
service:
  telemetry:
    logs:
      level: warn
    metrics:
      readers:
        - pull:
            exporter:
              prometheus:
                host: 127.0.0.1
                port: {ports['own']}
  pipelines:
    {signal}:
      receivers: [otlp]
      processors: [{', '.join(uses)}]
      exporters: [otlp]
"""


def reference_flags(scenario):
    flags = ["--gzip"] if scenario.get("gzip_out") else []
    if scenario.get("insert"):
        flags.append("--insert")
    if scenario.get("batch"):
        flags += ["--batch", str(scenario["batch"])]
    return flags
