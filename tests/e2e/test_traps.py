# SPDX-License-Identifier: Apache-2.0
"""The known ways to miscount: odd system calls, peeking, aborted clients, TLS, interim responses in one turn."""
import socket
import ssl
import subprocess
import threading

import pytest

from client import Connection, request_bytes, send_requests
from runtimes import PYTHON, RUNTIMES, Runtime
from sonde import PATIENCE, Sonde, eventually, free_port
from test_counts import REQUESTS, seen_by_the_client, seen_on_metrics, sent_by_status

WAYS = ["peek", "scatter", "readv", "waitall", "dup", "bytes", "segments", "head_and_body"]


def raw(way):
    return Runtime("counted_raw", [PYTHON, "{servers}/counted_raw.py", "{port}", way])


@pytest.mark.parametrize("connection", ["keep_alive", "fresh"])
@pytest.mark.parametrize("way", WAYS)
def test_the_system_call_does_not_matter(sonde, start, way, connection):
    port = start(raw(way))

    sent = sent_by_status(send_requests(port, REQUESTS, keep_alive=connection == "keep_alive"))

    eventually(lambda: seen_on_metrics(sonde, "counted_raw", port) == sent)
    under_any_name = sonde.series("http_server_request_duration_seconds_count", server_port=port)
    assert seen_on_metrics(sonde, "counted_raw", port) == sent, under_any_name
    eventually(lambda: seen_by_the_client(sonde, port) == sent)
    assert seen_by_the_client(sonde, port) == sent


def test_a_body_that_the_server_discards_unread_is_no_request(sonde, start):
    port = start(raw("discard"))
    connection = Connection(port)
    body = request_bytes("GET", "/inside") * 200
    for _ in range(20):
        connection.send(request_bytes("POST", "/upload", body)[:-len(body)])
        connection.send(body)
        assert connection.read_response()[0] == 200
    connection.close()

    eventually(lambda: seen_on_metrics(sonde, "counted_raw", port) == {200: 20})
    assert seen_on_metrics(sonde, "counted_raw", port) == {200: 20}


def test_a_client_that_sends_from_many_segments_is_counted_once(sonde, start):
    runtime = RUNTIMES["node"]
    port = start(runtime)
    request = request_bytes("GET", "/items/1", headers=(("X-Filler", "x" * 40),))
    connection = Connection(port)
    for _ in range(20):
        assert connection.socket.sendmsg([request[n:n + 3] for n in range(0, len(request), 3)]) == len(request)
        assert connection.read_response()[0] == 200
    connection.close()

    eventually(lambda: seen_on_metrics(sonde, runtime.service, port) == {200: 20})
    assert seen_on_metrics(sonde, runtime.service, port) == {200: 20}
    eventually(lambda: seen_by_the_client(sonde, port) == {200: 20})
    assert seen_by_the_client(sonde, port) == {200: 20}


def test_expect_in_one_turn_is_one_request(sonde, start):
    """Go's handler ignores the body: its final response follows without an interim one."""
    runtime = RUNTIMES["go"]
    port = start(runtime)
    for _ in range(5):
        connection = Connection(port)
        connection.send(b"POST /up HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert connection.read_response()[0] == 200
        connection.close()

    eventually(lambda: seen_on_metrics(sonde, runtime.service, port) == {200: 5})
    assert seen_on_metrics(sonde, runtime.service, port) == {200: 5}


def test_a_client_that_gives_up_is_counted_without_a_status_at_both_ends(sonde):
    """The server takes the request and closes without an answer, as one does whose worker died."""
    listener = socket.create_server(("127.0.0.1", free_port()))
    port = listener.getsockname()[1]
    for _ in range(5):
        connection = Connection(port)
        connection.send(request_bytes("GET", "/lost"))
        peer, _ = listener.accept()
        assert peer.recv(4096)
        peer.close()
        connection.close()
    listener.close()

    def errors(side):
        return [(labels.get("error_type"), labels.get("http_response_status_code"), value) for labels, value in
                sonde.series(f"http_{side}_request_duration_seconds_count", server_port=port)]

    for side in ("server", "client"):
        eventually(lambda side=side: [value for _, _, value in errors(side)] == [5])
        assert errors(side) == [("connection_closed", None, 5)]


def test_tls_is_not_counted_as_http(sonde, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "1", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", free_port()))
    port = listener.getsockname()[1]

    def answer():
        with context.wrap_socket(listener.accept()[0], server_side=True) as peer:
            while peer.recv(4096):
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    threading.Thread(target=answer, daemon=True).start()
    trusting = ssl.create_default_context(cafile=certificate)
    with trusting.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost") as peer:
        for _ in range(40):
            peer.sendall(request_bytes("GET", "/secret"))
            assert peer.recv(4096).endswith(b"ok")
    listener.close()
    # What came after it is counted, so what came before it has been drained.
    with socket.create_server(("127.0.0.1", free_port())) as other:
        plain = Connection(other.getsockname()[1])
        plain.send(request_bytes("GET", "/plain"))
        accepted = other.accept()[0]
        accepted.recv(4096)
        accepted.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        plain.read_response()
        plain.close()
        accepted.close()
        assert eventually(lambda: seen_by_the_client(sonde, other.getsockname()[1]) == {204: 1})

    for side in ("server", "client"):
        assert not sonde.series(f"http_{side}_request_duration_seconds_count", server_port=port)


@pytest.mark.parametrize("front_end", ["auto", "system-calls"])
def test_an_answer_may_be_told_before_the_request_that_another_thread_sent(start, front_end):
    """A send is told when it has ended; by then a thread that waits for the answer may have read it."""
    port = start(RUNTIMES["nginx"])
    per_connection, connections = 900, 4  # nginx ends a connection after 1000.
    sonde = Sonde(send_otlp=False, front_end=front_end)

    def ask_with_two_threads():
        connection = Connection(port)
        turns = threading.Semaphore(1)

        def read():
            for _ in range(per_connection):
                assert connection.read_response()[0] == 200
                turns.release()

        reader = threading.Thread(target=read)
        reader.start()
        for n in range(per_connection):
            assert turns.acquire(timeout=30 * PATIENCE)
            connection.send(request_bytes("GET", f"/items/{n}"))
        reader.join()
        connection.close()

    try:
        askers = [threading.Thread(target=ask_with_two_threads) for _ in range(connections)]
        for thread in askers:
            thread.start()
        for thread in askers:
            thread.join()
        expected = {200: connections * per_connection}
        eventually(lambda: seen_by_the_client(sonde, port) == expected)
        assert seen_by_the_client(sonde, port) == expected
        assert seen_on_metrics(sonde, "nginx", port) == expected
    finally:
        sonde.stop()
