# SPDX-License-Identifier: Apache-2.0
"""OTLP through Sonde between foreign ends: grpcio with and without mTLS, and HTTP, protobuf and JSON, compressed or not."""
import gzip
import json
import urllib.error
import urllib.request
import zlib

import grpc
import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

import sonde
from certificates import make_certificates
from otlp_receiver import OtlpReceiver

CONFIG = """
receivers:
  otlp:
    opaque: {opaque}
    protocols:
      grpc: {{endpoint: 127.0.0.1:{grpc_port}{server_tls}}}
      http: {{endpoint: 127.0.0.1:{http_port}}}
exporters:
  otlp_grpc: {{endpoint: localhost:{sink_grpc}, compression: {grpc_compression}, tls: {client_tls}}}
  otlp_http: {{endpoint: http://127.0.0.1:{sink_http}, encoding: {encoding}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_grpc, otlp_http]}}
"""


class Relay(sonde.Running):
    """A Sonde that passes on what it is sent."""

    def __init__(self, directory, sink, client_tls="{insecure: true}", server_tls="", grpc_compression="gzip", encoding="proto",
                 opaque="false", arguments=()):
        self.grpc_port, self.http_port = sonde.free_port(), sonde.free_port()
        super().__init__(directory, CONFIG.format(
            grpc_port=self.grpc_port, http_port=self.http_port, sink_grpc=sink.tls_port or sink.grpc_port, sink_http=sink.http_port,
            client_tls=client_tls, server_tls=server_tls, grpc_compression=grpc_compression, encoding=encoding, opaque=opaque),
            *arguments)

    def post(self, body, headers):
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}/v1/traces", data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.read()


def spans(name):
    request = trace_service_pb2.ExportTraceServiceRequest()
    group = request.resource_spans.add()
    pair = group.resource.attributes.add(key="service.name")
    pair.value.string_value = "shop"
    for number in range(50):
        span = group.scope_spans.add().spans.add(name=name, trace_id=bytes(range(16)), span_id=number.to_bytes(8, "big"), kind=2)
        pair = span.attributes.add(key="number")
        pair.value.int_value = number
    return request


def as_json(request):
    """OTLP's JSON has ids in hexadecimal, where protobuf's own mapping has base64."""
    text = json_format.MessageToDict(request, use_integers_for_enums=True)
    for scope in text["resourceSpans"][0]["scopeSpans"]:
        for span in scope["spans"]:
            span["traceId"] = bytes(range(16)).hex()
            span["spanId"] = "00000000000000ff"
    return json.dumps(text).encode()


def arrived(sink, way, name):
    return sorted(own["number"] for _, span, own in sink.snapshot(way) if span.name == name)


@pytest.fixture
def sink():
    receiver = OtlpReceiver()
    yield receiver
    receiver.stop()


@pytest.mark.parametrize("sender", [grpc.Compression.NoCompression, grpc.Compression.Gzip, grpc.Compression.Deflate])
@pytest.mark.parametrize("exporter", ["none", "gzip"])
def test_grpc_peers_compress_as_they_like(tmp_path, sink, sender, exporter):
    with Relay(tmp_path, sink, grpc_compression=exporter) as relay:
        with grpc.insecure_channel(f"127.0.0.1:{relay.grpc_port}") as channel:
            trace_service_pb2_grpc.TraceServiceStub(channel).Export(spans("a"), timeout=20, compression=sender)
        assert sonde.eventually(lambda: arrived(sink, "grpc", "a") == arrived(sink, "http", "a") == list(range(50)))


@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize("exporter", ["none", "gzip"])
def test_what_nothing_looks_into_arrives_as_it_was_sent(tmp_path, sink, exporter, shards):
    with Relay(tmp_path, sink, grpc_compression=exporter, opaque="true", arguments=("--shards", str(shards))) as relay:
        with grpc.insecure_channel(f"127.0.0.1:{relay.grpc_port}") as channel:
            stub = trace_service_pb2_grpc.TraceServiceStub(channel)
            stub.Export(spans("plain"), timeout=20)
            stub.Export(spans("gzip"), timeout=20, compression=grpc.Compression.Gzip)
        proto = {"Content-Type": "application/x-protobuf"}
        relay.post(zlib.compress(spans("deflate").SerializeToString()), {**proto, "Content-Encoding": "deflate"})
        relay.post(as_json(spans("json")), {"Content-Type": "application/json"})
        for name in ("plain", "gzip", "deflate", "json"):
            assert sonde.eventually(lambda: arrived(sink, "grpc", name) == arrived(sink, "http", name) == list(range(50))), name


def test_opaque_is_refused_where_something_looks_inside(tmp_path, sink):
    with pytest.raises(AssertionError, match="opaque: a component that follows has to look inside"):
        Relay(tmp_path, sink, encoding="json", opaque="true").start()


def test_http_bodies_in_each_form(tmp_path, sink):
    with Relay(tmp_path, sink, encoding="json") as relay:
        proto = {"Content-Type": "application/x-protobuf"}
        relay.post(spans("plain").SerializeToString(), proto)
        relay.post(gzip.compress(spans("gzip").SerializeToString()), {**proto, "Content-Encoding": "gzip"})
        relay.post(zlib.compress(spans("deflate").SerializeToString()), {**proto, "Content-Encoding": "deflate"})
        answer = relay.post(as_json(spans("json")), {"Content-Type": "application/json"})
        assert json.loads(answer) == {}
        for name in ("plain", "gzip", "deflate", "json"):
            for way in ("grpc", "http"):
                assert sonde.eventually(lambda: arrived(sink, way, name) == list(range(50))), (name, way)
        assert {span.trace_id for _, span, _ in sink.snapshot("http")} == {bytes(range(16))}


def test_mutual_tls_with_grpcio_on_both_sides(tmp_path):
    make_certificates(tmp_path)
    read = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    credentials = grpc.ssl_server_credentials([(read["server.key"], read["server.crt"])], read["ca.crt"], True)
    sink = OtlpReceiver(credentials)
    files = f"cert_file: {tmp_path}/{{0}}.crt, key_file: {tmp_path}/{{0}}.key"
    client_tls = "{" + files.format("client") + f", ca_file: {tmp_path}/ca.crt" + "}"
    server_tls = ", tls: {" + files.format("server") + f", client_ca_file: {tmp_path}/ca.crt" + "}"
    with Relay(tmp_path, sink, client_tls, server_tls) as relay:
        address = f"localhost:{relay.grpc_port}"
        trusted = grpc.ssl_channel_credentials(read["ca.crt"], read["client.key"], read["client.crt"])
        with grpc.secure_channel(address, trusted) as channel:
            trace_service_pb2_grpc.TraceServiceStub(channel).Export(spans("mutual"), timeout=20, compression=grpc.Compression.Gzip)
        assert sonde.eventually(lambda: arrived(sink, "grpc", "mutual") == list(range(50))), relay.log()
        with grpc.secure_channel(address, grpc.ssl_channel_credentials(read["ca.crt"])) as channel:
            with pytest.raises(grpc.RpcError) as refused:
                trace_service_pb2_grpc.TraceServiceStub(channel).Export(spans("stranger"), timeout=5)
        assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    sink.stop()
