# SPDX-License-Identifier: Apache-2.0
"""Starts the real binary on free ports and reads what it shows."""
import contextlib
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Every deadline is so many times as long: for emulated machines.
PATIENCE = float(os.environ.get("SONDE_E2E_PATIENCE", "1"))
# Watch with this front end instead of the best that the kernel has.
FRONT_END = os.environ.get("SONDE_E2E_FRONT_END", "auto")

CONFIG = """
receivers:
  ebpf:
    metrics_interval: 500ms
    front_end: {front_end}
connectors:
  span_metrics: {{metrics_flush_interval: 500ms}}
  service_graph: {{metrics_flush_interval: 500ms}}
exporters:
  prometheus:
    endpoint: 127.0.0.1:{metrics_port}
  rollup:
  otlp_grpc:
    endpoint: 127.0.0.1:{otlp_grpc_port}
    tls: {{insecure: true}}
    timeout: {send_timeout}s
  debug:
    verbosity: detailed
  otlp_http:
    endpoint: http://127.0.0.1:{otlp_http_port}
    timeout: {send_timeout}s
extensions:
  console:
    endpoint: 127.0.0.1:{page_port}
service:
  extensions: [console]
  telemetry:
    metrics:
      address: 127.0.0.1:{own_port}
  pipelines:
    traces:
      receivers: [ebpf]
      exporters: [span_metrics, service_graph, rollup, otlp_grpc, otlp_http{also}]
    metrics:
      receivers: [ebpf, span_metrics, service_graph]
      exporters: [prometheus, otlp_grpc, otlp_http]
"""


def binary():
    if "SONDE_BINARY" in os.environ:
        return os.environ["SONDE_BINARY"]
    for build in ("dev", "release"):
        for path in (ROOT / "build" / build / "sonde", ROOT / "build" / build / "src" / "app" / "sonde"):
            if path.exists():
                return str(path)
    raise FileNotFoundError("no sonde binary; run ./dev build")


def doctor():
    """What `sonde doctor` says of this machine."""
    return subprocess.run([binary(), "doctor"], capture_output=True, text=True, timeout=60 * PATIENCE).stdout


_given_ports = set()


def free_port():
    """A port below those that the kernel hands out to clients, and never the same twice: what was counted on it before
    would be counted again."""
    for port in random.sample(range(20000, 32000), 1000):
        if port in _given_ports:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given_ports.add(port)
        return port
    raise OSError("there is no free port")


def free_ports(count):
    """The first of so many free ports in a row, below those that the kernel hands out to clients."""
    for first in random.sample(range(20000, 32000 - count, count), 100):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
                _given_ports.update(range(first, first + count))
                return first
            except OSError:
                continue
    raise OSError(f"there are no {count} free ports in a row")


def eventually(check, seconds=20):
    """Returns the first true answer of check(); after the limit returns its last answer for the assertion."""
    deadline = time.monotonic() + seconds * PATIENCE
    while not (answer := check()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return answer


class Running:
    """A Sonde with the configuration `text`, as NAME.yaml and NAME.log in `directory`; `options` are those of Popen."""

    def __init__(self, directory, text, *arguments, name="sonde", command=None, **options):
        self.config = pathlib.Path(directory) / f"{name}.yaml"
        self.config.write_text(text)
        self.log_path = pathlib.Path(directory) / f"{name}.log"
        self.command = [*(command or [binary()]), "run", "--config", str(self.config), *arguments]
        self.options = options
        self.process = None
        self.starts = 0

    def start(self):
        """Returns when it takes data: an open port says less, since a component that starts later may not listen yet."""
        self.starts += 1
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, **self.options)
        assert eventually(self._ready, 30), self.log()
        return self

    def _ready(self):
        assert self.process.poll() is None, self.log()
        return self.log().count(" info ready\n") == self.starts

    def log(self):
        return self.log_path.read_text(errors="replace")

    def reload(self, text=None):
        if text is not None:
            self.config.write_text(text)
        self.process.send_signal(signal.SIGHUP)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(60 * PATIENCE) == 0, self.log()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Sonde(Running):
    """One that captures, and hands what it sees to a page, to Prometheus' format and to OTLP."""

    def __init__(self, otlp_grpc_port=1, otlp_http_port=1, send_otlp=True, command=None, also="", receiver="",
                 front_end=FRONT_END):
        """`also` adds exporters of traces (", debug"); `receiver` adds a line to the probe's settings."""
        self.ports = {name: free_port() for name in ("metrics_port", "page_port", "own_port")}
        self.directory = tempfile.TemporaryDirectory()
        text = CONFIG.format(otlp_grpc_port=otlp_grpc_port, otlp_http_port=otlp_http_port, also=also,
                             front_end=front_end, send_timeout=5 * PATIENCE, **self.ports)
        if not send_otlp:
            text = text.replace(", otlp_grpc, otlp_http", "")
        if receiver:
            text = text.replace("  ebpf:\n", f"  ebpf:\n    {receiver}\n", 1)
        os.chmod(self.directory.name, 0o755)  # For a Sonde that is not root.
        super().__init__(self.directory.name, text, command=command)
        self.start()

    def _ready(self):
        # The address of the page is printed when all runs, a moment after the log says so.
        return super()._ready() and self.log().count("token=") == self.starts

    def stop(self):
        super().stop()
        self.directory.cleanup()

    def _get(self, port, path, headers=()):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=dict(headers))
        with urllib.request.urlopen(request, timeout=10 * PATIENCE) as response:
            return response.read().decode()

    def metrics_text(self):
        return self._get(self.ports["metrics_port"], "/metrics")

    def own_metrics_text(self):
        return self._get(self.ports["own_port"], "/metrics")

    def token(self):
        return re.findall(r"token=([0-9A-Za-z_-]+)", self.log())[-1]

    def api(self, path):
        return json.loads(
            self._get(self.ports["page_port"], "/api/v1" + path, {"Authorization": f"Bearer {self.token()}"}))

    def series(self, name, **labels):
        """{label tuple as dict items: value} of the series of /metrics with that name and those labels."""
        return select(self.metrics_text(), name, labels)


LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def select(text, name, labels):
    found = []
    for line in text.splitlines():
        match = re.match(r"^(\w+)(?:\{(.*)\})? (\S+)", line)
        if match and match[1] == name:
            have = dict(LABEL.findall(match[2] or ""))
            if all(have.get(key) == str(value) for key, value in labels.items()):
                found.append((have, float(match[3])))
    return found
