# SPDX-License-Identifier: Apache-2.0
"""The configuration is read again while data flows: nothing is lost, refused or sent twice, and a bad one changes nothing."""
import concurrent.futures
import http.client
import json
import socket
import ssl
import threading
import urllib.error
import urllib.request

import grpc
import jsonschema
import pytest

from certificates import make_certificates
from client import send_requests
from otlp_pair import METHOD, BackEnd, Relay, Sender, request_bytes
from runtimes import RUNTIMES
from sonde import PATIENCE, ROOT, Sonde, eventually, free_port, select

SCHEMA = json.loads((ROOT / "src/components/extension/console/api.schema.json").read_text())
CONFIG = """
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "127.0.0.1:{grpc}", max_recv_msg_size_mib: {receiver}{tls}}}
      http: {{endpoint: "127.0.0.1:{http}"{tls}}}
processors:
  attributes: {{actions: [{{key: round, value: "{processor}", action: upsert}}]}}
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:{back_end}
    tls: {{insecure: true}}
    timeout: {exporter}s
    sending_queue: {{queue_size: 1000000}}
extensions:
  console: {{endpoint: "127.0.0.1:{page}", token: secret}}
service:
  extensions: [console]
  telemetry: {{metrics: {{address: "127.0.0.1:{own}"}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: [attributes], exporters: [otlp_grpc]}}
"""


class HttpSender:
    """Posts numbers over one connection that is kept, or over one each. Whatever is not answered with 200 is an error."""

    def __init__(self, port, first, keep, tls=None):
        self.port, self.number, self.keep, self.tls = port, first, keep, tls
        self.acknowledged, self.errors = set(), []
        self.connections = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def connect(self):
        patience = 20 * PATIENCE
        if self.tls is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=patience, context=self.tls)

    def run(self):
        connection = None
        while not self.ended.is_set() and len(self.errors) < 10:
            if connection is None:
                connection = self.connect()
                self.connections += 1
            try:
                connection.request("POST", "/v1/traces", request_bytes(self.number), {"Content-Type": "application/x-protobuf"})
                answer = connection.getresponse()
                answer.read()
            except OSError as error:
                self.errors.append((self.number, repr(error)))
                connection = None
                continue
            if answer.status == 200:
                self.acknowledged.add(self.number)
            else:
                self.errors.append((self.number, answer.status))
            self.number += 1
            if not self.keep or answer.will_close:
                connection.close()
                connection = None
        if connection:
            connection.close()

    def stop(self):
        self.ended.set()
        self.thread.join()


class Reloading:
    """A Sonde before a back end, whose configuration is made of numbers that tests change."""

    def __init__(self, directory, *arguments, tls=""):
        self.back_end = BackEnd()
        self.numbers = {"receiver": 4, "processor": 0, "exporter": 5, "back_end": self.back_end.port, "tls": tls,
                        **{name: free_port() for name in ("grpc", "http", "page", "own")}}
        self.relay = Relay(directory, CONFIG.format(**self.numbers), self.numbers["own"], *arguments)
        self.relay.start()

    def write(self, **numbers):
        self.numbers.update(numbers)
        self.relay.config.write_text(CONFIG.format(**self.numbers))

    def count(self, result):
        return self.relay.total("sonde_reloads_total", result=result)

    def hang_up(self):
        self.relay.reload()

    def post(self, headers=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.numbers['page']}/api/v1/reload", method="POST",
                                         headers={"Authorization": "Bearer secret"} if headers is None else headers)
        with urllib.request.urlopen(request, timeout=30 * PATIENCE) as answer:
            return json.loads(answer.read())

    def stop(self):
        self.relay.stop()
        self.back_end.stop()


@pytest.fixture
def reloading(tmp_path):
    made = []

    def make(*arguments, **settings):
        made.append(Reloading(tmp_path, *arguments, **settings))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.mark.parametrize("shards", [1, 2])
def test_fifty_reloads_under_load_lose_and_refuse_nothing(reloading, shards):
    sonde = reloading("--shards", str(shards))
    sender = Sender(sonde.numbers["grpc"])
    sender.run(threads=4)
    over_http = [HttpSender(sonde.numbers["http"], first, keep) for first, keep in ((10**9, True), (2 * 10**9, False))]
    try:
        for round_ in range(1, 51):
            what = ("processor", "exporter", "receiver")[round_ % 3]
            sonde.write(**{what: 100 + round_})
            sent = len(sender.acknowledged)
            if round_ % 2:
                sonde.hang_up()
                assert eventually(lambda: sonde.count("applied") == round_), sonde.relay.log()
            else:
                report = sonde.post()
                jsonschema.validate(report, {**SCHEMA, "$ref": "#/$defs/ReloadAnswer"})
                # The processor has an instance a shard.
                changed = shards if what == "processor" else 1
                assert report == {"kept": 3 + shards - changed, "started": changed, "stopped": changed}
            # Something must have been under way each time.
            assert eventually(lambda: len(sender.acknowledged) > sent)
    finally:
        sender.stop()
        for each in over_http:
            each.stop()
        sender.channel.close()
    assert not sender.refused, list(sender.refused.items())[:3]
    assert [each.errors for each in over_http] == [[], []]
    # A connection in the clear outlives the receivers.
    assert over_http[0].connections == 1
    acknowledged = sender.acknowledged.union(*(each.acknowledged for each in over_http))
    assert eventually(lambda: sonde.back_end.has(acknowledged)), sonde.relay.log()
    sonde.relay.stop()
    arrived = sonde.back_end.arrived
    assert set(arrived) == acknowledged
    assert [number for number, times in arrived.items() if times != 1] == []
    print(f"{len(acknowledged)} requests while it was reloaded 50 times")


