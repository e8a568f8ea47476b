# SPDX-License-Identifier: Apache-2.0
"""Garbage, odd framing and hostile paths: never a crash, never a wrong count, never unbounded series."""
import os
import socket
import threading

import pytest

from client import Connection, request_bytes, send_requests
from runtimes import RUNTIMES, Runtime
from sonde import eventually, free_port
from test_counts import seen_on_metrics


@pytest.fixture
def server(start):
    runtime = RUNTIMES["node"]
    return runtime.service, start(runtime)


def expect(sonde, server, counts):
    service, port = server
    eventually(lambda: seen_on_metrics(sonde, service, port) == counts)
    assert seen_on_metrics(sonde, service, port) == counts
    assert sonde.process.poll() is None


def test_pipelined_requests_are_each_counted(sonde, server):
    connection = Connection(server[1])
    connection.send(request_bytes("GET", "/a") * 10)
    assert [connection.read_response()[0] for _ in range(10)] == [200] * 10
    connection.close()
    expect(sonde, server, {200: 10})


def test_a_request_split_into_single_bytes_is_one_request(sonde, server):
    connection = Connection(server[1])
    for byte in request_bytes("GET", "/split/in/bytes"):
        connection.send(bytes([byte]))
    assert connection.read_response()[0] == 200
    connection.close()
    expect(sonde, server, {200: 1})


def test_chunked_bodies_and_keep_alive_do_not_confuse_the_framing(sonde, server):
    connection = Connection(server[1])
    for _ in range(5):
        connection.send(b"POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                        b"1e\r\nGET /not/a/request HTTP/1.1\r\n\r\r\n0\r\n\r\n")
        assert connection.read_response()[0] == 200
    connection.close()
    expect(sonde, server, {200: 5})


def test_a_large_body_that_looks_like_requests_is_one_request(sonde, server):
    body = b"GET /inside HTTP/1.1\r\nHost: x\r\n\r\n" * 20000
    connection = Connection(server[1])
    connection.send(request_bytes("POST", "/upload", body))
    assert connection.read_response()[0] == 200
    connection.close()
    expect(sonde, server, {200: 1})


def test_expect_continue_is_one_request(sonde, server):
    connection = Connection(server[1])
    connection.send(b"POST /up HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
    assert b" 100 " in connection.read_line()
    connection.read_line()
    connection.send(b"body")
    assert connection.read_response()[0] == 200
    connection.close()
    expect(sonde, server, {200: 1})


def test_garbage_answered_with_400_is_no_request(sonde, server):
    for garbage in (b"\x16\x03\x01\x02\x00\x01\x00", b"GE\x00T / HTTP/1.1\r\n\r\n", b"\r\n\r\nhello\r\n\r\n"):
        connection = Connection(server[1])
        connection.send(garbage + os.urandom(64) + b"\r\n\r\n")
        try:
            connection.read_response()
        except (ConnectionError, OSError, IndexError, ValueError):
            pass
        connection.close()
    send_requests(server[1], [("GET", "/fine")])
    expect(sonde, server, {200: 1})


def test_a_huge_header_that_is_refused_is_counted_as_refused(sonde, server):
    connection = Connection(server[1])
    try:
        connection.send(request_bytes("GET", "/big", headers=(("X-Big", "x" * 200_000),)))
        status = connection.read_response()[0]
    except (ConnectionError, OSError):
        pytest.skip("this server resets instead of answering")
    assert status == 431
    expect(sonde, server, {431: 1})


def test_traffic_that_is_not_http_is_not_counted(sonde):
    listener = socket.create_server(("127.0.0.1", free_port()))
    port = listener.getsockname()[1]

    def echo():
        peer, _ = listener.accept()
        while data := peer.recv(4096):
            peer.sendall(data)

    threading.Thread(target=echo, daemon=True).start()
    with socket.create_connection(("127.0.0.1", port)) as peer:
        for message in (b"GET the door\r\n", b"*1\r\n$4\r\nPING\r\n", os.urandom(4000)) * 20:
            peer.sendall(message)
            peer.recv(4096)
    listener.close()

    assert not sonde.series("http_server_request_duration_seconds_count", server_port=port)


def test_hostile_paths_do_not_grow_series_beyond_the_cap(sonde, server):
    service, port = server
    paths = [("GET", "/" + "/".join(f"{n:x}z{m}q" for m in range(3))) for n in range(3000)]

    send_requests(port, paths)

    eventually(lambda: sum(seen_on_metrics(sonde, service, port).values()) == len(paths))
    series = sonde.series("http_server_request_duration_seconds_count", service_name=service, server_port=port)
    assert sum(value for _, value in series) == len(paths)
    assert len(series) <= 500


def test_a_websocket_is_one_upgrade_and_no_more(sonde, start):
    runtime = Runtime("upgrading", ["node", "{servers}/upgrading.js", "{port}"])
    port = start(runtime)
    connection = Connection(port)
    connection.send(request_bytes("GET", "/socket", headers=(("Connection", "Upgrade"), ("Upgrade", "websocket"))))
    assert connection.read_response()[0] == 101
    for _ in range(20):
        connection.send(b"GET /inside HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.read_exactly(2) == b"ok"
    connection.close()
    expect(sonde, (runtime.service, port), {101: 1})
