# SPDX-License-Identifier: Apache-2.0
"""The front end of last resort, which this kernel would not choose: the end of every system call."""
import pytest

from client import Connection, request_bytes, send_requests
from payload_servers import SERVERS as PAYLOAD_SERVERS
from runtimes import RUNTIMES
from sonde import Sonde, eventually, select
from test_counts import REQUESTS, seen_by_the_client, seen_on_metrics, sent_by_status
from test_payload_paths import REQUESTS as PAYLOAD_REQUESTS, expect_exact

FRONT_END = "system-calls"


@pytest.fixture(scope="module")
def calls():
    sonde = Sonde(send_otlp=False, front_end=FRONT_END)
    yield sonde
    sonde.stop()


def test_it_is_the_one_that_runs(calls):
    assert calls.api("/status")["front_end"] == FRONT_END
    assert f"capturing with {FRONT_END}" in calls.log()


@pytest.mark.parametrize("connection", ["keep_alive", "fresh"])
@pytest.mark.parametrize("name", ["python_http_server", "node", "go", "nginx", "apache", "haproxy", "php", "erlang"])
def test_every_request_is_counted_once(calls, start, name, connection):
    runtime = RUNTIMES[name]
    port = start(runtime)

    sent = sent_by_status(send_requests(port, REQUESTS, keep_alive=connection == "keep_alive"))

    eventually(lambda: seen_on_metrics(calls, runtime.service, port) == sent)
    assert seen_on_metrics(calls, runtime.service, port) == sent
    eventually(lambda: seen_by_the_client(calls, port) == sent)
    assert seen_by_the_client(calls, port) == sent


@pytest.mark.parametrize("name", ["nginx_sendfile", "haproxy_splice"])
def test_what_sendfile_and_splice_move_is_counted(calls, start, name):
    server = PAYLOAD_SERVERS[name]
    port = start(server)

    send_requests(port, PAYLOAD_REQUESTS)

    expect_exact(calls, "server", port)
    if name == "haproxy_splice":
        expect_exact(calls, "client", server.behind)


def test_a_thread_that_waited_for_a_request_since_before_the_start_is_seen(start):
    runtime = RUNTIMES["python_http_server"]
    port = start(runtime)
    connection = Connection(port)
    connection.send(request_bytes("GET", "/before"))
    assert connection.read_response()[0] == 200
    sonde = Sonde(send_otlp=False, front_end=FRONT_END)
    try:
        for n in range(20):
            connection.send(request_bytes("GET", f"/items/{n}"))
            assert connection.read_response()[0] == 200
        connection.close()

        eventually(lambda: seen_on_metrics(sonde, runtime.service, port) == {200: 20})
        assert seen_on_metrics(sonde, runtime.service, port) == {200: 20}
    finally:
        sonde.stop()


def test_no_kernel_event_was_lost(calls):
    assert [value for _, value in select(calls.own_metrics_text(), "sonde_probe_lost_events_total", {})] == [0]
