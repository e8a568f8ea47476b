# SPDX-License-Identifier: Apache-2.0
"""Names that Prometheus 2 does not take: its own checker reads what it is given, and who asks gets them as they are."""
import json
import shutil
import subprocess
import urllib.request

import pytest

from sonde import Running, free_port

STRATEGIES = ["UnderscoreEscapingWithSuffixes", "UnderscoreEscapingWithoutSuffixes",
              "NoUTF8EscapingWithSuffixes", "NoTranslation"]
AS_THEY_ARE = "text/plain;version=0.0.4;escaping=allow-utf-8"
OPEN_METRICS = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8"


def attribute(key, value):
    return {"key": key, "value": {"stringValue": value}}


def point(**more):
    return {"timeUnixNano": "1700000000000000000", "attributes": [attribute("label.x", "a\"\\\n"), attribute("label_x", "b")], **more}


EXEMPLAR = {"asDouble": 0.4, "timeUnixNano": "1700000000000000000", "traceId": "5b8efff798038103d269b633813fc60c",
            "spanId": "eee19b7ec3c1b174"}
# What the page or the scraper writes itself, and what becomes one label with it or with another.
HOSTILE = ["le", "quantile", "__name__", "..name..", "job", "service.name", "service name", "", "_"]
METRICS = [
    {"name": "heat.größe", "unit": "Cel", "description": "a \\ \"b\"\nc", "gauge": {"dataPoints": [point(asDouble=1.5)]}},
    {"name": "heat.gr__e", "unit": "Cel", "gauge": {"dataPoints": [point(asDouble=2.5)]}},
    {"name": "io.bytes", "unit": "By", "sum": {"isMonotonic": True, "aggregationTemporality": 2,
                                              "dataPoints": [point(asInt="3", exemplars=[EXEMPLAR])]}},
    {"name": "call.time", "unit": "s", "histogram": {"aggregationTemporality": 2, "dataPoints": [
        point(count="3", sum=2.5, bucketCounts=["1", "2"], explicitBounds=[0.5], exemplars=[EXEMPLAR])]}},
    {"name": "hostile", "histogram": {"aggregationTemporality": 2, "dataPoints": [
        {"count": "1", "sum": 1, "attributes": [attribute(key, "x") for key in HOSTILE]}]}},
    {"name": "hostile.summary", "summary": {"dataPoints": [
        {"count": "1", "sum": 1, "quantileValues": [{"quantile": 0.5, "value": 1}],
         "attributes": [attribute(key, "x") for key in HOSTILE]}]}},
    {"name": "", "gauge": {"dataPoints": [point(asInt="1")]}},
]
REQUEST = {"resourceMetrics": [{"resource": {"attributes": [
    attribute("service.name", "shop"), attribute("host.name", "h"), *(attribute(key, "y") for key in HOSTILE if key != "service.name")]},
                                "scopeMetrics": [{"scope": {"name": "lib"}, "metrics": METRICS}]}]}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    otlp, *ports = (free_port() for _ in range(1 + len(STRATEGIES)))
    exporters = "".join(
        f"  prometheus/{strategy}: {{endpoint: '127.0.0.1:{port}', translation_strategy: {strategy}, enable_open_metrics: true}}\n"
        for strategy, port in zip(STRATEGIES, ports))
    names = ", ".join(f"prometheus/{strategy}" for strategy in STRATEGIES)
    config = ("receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:%d'}}}}\n"
              "exporters:\n%sservice:\n  telemetry: {metrics: {level: none}}\n"
              "  pipelines: {metrics: {receivers: [otlp], exporters: [%s]}}\n" % (otlp, exporters, names))
    def page(strategy, accept=""):
        request = urllib.request.Request(f"http://127.0.0.1:{ports[STRATEGIES.index(strategy)]}/metrics",
                                         headers={"Accept": accept} if accept else {})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.headers["Content-Type"], answer.read().decode()

    with Running(tmp_path_factory.mktemp("names"), config):
        urllib.request.urlopen(urllib.request.Request(
            f"http://127.0.0.1:{otlp}/v1/metrics", json.dumps(REQUEST).encode(), {"Content-Type": "application/json"}), timeout=30).close()
        yield page


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("escaping", ["underscores", "dots", "values"])
def test_the_checker_of_prometheus_reads_every_spelling(pages, strategy, escaping):
    if not shutil.which("promtool"):
        pytest.skip("there is no promtool")
    kind, text = pages(strategy, f"text/plain;escaping={escaping}")
    assert kind == f"text/plain; version=0.0.4; charset=utf-8; escaping={escaping}"
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
    # 3: it found names that are against its taste.
    assert checked.returncode in (0, 3), checked.stderr + text


def test_names_stay_for_who_asks(pages):
    kind, text = pages("NoTranslation", AS_THEY_ARE)
    assert kind == "text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8"
    assert '# TYPE "heat.größe" gauge\n{"heat.größe",job="shop",service_name="shop","label.x"="a\\"\\\\\\n",label_x="b"' in text
    assert '{"call.time_bucket",job="shop"' in text
    assert '\n{"heat.größe_celsius",job="shop"' in pages("NoUTF8EscapingWithSuffixes", AS_THEY_ARE)[1]


def test_exemplars_name_the_trace(pages):
    kind, text = pages("NoUTF8EscapingWithSuffixes", OPEN_METRICS)
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
    ids = '# {trace_id="5b8efff798038103d269b633813fc60c",span_id="eee19b7ec3c1b174"} 0.4 1700000000.000000000\n'
    marked = [line for line in text.splitlines(keepends=True) if line.endswith(ids)]
    assert [line.split(",")[0] for line in marked] == ['{"call.time_seconds_bucket"', '{"io.bytes_total"'], text
    assert text.endswith("# EOF\n")
