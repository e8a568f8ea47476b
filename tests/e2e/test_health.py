# SPDX-License-Identifier: Apache-2.0
"""What a running Sonde says of its health: to probes, to gRPC clients, on its plain pages and in profiles of itself."""
import gzip
import http.server
import json
import re
import shutil
import subprocess
import threading
import urllib.error
import urllib.request

import grpc
import pytest

import sonde
from test_encodings import spans

CONFIG = """
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{otlp}"}}}}}}
exporters:
  otlp_http:
    endpoint: http://127.0.0.1:{sink}
    headers: {{authorization: "Bearer hidden-in-answers"}}
    retry_on_failure: {{initial_interval: 100ms, max_interval: 100ms}}
    sending_queue: {{batch: }}
extensions:
  health_check: {{endpoint: "127.0.0.1:{plain}"}}
  health_check/bodies: {{endpoint: "127.0.0.1:{bodies}", path: /up, response_body: {{healthy: fine, unhealthy: sorry}}}}
  healthcheckv2:
    use_v2: true
    component_health: {{include_recoverable_errors: true}}
    http: {{endpoint: "127.0.0.1:{status}", config: {{enabled: true}}}}
    grpc: {{endpoint: "127.0.0.1:{grpc}"}}
  zpages: {{endpoint: "127.0.0.1:{zpages}"}}
  pprof: {{endpoint: "127.0.0.1:{pprof}"}}
service:
  extensions: [health_check, health_check/bodies, healthcheckv2, zpages, pprof]
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces/a: {{receivers: [otlp], exporters: [otlp_http]}}
"""


