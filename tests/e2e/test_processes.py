# SPDX-License-Identifier: Apache-2.0
"""Who the processes are: short-lived ones, ones in namespaces of their own, and both ends of what they say."""
import contextlib
import hashlib
import os
import signal
import subprocess

import pytest

from client import Connection, request_bytes, send_requests
from otlp_receiver import OtlpReceiver
from runtimes import PYTHON, accepts
from sonde import Sonde, eventually, free_port, select
from test_counts import seen_on_metrics

SERVER = """
import http.server, socket, sys
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6 if ':' in sys.argv[2] else socket.AF_INET
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', '2')
        self.end_headers()
        self.wfile.write(b'ok')
    def log_message(self, *arguments):
        pass
Server((sys.argv[2], int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def serve(tmp_path):
    """Starts an HTTP server under a name of its own, behind the words of `prefix`; returns its port."""
    processes = []

    def start(name, prefix=(), address="127.0.0.1", ready=accepts):
        script = tmp_path / f"{name}.py"
        script.write_text(SERVER)
        port = free_port()
        processes.append(subprocess.Popen([*prefix, PYTHON, str(script), str(port), address], start_new_session=True))
        assert eventually(lambda: ready(port), 30)
        return port

    yield start
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def network_namespace():
    name = f"sonde{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode != 0:
        pytest.skip("network namespaces cannot be made here")
    subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
    yield name
    subprocess.run(["ip", "netns", "del", name], check=True)


def client_counts(sonde, port):
    counts = {}
    for labels, value in sonde.series("http_client_request_duration_seconds_count", server_port=port):
        counts[labels["service_name"]] = counts.get(labels["service_name"], 0) + int(value)
    return counts


def test_a_process_that_is_gone_keeps_its_name(sonde, serve):
    port = serve("short_visits")

    for _ in range(30):
        subprocess.run(["curl", "-sS", "-o", "/dev/null", f"http://127.0.0.1:{port}/"], check=True)

    eventually(lambda: client_counts(sonde, port) == {"curl": 30})
    assert client_counts(sonde, port) == {"curl": 30}
    callers = {edge["client"] for edge in sonde.api("/map")["edges"] if edge["server"] == "short_visits"}
    assert callers == {"curl"}


def test_a_process_in_another_pid_namespace_is_counted_and_named(sonde, serve):
    port = serve("boxed_pid", ["unshare", "-p", "-f", "--mount-proc"])

    send_requests(port, [("GET", "/x")] * 20)

    eventually(lambda: seen_on_metrics(sonde, "boxed_pid", port) == {200: 20})
    assert seen_on_metrics(sonde, "boxed_pid", port) == {200: 20}


def test_both_ends_in_another_network_namespace_are_joined(sonde, serve, network_namespace):
    inside = ["ip", "netns", "exec", network_namespace]
    get = [*inside, "curl", "-sS", "-o", "/dev/null", "--retry-connrefused", "--retry", "50", "--retry-delay", "1"]
    port = serve("boxed_net", inside,
                 ready=lambda port: subprocess.run([*get, f"http://127.0.0.1:{port}/"]).returncode == 0)

    for _ in range(9):
        subprocess.run([*get, f"http://127.0.0.1:{port}/"], check=True)

    eventually(lambda: seen_on_metrics(sonde, "boxed_net", port) == {200: 10})
    assert seen_on_metrics(sonde, "boxed_net", port) == {200: 10}
    eventually(lambda: client_counts(sonde, port) == {"curl": 10})
    assert client_counts(sonde, port) == {"curl": 10}
    callers = {edge["client"] for edge in sonde.api("/map")["edges"] if edge["server"] == "boxed_net"}
    assert callers == {"curl"}


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_dual_stack_server_is_joined_with_its_callers(sonde, otlp, serve, address):
    name = "dual_" + ("four" if "." in address else "six")
    port = serve(name, address="::")
    connection = Connection(port, host=address)
    for _ in range(5):
        connection.send(request_bytes("GET", "/both"))
        assert connection.read_response()[0] == 200

    def traces():
        sides = {}
        for _, span, attributes in otlp.snapshot():
            if attributes.get("server.port") == port:
                sides.setdefault(span.trace_id, set()).add(span.kind)
        return sides

    assert eventually(lambda: len(traces()) == 5 and all(kinds == {2, 3} for kinds in traces().values())), traces()


def excluded_connections(sonde):
    return sum(value for labels, value in select(sonde.own_metrics_text(), "sonde_probe_excluded_connections_total", {})
               if labels["reason"] == "own")


def test_what_is_said_to_sonde_itself_is_no_service(sonde, serve):
    port = serve("visited")
    before = excluded_connections(sonde)
    own = set(map(str, sonde.ports.values()))
    for own_port in own:
        for path in ("/metrics", "/api/v1/services"):
            subprocess.run(["curl", "-sS", "-o", "/dev/null", f"http://127.0.0.1:{own_port}{path}"], check=True)
    # What came after all of that has been counted, so that has been drained.
    subprocess.run(["curl", "-sS", "-o", "/dev/null", f"http://127.0.0.1:{port}/"], check=True)
    assert eventually(lambda: client_counts(sonde, port) == {"curl": 1})

    assert excluded_connections(sonde) >= before + 6
    ports = {labels.get("server_port") for side in ("server", "client")
             for labels, _ in sonde.series(f"http_{side}_request_duration_seconds_count")}
    assert str(port) in ports
    assert not ports & own
    text = str(sonde.api("/map"))
    assert not [p for p in own if f":{p}" in text], text


def test_a_collector_that_sonde_exports_to_is_no_callee_of_it(serve):
    """The far end of an export is watched, and its server spans would feed the export that they describe."""
    collector = OtlpReceiver()
    own = Sonde(collector.grpc_port, collector.http_port)
    port = serve("exported")
    subprocess.run(["curl", "-sS", "-o", "/dev/null", f"http://127.0.0.1:{port}/"], check=True)
    assert eventually(lambda: excluded_connections(own) > 0)
    assert eventually(lambda: client_counts(own, port) == {"curl": 1})
    assert not own.series("http_server_request_duration_seconds_count", server_port=collector.http_port)
    own.stop()
    collector.stop()


ENGINE = """
import json, os, socketserver, sys
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline().decode()
        while self.rfile.readline().strip():
            pass
        known = line.split()[1] == f"/containers/{sys.argv[2]}/json"
        body = json.dumps({"Id": sys.argv[2], "Name": "/shop-web-1",
                           "Config": {"Labels": {"com.docker.compose.service": "web_of_shop"}}} if known else {})
        status = "200 OK" if known else "404 Not Found"
        self.wfile.write(f"HTTP/1.0 {status}\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n{body}".encode())
