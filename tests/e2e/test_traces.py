# SPDX-License-Identifier: Apache-2.0
"""A client, the service it calls and the service behind that share one trace where threads make it certain."""
import subprocess
import sys

from runtimes import PYTHON, RUNTIMES, Runtime
from sonde import eventually

CALL = "import urllib.request, sys; print(urllib.request.urlopen(sys.argv[1]).read())"


def test_one_trace_id_across_client_a_and_b(sonde, otlp, start, tmp_path):
    behind = RUNTIMES["node"]
    behind_port = start(behind)
    front = Runtime("forwarder", [PYTHON, "{servers}/forwarder.py", "{port}", str(behind_port)])
    front_port = start(front)

    subprocess.run([sys.executable, "-c", CALL, f"http://127.0.0.1:{front_port}/buy/7"], check=True)

    def chain():
        spans = [(resource["service.name"], span, attributes) for resource, span, attributes in otlp.snapshot()
                 if attributes.get("server.port") in (front_port, behind_port)]
        return spans if len(spans) == 4 else None

    spans = eventually(chain)
    assert spans, [(r["service.name"], s.name) for r, s, _ in otlp.snapshot()][-20:]
    by_end = {(attributes["server.port"], span.kind): span for _, span, attributes in spans}
    client, a_server = by_end[front_port, 3], by_end[front_port, 2]
    a_client, b_server = by_end[behind_port, 3], by_end[behind_port, 2]
    assert {span.trace_id for _, span, _ in spans} == {client.trace_id}
    assert client.parent_span_id == b""
    assert a_server.parent_span_id == client.span_id
    assert a_client.parent_span_id == a_server.span_id
    assert b_server.parent_span_id == a_client.span_id