def test_connections_over_tls_end_without_losing_a_request(reloading, tmp_path):
    make_certificates(tmp_path)
    sonde = reloading(tls=f", tls: {{cert_file: {tmp_path}/server.crt, key_file: {tmp_path}/server.key}}")
    sender = Sender(sonde.numbers["grpc"], grpc.ssl_channel_credentials((tmp_path / "ca.crt").read_bytes()), retries=True)
    sender.run(threads=4)
    context = ssl.create_default_context(cafile=tmp_path / "ca.crt")
    over_http = [HttpSender(sonde.numbers["http"], first, keep, context) for first, keep in ((10**9, True), (2 * 10**9, False))]
    try:
        for round_ in range(1, 11):
            sonde.write(receiver=100 + round_)
            assert sonde.post() == {"kept": 3, "started": 1, "stopped": 1}
            sent = len(sender.acknowledged), *(len(each.acknowledged) for each in over_http)
            assert eventually(lambda: len(sender.acknowledged) > sent[0])
            # The first may have been under way before; the second is on the new receiver's connection.
            assert eventually(lambda: all(len(each.acknowledged) > before + 1 for each, before in zip(over_http, sent[1:])))
    finally:
        sender.stop()
        for each in over_http:
            each.stop()
        sender.channel.close()
    assert not sender.refused, list(sender.refused.items())[:3]
    assert [each.errors for each in over_http] == [[], []]
    # They do not outlive the receiver whose settings they began with.
    assert over_http[0].connections >= 10
    acknowledged = sender.acknowledged.union(*(each.acknowledged for each in over_http))
    assert eventually(lambda: sonde.back_end.has(acknowledged)), sonde.relay.log()
    assert [number for number, times in sonde.back_end.arrived.items() if times != 1] == []


def test_each_of_many_connections_over_tls_begins(reloading, tmp_path):
    make_certificates(tmp_path)
    sonde = reloading(tls=f", tls: {{cert_file: {tmp_path}/server.crt, key_file: {tmp_path}/server.key}}")
    credentials = grpc.ssl_channel_credentials((tmp_path / "ca.crt").read_bytes())

    def connect(number):
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.min_reconnect_backoff_ms", 5000)]
        with grpc.secure_channel(f"127.0.0.1:{sonde.numbers['grpc']}", credentials, options) as channel:
            channel.unary_unary(METHOD)(request_bytes(number), timeout=20 * PATIENCE)

    # One in a thousand waited for ever when a write of the server came before its first read.
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        for each in [threads.submit(connect, number) for number in range(1, 3001)]:
            each.result()


def test_a_bad_file_and_a_taken_port_change_nothing(reloading):
    sonde = reloading()
    sender = Sender(sonde.numbers["grpc"])
    assert sender.send()
    good = sonde.relay.config.read_text()
    sonde.relay.config.write_text(good.replace("protocols:", "protcols:"))
    sonde.hang_up()
    assert eventually(lambda: sonde.count("refused") == 1), sonde.relay.log()
    assert 'relay.yaml:4: receivers::otlp: unknown key "protcols"' in sonde.relay.log()
    with pytest.raises(urllib.error.HTTPError) as refused:
        sonde.post()
    assert refused.value.code == 422
    answer = json.loads(refused.value.read())
    jsonschema.validate(answer, {**SCHEMA, "$ref": "#/$defs/ErrorAnswer"})
    assert "relay.yaml:4: receivers::otlp" in answer["error"]["why"]

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        sonde.relay.config.write_text(good.replace(f'127.0.0.1:{sonde.numbers["http"]}', f"127.0.0.1:{taken}"))
        with pytest.raises(urllib.error.HTTPError) as refused:
            sonde.post()
    why = json.loads(refused.value.read())["error"]["why"]
    assert "relay.yaml:3: receivers::otlp" in why and "the port is taken by" in why, why

    for _ in range(3):
        assert sender.send()
    sender.close()
    assert eventually(lambda: sonde.back_end.has(sender.acknowledged))
    assert sonde.count("applied") == 0


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_only_who_is_signed_in_may_ask(reloading, headers):
    sonde = reloading()
    with pytest.raises(urllib.error.HTTPError) as refused:
        sonde.post(headers)
    assert refused.value.code == 401
    assert sonde.count("applied") == sonde.count("refused") == 0


