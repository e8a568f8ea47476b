# SPDX-License-Identifier: Apache-2.0
"""Counts and body sizes of servers whose bytes no system call describes: io_uring, sendfile, splice."""
import collections

import pytest

from client import Connection, request_bytes, send_requests
from payload_servers import BIG, SERVERS
from sonde import Sonde, eventually

REQUESTS = ([("GET", f"/items/{n}") for n in range(100)] + [("GET", "/missing")] * 15 + [("GET", "/big")] * 5 +
            [("GET", "/broken")] * 10)
SENT = {200: 105, 404: 15, 500: 10}
BYTES = 100 * 2 + 5 * BIG


def seen(sonde, metric, port):
    found = collections.Counter()
    for labels, value in sonde.series(metric, server_port=port):
        found[int(labels.get("http_response_status_code", 0))] += int(value)
    return found


def expect_exact(sonde, side, port):
    """Requests by status, and the bytes of the bodies that were answered with 200, as server or as client."""
    count = f"http_{side}_request_duration_seconds_count"
    eventually(lambda: seen(sonde, count, port) == SENT)
    assert seen(sonde, count, port) == SENT
    assert seen(sonde, f"http_{side}_response_body_size_bytes_sum", port)[200] == BYTES


@pytest.mark.parametrize("connection", ["keep_alive", "fresh"])
@pytest.mark.parametrize("name", SERVERS)
def test_counts_and_sizes_are_exact(sonde, start, name, connection):
    server = SERVERS[name]
    port = start(server)

    sent = collections.Counter()
    for (_, _, status), count in send_requests(port, REQUESTS, keep_alive=connection == "keep_alive").items():
        sent[status] += count

    assert sent == SENT
    expect_exact(sonde, "server", port)
    services = {labels["service_name"]
                for labels, _ in sonde.series("http_server_request_duration_seconds_count", server_port=port)}
    assert services == {server.service}


def test_a_proxy_that_splices_is_an_exact_client(sonde, start):
    server = SERVERS["haproxy_splice"]
    port = start(server)

    send_requests(port, REQUESTS)

    expect_exact(sonde, "server", server.behind)
    expect_exact(sonde, "client", server.behind)


@pytest.mark.parametrize("name", ["uring_plain", "uring_multishot"])
def test_a_receive_that_waits_since_before_the_start_is_seen(start, name):
    """The ring was given the receive before anybody watched rings; its message is read inside TCP."""
    port = start(SERVERS[name])
    connection = Connection(port)

    def ask(path):
        connection.send(request_bytes("GET", path))
        return connection.read_response()[0]

    assert ask("/before") == 200
    sonde = Sonde(send_otlp=False)
    try:
        assert [ask(path) for path in ["/items/1"] * 19 + ["/missing"]] == [200] * 19 + [404]
        count = "http_server_request_duration_seconds_count"
        eventually(lambda: seen(sonde, count, port) == {200: 19, 404: 1})
        assert seen(sonde, count, port) == {200: 19, 404: 1}
    finally:
        sonde.stop()
    connection.close()
