# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 with Node's own implementation (nghttp2), as a sender and as a back end: it ends a session at any frame too many."""
import shutil
import subprocess
import urllib.request

import pytest

import sonde
from setups import SERVERS
from test_encodings import spans

CONFIG = """
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}
exporters:
  otlp_grpc: {{endpoint: "127.0.0.1:{sink}", tls: {{insecure: true}}, sending_queue: {{enabled: false}}, retry_on_failure: {{enabled: false}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_grpc]}}
"""
CALLS = 20

pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="no node here")


@pytest.fixture
def relay(tmp_path):
    ports = {"port": sonde.free_port(), "sink": sonde.free_port()}
    with sonde.Running(tmp_path, CONFIG.format(**ports)):
        yield ports


def test_node_sends_over_one_connection(relay):
    sent = subprocess.run(["node", SERVERS / "http2_peer.js", "send", f"http://127.0.0.1:{relay['port']}", str(CALLS)],
                          capture_output=True, text=True, timeout=60 * sonde.PATIENCE)
    assert sent.stdout.split() == ["200"] * CALLS, sent.stdout + sent.stderr


def test_node_takes_calls_over_one_connection(relay, tmp_path):
    log = tmp_path / "node"
    with open(log, "wb") as out:
        server = subprocess.Popen(["node", SERVERS / "http2_peer.js", "serve", str(relay["sink"])], stdout=out, stderr=out)
    try:
        assert sonde.eventually(lambda: "listening" in log.read_text())
        for _ in range(CALLS):
            request = urllib.request.Request(f"http://127.0.0.1:{relay['port']}/v1/traces", spans("node").SerializeToString(),
                                             {"content-type": "application/x-protobuf"})
            assert urllib.request.urlopen(request, timeout=30).status == 200
        assert log.read_text().split("\n")[1:-1] == [f"call {number}" for number in range(1, CALLS + 1)]
    finally:
        server.kill()
        server.wait()
