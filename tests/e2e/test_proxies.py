# SPDX-License-Identifier: Apache-2.0
"""Exporters behind a proxy: a tunnel for https and gRPC, whole requests for http; by setting and by environment."""
import base64
import http.client
import select
import socket
import socketserver
import threading
import urllib.parse

import grpc
import pytest

import sonde
from certificates import make_certificates
from otlp_receiver import OtlpReceiver
from test_encodings import arrived, spans
from test_https import PROTOBUF, server_context

CONFIG = """
receivers:
  otlp: {{protocols: {{http: {{endpoint: 127.0.0.1:{port}}}}}}}
exporters:
  {exporter}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [{name}]}}
"""
CREDENTIALS = "Basic " + base64.b64encode(b"me:pass").decode()


class Proxy(socketserver.ThreadingTCPServer):
    """Opens tunnels and forwards requests to this host, whatever name they ask for, for those who know the password."""
    daemon_threads = True

    def __init__(self):
        self.asked = []
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://me:pass@127.0.0.1:{self.server_address[1]}"


class ProxyHandler(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline().decode().split()
        if not line:
            return
        method, target = line[:2]
        headers = {}
        while (field := self.rfile.readline().strip()):
            name, _, value = field.decode().partition(":")
            headers[name.lower()] = value.strip()
        if headers.get("proxy-authorization") != CREDENTIALS:
            self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        self.server.asked.append((method, target))
        url = urllib.parse.urlsplit(target if "//" in target else "//" + target)
        with socket.create_connection(("127.0.0.1", url.port)) as peer:
            if method == "CONNECT":
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
            else:
                body = self.rfile.read(int(headers["content-length"]))
                kept = {name: value for name, value in headers.items() if not name.startswith("proxy-")}
                kept["connection"] = "close"
                head = "".join(f"{name}: {value}\r\n" for name, value in kept.items())
                peer.sendall(f"{method} {url.path} HTTP/1.1\r\n{head}\r\n".encode() + body)
            self.relay(peer)

    def relay(self, peer):
        ways = {self.connection: peer, peer: self.connection}
        while True:
            for end in select.select(list(ways), [], [])[0]:
                data = end.recv(65536)
                if not data:
                    return
                ways[end].sendall(data)


@pytest.fixture
def proxy():
    made = Proxy()
    yield made
    made.shutdown()
    made.server_close()


def send_through(directory, exporter, name, sink, way, **environment):
    port = sonde.free_port()
    with sonde.Running(directory, CONFIG.format(port=port, exporter=exporter, name=name), env=environment) as relay:
        made = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        made.request("POST", "/v1/traces", spans("proxied").SerializeToString(), PROTOBUF)
        assert made.getresponse().status == 200, relay.log()
        made.close()
        assert sonde.eventually(lambda: arrived(sink, way, "proxied") == list(range(50))), relay.log()


def test_https_goes_through_a_tunnel(tmp_path, proxy):
    make_certificates(tmp_path)
    sink = OtlpReceiver(http_tls=server_context(tmp_path, mutual=False))
    # Nobody can look this name up: only the proxy knows where it is.
    exporter = (f"otlp_http: {{endpoint: 'https://collector.test:{sink.http_port}', proxy_url: '{proxy.url}', "
                f"tls: {{ca_file: {tmp_path}/ca.crt, server_name_override: localhost}}}}")
    send_through(tmp_path, exporter, "otlp_http", sink, "http")
    assert set(proxy.asked) == {("CONNECT", f"collector.test:{sink.http_port}")}
    sink.stop()


def test_http_is_handed_to_the_proxy_of_the_environment(tmp_path, proxy):
    sink = OtlpReceiver()
    exporter = f"otlp_http: {{endpoint: 'http://collector.test:{sink.http_port}'}}"
    send_through(tmp_path, exporter, "otlp_http", sink, "http", HTTP_PROXY=proxy.url, NO_PROXY="other.test")
    assert set(proxy.asked) == {("POST", f"http://collector.test:{sink.http_port}/v1/traces")}
    sink.stop()


@pytest.mark.parametrize("encrypted", [False, True])
def test_grpc_goes_through_a_tunnel_of_the_environment(tmp_path, proxy, encrypted):
    make_certificates(tmp_path)
    pair = ((tmp_path / "server.key").read_bytes(), (tmp_path / "server.crt").read_bytes())
    sink = OtlpReceiver(grpc.ssl_server_credentials([pair]))
    port = sink.tls_port if encrypted else sink.grpc_port
    tls = f"ca_file: {tmp_path}/ca.crt, server_name_override: localhost" if encrypted else "insecure: true"
    exporter = f"otlp_grpc: {{endpoint: 'dns:///collector.test:{port}', tls: {{{tls}}}}}"
    send_through(tmp_path, exporter, "otlp_grpc", sink, "grpc", https_proxy=proxy.url)
    assert set(proxy.asked) == {("CONNECT", f"collector.test:{port}")}
    sink.stop()


def test_loopback_is_reached_directly(tmp_path, proxy):
    sink = OtlpReceiver()
    exporter = f"otlp_grpc: {{endpoint: '127.0.0.1:{sink.grpc_port}', tls: {{insecure: true}}}}"
    send_through(tmp_path, exporter, "otlp_grpc", sink, "grpc", HTTPS_PROXY=proxy.url)
    assert proxy.asked == []
    sink.stop()
