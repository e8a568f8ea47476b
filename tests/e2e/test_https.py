# SPDX-License-Identifier: Apache-2.0
"""OTLP over HTTP with TLS between foreign ends: Python's ssl and http on both sides of Sonde, and as a configuration's source."""
import http.client
import http.server
import ssl
import subprocess
import threading

import pytest

import sonde
from certificates import make_certificates
from otlp_receiver import OtlpReceiver
from test_encodings import arrived, spans

CONFIG = """
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:{port}
        tls: {{cert_file: {dir}/server.crt, key_file: {dir}/server.key, client_ca_file: {dir}/ca.crt}}
exporters:
  otlp_http:
    endpoint: https://localhost:{sink}
    tls: {{cert_file: {dir}/client.crt, key_file: {dir}/client.key, ca_file: {dir}/ca.crt}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_http]}}
"""
PROTOBUF = {"Content-Type": "application/x-protobuf"}


@pytest.fixture
def certificates(tmp_path):
    make_certificates(tmp_path)
    return tmp_path


def server_context(directory, mutual=True):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.crt", directory / "server.key")
    if mutual:
        context.load_verify_locations(directory / "ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(directory, mutual=True):
    context = ssl.create_default_context(cafile=directory / "ca.crt")
    if mutual:
        context.load_cert_chain(directory / "client.crt", directory / "client.key")
    return context


def connection(directory, port, mutual=True):
    made = http.client.HTTPSConnection("localhost", port, timeout=20, context=client_context(directory, mutual))
    made.connect()
    return made


def test_mutual_tls_over_http_on_both_sides(certificates):
    sink = OtlpReceiver(http_tls=server_context(certificates))
    port = sonde.free_port()
    with sonde.Running(certificates, CONFIG.format(dir=certificates, port=port, sink=sink.http_port)) as relay:
        kept = connection(certificates, port)
        for name in ("first", "second"):
            kept.request("POST", "/v1/traces", spans(name).SerializeToString(), PROTOBUF)
            assert kept.getresponse().read() == b""
            assert sonde.eventually(lambda: arrived(sink, "http", name) == list(range(50))), relay.log()
        # TLS 1.3 tells a client without a certificate only after its handshake.
        with pytest.raises((ssl.SSLError, ConnectionError)):
            stranger = connection(certificates, port, mutual=False)
            stranger.request("POST", "/v1/traces", spans("stranger").SerializeToString(), PROTOBUF)
            stranger.getresponse()
        assert arrived(sink, "http", "stranger") == []
        kept.close()
    sink.stop()


@pytest.mark.parametrize("encrypted", [True, False])
@pytest.mark.parametrize("asked, spoken", [(["--http2"], {True: "2", False: "1.1"}), (["--http1.1"], {True: "1.1", False: "1.1"}),
                                           (["--http2-prior-knowledge"], {True: "2", False: "2"})])
def test_one_port_speaks_both_versions_of_http(certificates, encrypted, asked, spoken):
    """curl speaks HTTP/2 by nghttp2, Sonde by code of its own."""
    sink = OtlpReceiver(http_tls=server_context(certificates))
    port = sonde.free_port()
    text = CONFIG.format(dir=certificates, port=port, sink=sink.http_port)
    if not encrypted:
        text = text.replace("tls: {cert_file: %s/server.crt" % certificates, "# ")
    body = certificates / "body"
    body.write_bytes(spans("curled").SerializeToString() * 100)
    url = f"{'https' if encrypted else 'http'}://localhost:{port}/v1/traces"
    with sonde.Running(certificates, text) as relay:
        def curl():
            tls = ["--cacert", "ca.crt", "--cert", "client.crt", "--key", "client.key"]
            # Three at once, over one connection where there are several to one. curl 7.88 takes no connection again that began
            # as HTTP/2 in the clear.
            parallel = ["--parallel", "--parallel-max", "3"] if encrypted else []
            count = 3 if encrypted else 1
            done = subprocess.run(["curl", "-sS", *parallel, *asked, *tls, "-H",
                                   "Content-Type: application/x-protobuf", "--data-binary", "@body", "-o", "/dev/null", "-w",
                                   "%{http_code} %{http_version};", *[part for _ in range(count) for part in (url, "-o", "/dev/null")][:-2]],
                                  cwd=certificates, capture_output=True, text=True, timeout=60)
            return done.stdout if done.returncode == 0 else None
        assert sonde.eventually(curl) == f"200 {spoken[encrypted]};" * (3 if encrypted else 1), relay.log()
        assert sonde.eventually(lambda: len(arrived(sink, "http", "curled")) >= 5_000), relay.log()
    sink.stop()


def test_a_configuration_may_come_over_https(certificates):
    text = b"receivers: {nop: }\nexporters: {nop: }\nservice: {pipelines: {traces: {receivers: [nop], exporters: [nop]}}}\n"

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = server_context(certificates, mutual=False).wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"https://localhost:{server.server_address[1]}/relay.yaml"

    def validate(**environment):
        return subprocess.run([sonde.binary(), "validate", "--config", url], env=environment, capture_output=True, text=True)

    assert validate(SSL_CERT_FILE=str(certificates / "ca.crt")).returncode == 0
    stranger = validate()
    assert stranger.returncode != 0
    assert "the certificate is refused" in stranger.stderr
    server.shutdown()
