# SPDX-License-Identifier: Apache-2.0
"""Senders that mean harm, or are only many: the others are served as before, and memory stays bounded."""
import concurrent.futures
import http.client
import pathlib
import resource
import selectors
import socket
import time
import urllib.request

import grpc
import pytest

import sonde
from otlp_pair import METHOD, Sender, request_bytes
from test_https import PROTOBUF

CONFIG = """
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: 127.0.0.1:{grpc}}}
      http: {{endpoint: 127.0.0.1:{http}{timeouts}}}
exporters: {{nop: }}
service:
  telemetry: {{metrics: {{address: 127.0.0.1:{own}}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [nop]}}
"""
# The preface and empty settings (RFC 9113 section 3.4): a client of HTTP/2 that has nothing to say yet.
HTTP2_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


class Target(sonde.Running):
    def __init__(self, directory, timeouts=""):
        self.grpc_port, self.http_port, self.own_port = (sonde.free_port() for _ in range(3))
        super().__init__(directory, CONFIG.format(grpc=self.grpc_port, http=self.http_port, own=self.own_port, timeouts=timeouts))

    def post(self, body=None):
        made = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=20)
        made.request("POST", "/v1/traces", body or request_bytes(1), PROTOBUF)
        status = made.getresponse().status
        made.close()
        return status

    def total(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.own_port}/metrics", timeout=20) as response:
            return sum(value for _, value in sonde.select(response.read().decode(), name, {}))

    def rss(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024


@pytest.fixture
def target(tmp_path):
    with Target(tmp_path) as made:
        yield made


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def drip(connections, seconds):
    """A byte now and then to all of them. How many the other end has given up."""
    given_up = 0
    until = time.monotonic() + seconds
    with selectors.DefaultSelector() as waiting:
        for each in connections:
            each.setblocking(False)
            waiting.register(each, selectors.EVENT_READ)
        while time.monotonic() < until and waiting.get_map():
            for key in list(waiting.get_map().values()):
                try:
                    key.fileobj.send(b"x")
                except OSError:
                    pass
            pause = time.monotonic() + 0.1
            while (left := pause - time.monotonic()) > 0 and waiting.get_map():
                for key, _ in waiting.select(left):
                    given_up += 1
                    waiting.unregister(key.fileobj)
    return given_up


@pytest.mark.parametrize("start", [b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nX-Slow: ",
                                   b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\n"
                                   b"Content-Length: 1000000\r\n\r\n"], ids=["header", "body"])
def test_slow_senders_starve_nobody(tmp_path, start):
    timeouts = ", read_header_timeout: 2s, read_timeout: 2s"
    with Target(tmp_path, timeouts) as target, concurrent.futures.ThreadPoolExecutor(1) as background:
        slow = [connect(target.http_port) for _ in range(1000)]
        for each in slow:
            each.sendall(start)
        sender = Sender(target.grpc_port)
        sender.run(threads=2)
        durations = []
        # They are given up after two seconds; until then, and after, everybody else is served.
        dripping = background.submit(drip, slow, 10)
        while not dripping.done():
            began = time.monotonic()
            assert target.post() == 200
            durations.append(time.monotonic() - began)
        sender.close()
        durations.sort()
        middle = durations[len(durations) // 2]
        print(f"beside 1000 slow senders: {len(durations)} requests, median {middle * 1000:.1f} ms, "
              f"worst {durations[-1] * 1000:.1f} ms; {dripping.result()} slow ones were given up")
        for each in slow:
            each.close()
        assert dripping.result() == 1000
        assert not sender.refused
        assert len(sender.acknowledged) > 100
        assert middle < 0.5 * sonde.PATIENCE


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_ten_thousand_connections_cost_little_and_the_next_is_refused(target, protocol):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 10_500:
        pytest.skip(f"only {hard} descriptors are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    port = getattr(target, f"{protocol}_port")
    served = 9_990  # a few are left for the test itself
    before = target.rss()
    many = []
    try:
        for _ in range(served):
            made = connect(port)
            if protocol == "grpc":
                made.sendall(HTTP2_GREETING)
            many.append(made)
            # The kernel holds only so many that are not accepted yet.
            if len(many) % 1000 == 0:
                assert target.post() == 200
        held = target.rss()
        each = (held - before) / served
        print(f"{served} idle connections of {protocol}: {each:.0f} bytes each, {held >> 20} MiB in all")
        assert each < 16 * 1024
        if protocol == "grpc":
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                channel.unary_unary(METHOD)(request_bytes(7), timeout=20)
        else:
            assert target.post() == 200
        # And beyond the limit nobody gets any, and it is counted.
        for _ in range(30):
            many.append(connect(port))
        assert sonde.eventually(lambda: target.total(f"sonde_{protocol}_refused_connections_total") >= 15)
        if protocol == "http":
            many[-1].settimeout(20)
            assert many[-1].recv(100).startswith(b"HTTP/1.1 503 ")
    finally:
        for made in many:
            made.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert sonde.eventually(lambda: target.post() == 200)


def test_a_header_of_a_megabyte_is_refused_over_both_protocols(target):
    before = target.rss()
    with connect(target.http_port) as raw:
        raw.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nX-Long: ")
        try:
            raw.sendall(b"x" * (1 << 20))
        except OSError:
            pass  # it was told before it had finished
        assert raw.recv(100).startswith(b"HTTP/1.1 431 ")
    with grpc.insecure_channel(f"127.0.0.1:{target.grpc_port}", options=[("grpc.max_metadata_size", 8 << 20)]) as channel:
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary(METHOD)(request_bytes(1), timeout=20, metadata=[("x-long", "x" * (1 << 20))])
    assert refused.value.code() in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE,
                                    grpc.StatusCode.INTERNAL), refused.value
    print(f"a header of 1 MiB over gRPC: {refused.value.code().name}, {refused.value.details()}")
    assert target.rss() - before < 16 << 20
    assert target.post() == 200
