# SPDX-License-Identifier: Apache-2.0
"""The same calls are counted alike on every way out: 4401, OTLP over gRPC and HTTP, debug and /api/v1.

A client calls a forwarder, which calls a server behind it: the forwarder is a server and a client, in one process.
"""
import collections
import re

import pytest

from client import send_requests
from otlp_receiver import OtlpReceiver
from runtimes import PYTHON, RUNTIMES, Runtime, stop_group
from sonde import Sonde, eventually

REQUESTS = [("GET", f"/items/{n}") for n in range(70)] + [("GET", "/missing")] * 20 + [("GET", "/broken")] * 10
STATUSES = {200: 70, 404: 20, 500: 10}
ROUTES = {("GET", "/items/{id}"): 70, ("GET", "/broken"): 10}


class Calls:
    """Two services called as REQUESTS says, once, and one Sonde that shows them on every way."""

    def __init__(self, directory, otlp):
        self.otlp = otlp
        (directory / "front").mkdir()
        (directory / "behind").mkdir()
        self.behind, behind_port = RUNTIMES["node"].start(directory / "behind")
        front = Runtime("forwarder", [PYTHON, "{servers}/forwarder.py", "{port}", str(behind_port)])
        self.front, front_port = front.start(directory / "front")
        self.ports = {"forwarder": front_port, "counted_node": behind_port}
        self.sonde = Sonde(otlp.grpc_port, otlp.http_port, also=", debug")
        counts = send_requests(front_port, REQUESTS)
        assert {status: sum(n for (_, _, s), n in counts.items() if s == status) for status in STATUSES} == STATUSES


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    otlp = OtlpReceiver()
    made = Calls(tmp_path_factory.mktemp("ways"), otlp)
    yield made
    made.sonde.stop()
    stop_group(made.front)
    stop_group(made.behind)
    otlp.stop()


# (side, service, the service whose port is called): each hop seen from the ends that this test started.
ENDS = [("server", "forwarder", "forwarder"), ("client", "forwarder", "counted_node"),
        ("server", "counted_node", "counted_node")]


def add(entries):
    counts = collections.Counter()
    for status, count in entries:
        counts[int(status)] += int(count)
    return dict(counts)


def on_metrics(calls, side, service, port):
    return add((labels["http_response_status_code"], value) for labels, value in calls.sonde.series(
        f"http_{side}_request_duration_seconds_count", service_name=service, server_port=port))


def otlp_metrics(way):
    def seen(calls, side, service, port):
        return add((labels["http.response.status_code"], value)
                   for resource, labels, value in calls.otlp.series(f"http.{side}.request.duration", way)
                   if resource["service.name"] == service and labels["server.port"] == port)
    return seen


def otlp_spans(way):
    def seen(calls, side, service, port):
        return add((labels["http.response.status_code"], 1) for resource, span, labels in calls.otlp.snapshot(way)
                   if resource["service.name"] == service and labels["server.port"] == port
                   and span.kind == {"server": 2, "client": 3}[side])
    return seen


def in_debug(calls, side, service, port):
    """Reads the text form that `debug` prints: two spaces a level, attributes as `key = value`."""
    entries, resource, span = [], "", None
    for line in calls.sonde.log().splitlines() + ["resource"]:
        text = line.strip()
        if text in ("resource", "span", "metric"):
            if span and (resource, span.get("kind"), span.get("server.port")) == (service, side, str(port)):
                entries.append((span["http.response.status_code"], 1))
            span = {} if text == "span" else None
        elif match := re.match(r'service\.name = "(.*)"', text):
            resource = match[1]
        elif span is not None and (match := re.match(r"([\w.]+)(?: =|:) (.*)", text)):
            span[match[1]] = match[2]
    return add(entries)


WAYS = {"4401": on_metrics, "otlp_grpc metrics": otlp_metrics("grpc"), "otlp_http metrics": otlp_metrics("http"),
        "otlp_grpc spans": otlp_spans("grpc"), "otlp_http spans": otlp_spans("http"), "debug": in_debug}


@pytest.mark.parametrize("side, service, called", ENDS)
@pytest.mark.parametrize("way", WAYS)
def test_each_way_out_counts_by_status(calls, way, side, service, called):
    def seen():
        return WAYS[way](calls, side, service, calls.ports[called])

    eventually(lambda: seen() == STATUSES)
    assert seen() == STATUSES


def of_api(calls, path):
    return calls.sonde.api(path + "?range=5m")


def whole(count):
    assert abs(count - round(count)) < 1e-3, count
    return round(count)


def requests_in(answer):
    """The page shows rates; the last step of a series ends with the running second."""
    end = answer["now"] // 1000 + 1
    return whole(sum((rate or 0) * min(answer["step_s"], end - at // 1000)
                     for at, rate in zip(answer["series"]["time"], answer["series"]["rate"])))


@pytest.mark.parametrize("service", ["forwarder", "counted_node"])
def test_the_api_counts_requests_endpoints_and_errors(calls, service):
    def answer():
        return of_api(calls, f"/services/{service}")

    eventually(lambda: requests_in(answer()) == len(REQUESTS))
    shown = answer()
    assert requests_in(shown) == len(REQUESTS)
    rates = {(e["method"], e["route"]): e["rate"] for e in shown["endpoints"]}
    endpoints = {key: whole(rate / sum(rates.values()) * len(REQUESTS)) for key, rate in rates.items()}
    assert {route: endpoints.pop(route, 0) for route in ROUTES} == ROUTES
    assert sum(endpoints.values()) == STATUSES[404]
    assert shown["service"]["error_share"] == pytest.approx(STATUSES[500] / len(REQUESTS), abs=1e-4)


def test_the_api_counts_calls_between_services(calls):
    def edges():
        return {(e["client"], e["server"]): e["calls"] for e in of_api(calls, "/map")["edges"]
                if e["server"] in calls.ports}

    eventually(lambda: sum(edges().values()) == 2 * len(REQUESTS))
    assert edges().get(("forwarder", "counted_node")) == len(REQUESTS)
    assert sum(edges().values()) == 2 * len(REQUESTS), edges()
    assert [p["peer"] for p in of_api(calls, "/services/counted_node")["inbound"]] == ["forwarder"]
    assert [p["peer"] for p in of_api(calls, "/services/forwarder")["outbound"]] == ["counted_node"]


def test_connectors_count_the_same_calls(calls):
    def spanmetrics():
        return sum(value for _, value in calls.sonde.series(
            "traces_spanmetrics_calls_total", service_name="forwarder", span_kind="SPAN_KIND_SERVER"))

    def graph():
        return sum(value for _, value in calls.sonde.series(
            "traces_service_graph_request_total", client="forwarder", server="counted_node"))

    eventually(lambda: spanmetrics() == len(REQUESTS) and graph() == len(REQUESTS))
    assert spanmetrics() == len(REQUESTS)
    assert graph() == len(REQUESTS)
