# SPDX-License-Identifier: Apache-2.0
"""Who asks for a large page of the exporter prometheus and does not read it: so many, and memory stays bounded."""
import http.client
import json
import pathlib
import socket
import time

import sonde

CONFIG = """
receivers:
  otlp:
    protocols:
      http: {{endpoint: 127.0.0.1:{http}}}
exporters:
  prometheus: {{endpoint: 127.0.0.1:{page}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    metrics: {{receivers: [otlp], exporters: [prometheus]}}
"""
SERIES = 50_000
SCRAPERS = 40


def request(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30 * sonde.PATIENCE)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, len(answer.read())
    finally:
        connection.close()


def give_series(port):
    def point(i):
        return {"asInt": 1, "attributes": [{"key": "k", "value": {"stringValue": f"{i:0300}"}}]}

    for first in range(0, SERIES, 5000):
        metric = {"name": "g", "gauge": {"dataPoints": [point(i) for i in range(first, first + 5000)]}}
        body = json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]})
        assert request(port, "POST", "/v1/metrics", body)[0] == 200


def status_of_one_that_does_not_read_on(port, connections):
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(30 * sonde.PATIENCE)
    connection.connect(("127.0.0.1", port))
    connections.append(connection)
    connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    line = connection.recv(12)
    return int(line.split()[1])


def memory_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) << 10


def test_pages_that_nobody_reads_do_not_pile_up(tmp_path):
    port, page = sonde.free_port(), sonde.free_port()
    with sonde.Running(tmp_path, CONFIG.format(http=port, page=page)) as running:
        give_series(port)
        status, size = request(page, "GET", "/metrics")
        assert status == 200 and size > 14 << 20
        before = memory_of(running.process.pid)
        connections = []
        answers = [status_of_one_that_does_not_read_on(page, connections) for _ in range(SCRAPERS)]
        assert answers == [200] * 4 + [503] * (SCRAPERS - 4)
        assert memory_of(running.process.pid) - before < 6 * 2 * size
        for each in connections:
            each.close()
        until = time.monotonic() + 30 * sonde.PATIENCE
        while (answer := request(page, "GET", "/metrics")[0]) != 200 and time.monotonic() < until:
            pass
        assert answer == 200


def test_a_page_that_was_read_is_let_go_of(tmp_path):
    port, page = sonde.free_port(), sonde.free_port()
    with sonde.Running(tmp_path, CONFIG.format(http=port, page=page)):
        give_series(port)
        # Each keeps its connection for a later scrape, as Prometheus does.
        kept = [http.client.HTTPConnection("127.0.0.1", page, timeout=30 * sonde.PATIENCE) for _ in range(10)]
        for each in kept:
            each.request("GET", "/metrics")
            answer = each.getresponse()
            assert answer.status == 200
            answer.read()
        for each in kept:
            each.close()
