# SPDX-License-Identifier: Apache-2.0
"""Profiles from a sender to two back ends: over gRPC and HTTP, as protobuf and JSON, each request as it came.

The messages are written here by hand, field by field, since the Python package of OTLP's messages has an older form of
profiles.proto (before opentelemetry-proto 1.9).
"""
import concurrent.futures
import gzip
import http.server
import json
import subprocess
import threading
import urllib.error
import urllib.request

import grpc
import pytest

from sonde import Running, binary, eventually, free_port, select

SERVICE = "opentelemetry.proto.collector.profiles.v1development.ProfilesService"
PATH = "/v1development/profiles"
GATE = "--feature-gates=service.profilesSupport"


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def request(name, samples):
    """Of a service of that name, with so many samples whose stack is one function, `name` again."""
    profile = field(7, name.ljust(16).encode()) + b"".join(field(2, field(1, 1) + field(4, varint(n))) for n in range(samples))
    resource = field(1, field(1, "service.name") + field(2, field(1, name)))
    dictionary = (field(5, "") + field(5, name) + field(3, b"") + field(3, field(1, 1)) + field(2, b"") +
                  field(2, field(3, field(1, 1))) + field(7, b"") + field(7, field(1, varint(1))))
    return field(1, field(1, resource) + field(2, field(2, profile))) + field(2, dictionary)


def as_json(name, samples):
    return {
        "resourceProfiles": [{
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": name}}]},
            "scopeProfiles": [{"profiles": [{"samples": [{"stackIndex": 1, "values": [str(n)]} for n in range(samples)],
                                             "profileId": name.ljust(16).encode().hex()}]}]}],
        "dictionary": {
            "locationTable": [{}, {"lines": [{"functionIndex": 1}]}], "functionTable": [{}, {"nameStrindex": 1}],
            "stringTable": ["", name], "stackTable": [{}, {"locationIndices": [1]}]}}


class GrpcBackEnd:
    def __init__(self):
        self.bodies = []
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), options=[("grpc.so_reuseport", 0)])
        handler = grpc.unary_unary_rpc_method_handler(lambda body, _: self.bodies.append(body) or b"")
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Export": handler}),))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def stop(self):
        self.server.stop(0).wait()


class HttpBackEnd(http.server.ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), HttpHandler)
        self.requests = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class HttpHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, json.loads(gzip.decompress(body))))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


class Relay(Running):
    def __init__(self, directory, grpc_back_end, http_back_end):
        self.grpc_port, self.http_port, self.own_port = free_port(), free_port(), free_port()
        self.file = directory / "profiles.json"
        super().__init__(directory, f"""
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "127.0.0.1:{self.grpc_port}"}}
      http: {{endpoint: "127.0.0.1:{self.http_port}"}}
exporters:
  otlp_grpc:
    endpoint: "127.0.0.1:{grpc_back_end.port}"
    tls: {{insecure: true}}
    sending_queue: {{batch: {{flush_timeout: 50ms, min_size: 100000}}}}
  otlp_http: {{endpoint: "http://127.0.0.1:{http_back_end.server_port}", encoding: json}}
  file: {{path: {self.file}}}
service:
  telemetry: {{metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {self.own_port}}}}}}}}}]}}}}
  pipelines:
    profiles: {{receivers: [otlp], exporters: [otlp_grpc, otlp_http, file]}}
""", GATE)

    def post(self, body, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        to = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{PATH}", body, headers)
        return urllib.request.urlopen(to, timeout=30).read()

    def own(self, name, **labels):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.own_port}/metrics", timeout=30) as answer:
            return sum(value for _, value in select(answer.read().decode(), name, labels))


@pytest.fixture
def back_ends():
    ends = GrpcBackEnd(), HttpBackEnd()
    yield ends
    ends[0].stop()
    ends[1].shutdown()


def test_every_way_in_reaches_every_way_out_as_it_came(tmp_path, back_ends):
    by_grpc, by_http = back_ends
    with Relay(tmp_path, by_grpc, by_http) as sonde:
        with grpc.insecure_channel(f"127.0.0.1:{sonde.grpc_port}") as channel:
            assert channel.unary_unary(f"/{SERVICE}/Export")(request("one", 3), timeout=30, wait_for_ready=True) == b""
        assert sonde.post(request("two", 4), Content_Type="application/x-protobuf") == b""
        assert sonde.post(gzip.compress(request("three", 5)), Content_Type="application/x-protobuf", Content_Encoding="gzip") == b""
        sonde.post(json.dumps(as_json("four", 6)).encode(), Content_Type="application/json")
        with pytest.raises(urllib.error.HTTPError) as refused:
            sonde.post(request("five", 7)[:-1], Content_Type="application/x-protobuf")
        assert refused.value.code == 400

        names = [("one", 3), ("two", 4), ("three", 5), ("four", 6)]
        assert eventually(lambda: len(by_grpc.bodies) == 4 and len(by_http.requests) == 4)
        # Though the queue batches, each has a dictionary of its own and comes alone.
        assert sorted(by_grpc.bodies[:3]) == sorted(request(*of) for of in names[:3])
        assert {path for path, _ in by_http.requests} == {PATH}
        got = sorted((body for _, body in by_http.requests), key=json.dumps)
        assert got == sorted((as_json(*of) for of in names), key=json.dumps)
        assert sorted((json.loads(line) for line in sonde.file.read_text().splitlines()), key=json.dumps) == got
        assert sonde.own("otelcol_receiver_accepted_profile_samples") == 3 + 4 + 5 + 6
        for exporter in ("otlp_grpc", "otlp_http"):
            assert eventually(lambda: sonde.own("otelcol_exporter_sent_profile_samples", exporter=exporter) == 18)


def test_profiles_need_their_feature_gate(tmp_path):
    config = tmp_path / "gate.yaml"
    config.write_text("""
receivers: {nop: }
exporters: {nop: }
service: {pipelines: {profiles: {receivers: [nop], exporters: [nop]}}}
""")
    command = [binary(), "validate", "--config", str(config)]
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode == 2 and "need the feature gate service.profilesSupport" in refused.stderr
    assert subprocess.run([*command, GATE]).returncode == 0