def test_what_is_queued_goes_to_where_the_new_exporter_sends(reloading):
    sonde = reloading()
    sender = Sender(sonde.numbers["grpc"])
    elsewhere = BackEnd()  # Now, or the kernel may give it the same port.
    sonde.back_end.stop()
    for _ in range(30):
        assert sender.send()
    sonde.write(back_end=elsewhere.port)
    assert sonde.post()["started"] == 1
    assert eventually(lambda: elsewhere.has(sender.acknowledged)), sonde.relay.log()
    assert all(times == 1 for times in elsewhere.arrived.values())
    sender.close()
    elsewhere.stop()
    sonde.back_end.start()


def test_a_changed_file_is_read_again(reloading, tmp_path):
    included = tmp_path / "endpoint"
    sonde = reloading("--watch")
    included.write_text(f"127.0.0.1:{sonde.back_end.port}")
    sonde.relay.config.write_text(CONFIG.replace("127.0.0.1:{back_end}", "${{file:" + str(included) + "}}").format(**sonde.numbers))
    assert eventually(lambda: sonde.count("applied") == 1), sonde.relay.log()
    # Included files are watched too, and so is what could not be read.
    elsewhere = BackEnd()
    included.unlink()
    assert eventually(lambda: sonde.count("refused") == 1), sonde.relay.log()
    included.write_text(f"127.0.0.1:{elsewhere.port}")
    assert eventually(lambda: sonde.count("applied") == 2), sonde.relay.log()
    sender = Sender(sonde.numbers["grpc"])
    assert sender.send()
    assert eventually(lambda: elsewhere.has(sender.acknowledged))
    sender.close()
    elsewhere.stop()


def test_events_that_the_probe_lost_are_counted_once(start):
    """The probe goes on under a new receiver, and counts since it was loaded."""
    sonde = Sonde(send_otlp=False, receiver="ring_size: 16384\n    drain_interval: 1s")
    try:
        port = start(RUNTIMES["python_http_server"])
        lost = lambda: sum(value for _, value in select(sonde.own_metrics_text(), "sonde_probe_lost_events_total", {}))
        reloads = lambda: sum(
            value for _, value in select(sonde.own_metrics_text(), "sonde_reloads_total", {"result": "applied"}))
        while lost() < 500:
            send_requests(port, [("GET", "/items/1")] * 500)
        # What else this host does may be lost as well, but hardly with a ring that is drained often.
        text = sonde.config.read_text().replace("drain_interval: 1s", "drain_interval: 5ms")
        sonde.reload(text)
        assert eventually(lambda: reloads() == 1), sonde.log()
        before = lost()
        for number in (2, 3, 4):
            sonde.reload(text.replace("  ebpf:\n", f"  ebpf:\n    exclude: [port={number}]\n", 1))
            assert eventually(lambda: reloads() == number), sonde.log()
        after = lost()
        assert before <= after < 2 * before, (before, after)
    finally:
        sonde.stop()


def test_the_page_keeps_its_counts_and_the_probe_its_capabilities(start):
    """Capabilities are given up once the probe is loaded, so that it could not be loaded again."""
    runtime = RUNTIMES["python_http_server"]
    sonde = Sonde(send_otlp=False)
    try:
        port = start(runtime)
        count = lambda: sum(s["count"] for s in sonde.api("/services")["services"] if s["name"] == runtime.service)
        reloads = lambda result: sum(
            value for _, value in select(sonde.own_metrics_text(), "sonde_reloads_total", {"result": result}))
        send_requests(port, [("GET", "/items/1")] * 20)
        assert eventually(lambda: count() == 20)
        sonde.reload()
        assert eventually(lambda: reloads("applied") == 1), sonde.log()
        send_requests(port, [("GET", "/items/1")] * 20)
        assert eventually(lambda: count() == 40)

        # The receiver's settings are others: the same probe goes on under it.
        text = sonde.config.read_text()
        sonde.reload(text.replace("  ebpf:\n", f"  ebpf:\n    exclude: [port={port}]\n", 1))
        assert eventually(lambda: reloads("applied") == 2), sonde.log()
        send_requests(port, [("GET", "/items/1")] * 20)
        sonde.reload(text)
        assert eventually(lambda: reloads("applied") == 3), sonde.log()
        send_requests(port, [("GET", "/items/1")] * 20)
        assert eventually(lambda: count() == 60), count()

        sonde.reload(text.replace("  ebpf:\n", "  ebpf:\n    ring_size: 1048576\n", 1))
        assert eventually(lambda: reloads("refused") == 1), sonde.log()
        assert "restart sonde to change them" in sonde.log()
    finally:
        sonde.stop()
