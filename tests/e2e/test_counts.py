# SPDX-License-Identifier: Apache-2.0
"""Requests seen equal requests sent, for each runtime, on every way out."""
import collections

import pytest

from client import Connection, request_bytes, send_requests
from runtimes import RUNTIMES, SLOW, UNKNOWN
from sonde import Sonde, doctor, eventually, select

REQUESTS = [("GET", f"/items/{n}") for n in range(150)] + [("GET", "/missing")] * 30 + [("GET", "/broken")] * 20


def sent_by_status(counts):
    by_status = collections.Counter()
    for (_, _, status), count in counts.items():
        by_status[status] += count
    return by_status


def seen_on_metrics(sonde, service, port, method=None):
    by_status = collections.Counter()
    only = {"http_request_method": method} if method else {}
    for labels, value in sonde.series("http_server_request_duration_seconds_count", service_name=service,
                                      server_port=port, **only):
        by_status[int(labels["http_response_status_code"])] += int(value)
    return by_status


def seen_by_the_client(sonde, port):
    """The client is this very process, whatever it is called."""
    by_status = collections.Counter()
    for labels, value in sonde.series("http_client_request_duration_seconds_count", server_port=port):
        by_status[int(labels["http_response_status_code"])] += int(value)
    return by_status


def seen_over_otlp(otlp, service, port):
    by_status = collections.Counter()
    for resource, span, attributes in otlp.snapshot():
        if resource.get("service.name") == service and span.kind == 2 and attributes.get("server.port") == port:
            by_status[attributes.get("http.response.status_code", 0)] += 1
    return by_status


SERVERS = RUNTIMES | UNKNOWN | SLOW


@pytest.mark.parametrize("connection", ["keep_alive", "fresh"])
@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow_server] if name in SLOW else [])
                                  for name in SERVERS])
def test_every_request_is_counted_once(sonde, otlp, start, name, connection):
    runtime = SERVERS[name]
    port = start(runtime)

    sent = sent_by_status(send_requests(port, REQUESTS, keep_alive=connection == "keep_alive"))

    assert sum(sent.values()) == len(REQUESTS)
    eventually(lambda: seen_on_metrics(sonde, runtime.service, port) == sent)
    assert seen_on_metrics(sonde, runtime.service, port) == sent
    eventually(lambda: seen_over_otlp(otlp, runtime.service, port) == sent)
    assert seen_over_otlp(otlp, runtime.service, port) == sent
    eventually(lambda: seen_by_the_client(sonde, port) == sent)
    assert seen_by_the_client(sonde, port) == sent
    names = [service["name"] for service in sonde.api("/services")["services"]]
    assert runtime.service in names


@pytest.mark.parametrize("name, blocks", [("python_http_server", True), ("node", False)])
def test_a_connection_that_was_open_before_is_counted(start, name, blocks):
    """All of it, but for the one request that a thread already waited for inside the kernel, where only function exits
    tell of it (tests/kernel/README.md)."""
    runtime = RUNTIMES[name]
    port = start(runtime)
    connection = Connection(port)
    connection.send(request_bytes("GET", "/before"))
    assert connection.read_response()[0] == 200
    missed = 1 if blocks and "TCP function exits" in doctor() else 0
    sonde = Sonde(send_otlp=False)
    try:
        for n in range(40):
            connection.send(request_bytes("GET", f"/items/{n}"))
            assert connection.read_response()[0] == 200
        connection.close()

        expected = {200: 40 - missed}
        eventually(lambda: seen_on_metrics(sonde, runtime.service, port) == expected)
        assert seen_on_metrics(sonde, runtime.service, port) == expected
    finally:
        sonde.stop()


def test_routes_have_low_cardinality(sonde, start):
    runtime = RUNTIMES["python_http_server"]
    port = start(runtime)

    send_requests(port, [("GET", f"/items/{n}") for n in range(50)])

    def routes():
        return {labels["http_route"] for labels, _ in sonde.series(
            "http_server_request_duration_seconds_count", service_name=runtime.service, server_port=port)}

    assert eventually(lambda: routes() == {"/items/{id}"}), routes()


def test_no_kernel_event_was_lost(sonde):
    assert [value for _, value in
            select(sonde.own_metrics_text(), "sonde_probe_lost_events_total", {})] == [0]