socketserver.ThreadingUnixStreamServer(sys.argv[1], Handler).serve_forever()
"""


@pytest.fixture
def container_cgroup(tmp_path):
    """The path of a cgroup that looks like a Docker container's, and the container's id."""
    mount_point = tmp_path / "cgroup"
    mount_point.mkdir()
    if subprocess.run(["mount", "-t", "cgroup2", "none", str(mount_point)], capture_output=True).returncode != 0:
        pytest.skip("a cgroup2 hierarchy cannot be mounted here")
    container = hashlib.sha256(str(tmp_path).encode()).hexdigest()
    cgroup = mount_point / f"docker-{container}.scope"
    cgroup.mkdir()
    yield cgroup, container
    assert eventually(lambda: not (cgroup / "cgroup.procs").read_text())
    cgroup.rmdir()
    subprocess.run(["umount", "-l", str(mount_point)], check=True)


def test_a_container_is_called_what_its_engine_calls_it(container_cgroup, serve, tmp_path):
    cgroup, container = container_cgroup
    script, path = tmp_path / "fake_engine.py", tmp_path / "engine.sock"
    script.write_text(ENGINE)
    engine = subprocess.Popen([PYTHON, str(script), str(path), container])
    assert eventually(path.exists)
    own = Sonde(send_otlp=False, receiver=f"container_runtimes: [{path}]")
    port = serve("in_a_box", ["sh", "-c", f'echo $$ > {cgroup}/cgroup.procs && exec "$@"', "sh"])
    send_requests(port, [("GET", "/x")] * 20)

    eventually(lambda: seen_on_metrics(own, "web_of_shop", port) == {200: 20})
    assert seen_on_metrics(own, "web_of_shop", port) == {200: 20}
    facts = [labels for labels, _ in own.series("target_info") if labels.get("container_id") == container]
    assert {labels["container_name"] for labels in facts} == {"shop-web-1"}
    assert "fake_engine" not in [service["name"] for service in own.api("/services")["services"]]
    own.stop()
    engine.kill()
    engine.wait()