class Sink:
    """An OTLP back end that answers with the status it was told to."""

    def __init__(self):
        self.status = 200
        self.answers = threading.Event()
        self.answers.set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                outer.answers.wait(60)
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Relay(sonde.Running):
    def __init__(self, directory):
        self.sink = Sink()
        self.ports = {name: sonde.free_port() for name in re.findall(r"127\.0\.0\.1:{(\w+)}", CONFIG) if name != "sink"}
        super().__init__(directory, CONFIG.format(sink=self.sink.port, **self.ports))

    def get(self, name, path):
        """(status, headers, text); (0, {}, "") where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name]}{path}", timeout=30) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers, answer.read().decode()
        except OSError:
            return 0, {}, ""

    def send(self, times=1):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports['otlp']}/v1/traces", spans("health").SerializeToString() * times,
            {"Content-Type": "application/x-protobuf"})
        urllib.request.urlopen(request, timeout=30).close()

    def __exit__(self, *rest):
        self.sink.answers.set()
        super().__exit__(*rest)
        self.sink.server.shutdown()


@pytest.fixture
def relay(tmp_path):
    with Relay(tmp_path) as running:
        yield running


def test_a_probe_is_answered_as_the_collector_answers(relay):
    status, headers, text = relay.get("plain", "/any/where")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert re.fullmatch(r'\{"status":"Server available","upSince":"\d{4}-\d\d-\d\dT[\d:.]+Z","uptime":"[\d.hmµs]+s"\}', text)
    assert relay.get("bodies", "/up")[::2] == (200, "fine")
    assert relay.get("bodies", "/up/more")[::2] == (404, "404 page not found\n")
    # What is not delivered is waited for; until then probes are told to go elsewhere.
    relay.sink.answers.clear()
    relay.send()
    relay.process.terminate()
    assert sonde.eventually(lambda: relay.get("bodies", "/up")[::2] == (503, "sorry")), relay.log()
    assert relay.get("plain", "/")[::2] == (
        503, '{"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":""}')
    relay.sink.answers.set()
    assert relay.process.wait(30) == 0, relay.log()


def test_a_back_end_that_is_away_is_seen_and_that_it_is_back(relay):
    def health(query=""):
        status, _, text = relay.get("status", "/status" + query)
        return status, json.loads(text or "{}")

    def grpc_health(service=b""):
        with grpc.insecure_channel(f"127.0.0.1:{relay.ports['grpc']}") as channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check")
            try:
                return check(b"\x0a" + bytes([len(service)]) + service, timeout=30)
            except grpc.RpcError as error:
                return error.code()

    status, whole = health("?verbose")
    assert (status, whole["healthy"], whole["status"]) == (200, True, "StatusOK")
    assert list(whole) == ["start_time", "healthy", "status", "status_time", "attributes", "components"]
    assert list(whole["components"]) == ["extensions", "pipeline:traces/a"]
    assert list(whole["components"]["pipeline:traces/a"]["components"]) == ["exporter:otlp_http", "receiver:otlp"]
    assert grpc_health() == grpc_health(b"traces/a") == b"\x08\x01"
    assert grpc_health(b"no/such") == grpc.StatusCode.NOT_FOUND
    assert health("?pipeline=no/such")[0] == 404

    relay.sink.status = 503
    relay.send()
    assert sonde.eventually(lambda: health()[0] == 500), health()
    whole = health()[1]
    assert (whole["healthy"], whole["status"]) == (False, "StatusRecoverableError")
    assert "503" in whole["error"] and "components" not in whole
    assert health("?pipeline=extensions")[0] == 200
    assert grpc_health(b"traces/a") == b"\x08\x02"
    assert grpc_health(b"extensions") == b"\x08\x01"
    assert relay.get("plain", "/")[0] == 200  # Which does not look at components.
    page = relay.get("zpages", "/debug/pipelinez")[2]
    assert "StatusRecoverableError" in page and "traces/a" in page

    relay.sink.status = 200
    assert sonde.eventually(lambda: health()[0] == 200), health()
    assert grpc_health() == b"\x08\x01"


def test_who_watches_is_told_each_change(relay):
    with grpc.insecure_channel(f"127.0.0.1:{relay.ports['grpc']}") as channel:
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch")
        pipeline, unknown = watch(b"\x0a\x08traces/a", timeout=60), watch(b"\x0a\x04none", timeout=60)
        assert next(pipeline) == b"\x08\x01"
        assert next(unknown) == b"\x08\x03"
        relay.sink.status = 503
        relay.send()
        assert next(pipeline) == b"\x08\x02"
        relay.sink.status = 200
        assert next(pipeline) == b"\x08\x01"
        relay.process.terminate()
        with pytest.raises(grpc.RpcError) as ended:
            assert all(answer == b"\x08\x02" for answer in pipeline)
        assert ended.value.code() == grpc.StatusCode.CANCELLED, ended.value
    assert relay.process.wait(30) == 0, relay.log()


def test_the_configuration_is_shown_without_its_secrets(relay):
    status, _, text = relay.get("status", "/config")
    assert status == 200
    assert json.loads(text)["exporters"]["otlp_http"]["headers"] == {"authorization": "[REDACTED]"}
    assert "hidden-in-answers" not in text


def test_a_new_configuration_does_not_interrupt_health(relay):
    def since():
        status, _, text = relay.get("plain", "/")
        assert status == 200, text
        return json.loads(text)["upSince"]

    def configuration():
        status, _, text = relay.get("status", "/config")
        return status == 200 and json.loads(text)

    begin = since()
    text = relay.config.read_text()
    relay.reload(text.replace("path: /up", "path: /ready").replace("traces/a", "traces/b"))
    assert sonde.eventually(lambda: relay.get("bodies", "/ready")[::2] == (200, "fine") and since()), relay.log()
    assert since() == begin
    assert sonde.eventually(lambda: list(configuration()["service"]["pipelines"]) == ["traces/b"])
    whole = json.loads(relay.get("status", "/status?verbose")[2])
    assert (whole["status"], list(whole["components"])) == ("StatusOK", ["extensions", "pipeline:traces/b"])
    relay.reload(text.replace("path: /up", "path: up"))  # Which is refused.
    assert sonde.eventually(lambda: "path must start with /" in relay.log())
    assert relay.get("bodies", "/ready")[0] == 200 and since() == begin
    assert list(configuration()["service"]["pipelines"]) == ["traces/b"]


def test_plain_pages_tell_what_runs(relay):
    for name, words in {"servicez": ["Version"], "extensionz": ["health_check/bodies", "StatusOK"],
                        "featurez": ["service.AllowNoPipelines"], "tracez": ["no spans"]}.items():
        status, headers, text = relay.get("zpages", f"/debug/{name}")
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        for word in words:
            assert word in text
    assert relay.get("zpages", "/debug/expvarz")[0] == 404


def named(address):
    with urllib.request.urlopen(address + "profile?seconds=1", timeout=60) as answer:
        profile = answer.read()
    return b"sonde::" in gzip.decompress(profile) and profile


def test_a_profile_of_sonde_itself_is_one_that_pprof_reads(relay, tmp_path):
    address = f"http://127.0.0.1:{relay.ports['pprof']}/debug/pprof/"
    busy = threading.Event()

    def work():
        while not busy.is_set():
            relay.send(200)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        assert relay.get("pprof", "/debug/pprof/profile?seconds=nine")[0] == 400
        # On a busy machine a second may hold no CPU time of Sonde.
        profile = sonde.eventually(lambda: named(address), 60)
    finally:
        busy.set()
        worker.join()
    assert profile
    (tmp_path / "profile").write_bytes(profile)
    if shutil.which("go"):
        top = subprocess.run(["go", "tool", "pprof", "-top", tmp_path / "profile"], capture_output=True, text=True)
        assert top.returncode == 0, top.stderr
        assert "Type: cpu" in top.stdout and "sonde::" in top.stdout
    assert "run" in relay.get("pprof", "/debug/pprof/cmdline")[2].split("\0")
    assert relay.get("pprof", "/debug/pprof/goroutine")[0] == 501
    assert "in_use: " in relay.get("pprof", "/debug/pprof/heap?debug=1")[2]
