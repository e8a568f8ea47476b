# SPDX-License-Identifier: Apache-2.0
"""Files that are written, put aside and read while Sonde is killed: every line comes, and hardly any twice."""
import base64
import json
import os
import pathlib
import random
import shutil
import threading
import time

import grpc
import pytest

from otlp_pair import BackEnd, Relay
from otlp_records import REQUESTS, RecordingBackEnd, records_of
from sonde import eventually, free_port

# How many lines may be under way when Sonde dies: Reader::kMostReading.
UNDER_WAY = 32
READ = """
extensions:
  file_storage: {{directory: {directory}/stored, create_directory: true}}
receivers:
  otlpjsonfile:
    include: ["{directory}/out/**"]
    start_at: beginning
    storage: file_storage
    include_file_name: false
    poll_interval: 20ms
  {receiver}
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:{back_end}
    tls: {{insecure: true}}
    compression: none
    sending_queue: {{enabled: false}}
    retry_on_failure: {{initial_interval: 50ms, max_interval: 100ms, max_elapsed_time: 0}}
  {exporter}
service:
  extensions: [file_storage]
  telemetry: {{metrics: {{address: 127.0.0.1:{own}}}}}
  pipelines:
    {pipelines}
"""


def moment(chance):
    """The moment of death: anywhere in the middle of the work."""
    time.sleep(chance.uniform(0.05, 0.4))


class LineWriter(threading.Thread):
    """Writes numbered spans that begin alike, and puts its file aside by renaming it or by copying and truncating it."""

    def __init__(self, folder, seed):
        super().__init__()
        self.folder = folder
        self.chance = random.Random(seed)
        self.written = 0
        self.aside = 0
        self.ended = threading.Event()
        self.resource = {"attributes": [{"key": "host.description", "value": {"stringValue": "h" * 1500}}]}

    def line(self):
        self.written += 1
        span = {"traceId": f"{self.written:032x}", "spanId": "01" * 8, "name": "x"}
        return json.dumps({"resourceSpans": [{"resource": self.resource, "scopeSpans": [{"spans": [span]}]}]}) + "\n"

    def run(self):
        path = self.folder / "data.json"
        while not self.ended.is_set():
            with open(path, "a", encoding="ascii") as file:
                for _ in range(self.chance.randint(20, 60)):
                    text = self.line()
                    # Half a line may be there for a while.
                    cut = self.chance.randint(1, len(text) - 1)
                    file.write(text[:cut])
                    file.flush()
                    file.write(text[cut:])
                    file.flush()
                    self.ended.wait(0.0005)
            self.aside += 1
            if self.chance.random() < 0.5:
                path.rename(self.folder / f"data.json.{self.aside}")
            else:
                shutil.copyfile(path, self.folder.parent / "copy")
                (self.folder.parent / "copy").rename(self.folder / f"data.json.{self.aside}")
                os.truncate(path, 0)

    def stop(self):
        self.ended.set()
        self.join()


@pytest.mark.parametrize("seed, kills", [(3, 0), (4, int(os.environ.get("SONDE_E2E_KILLS", "8")))])
def test_lines_of_files_that_are_put_aside_all_the_time_come_once_or_twice_where_a_kill_explains_it(tmp_path, seed, kills):
    chance = random.Random(seed)
    back_end, own = BackEnd(), free_port()
    (tmp_path / "out").mkdir()
    reader = Relay(tmp_path, READ.format(directory=tmp_path, back_end=back_end.port, own=own, receiver="", exporter="",
                                         pipelines="traces: {receivers: [otlpjsonfile], exporters: [otlp_grpc]}"), own)
    writer = LineWriter(tmp_path / "out", seed)
    try:
        reader.start()
        writer.start()
        for _ in range(kills):
            with back_end.lock:
                before = len(back_end.arrived)
            assert eventually(lambda: len(back_end.arrived) > before + 50, 30), reader.log()[-3000:]
            moment(chance)
            reader.kill()
            moment(chance)
            reader.start()
        assert eventually(lambda: writer.aside >= 60, 60)
        writer.stop()
        wanted = set(range(1, writer.written + 1))
        assert eventually(lambda: back_end.has(wanted), 60), (
            writer.written, sorted(wanted - set(back_end.arrived))[:10], reader.log()[-9000:])
        assert set(back_end.arrived) == wanted
        twice = sum(count - 1 for count in back_end.arrived.values())
        print(f"{writer.written} lines, {writer.aside} files put aside, {kills} kills, {twice} lines came twice")
        assert twice <= kills * UNDER_WAY
        assert reader.total("sonde_otlpjsonfile_refused_lines_total") == 0, reader.log()[-3000:]
    finally:
        writer.ended.set()
        reader.stop()
        back_end.stop()


def attribute(pairs, key, **value):
    found = pairs.add(key=key)
    for kind, content in value.items():
        setattr(found.value, kind, content)
    return found.value


def request(signal, number, group):
    """One of everything that the signal has, told apart by its number."""
    made = REQUESTS[signal][1]()
    word = {"traces": "spans"}.get(signal, signal)
    of_resource = getattr(made, f"resource_{word}").add()
    attribute(of_resource.resource.attributes, "service.name", string_value=group)
    attribute(of_resource.resource.attributes, "bytes", bytes_value=bytes(range(256)))
    nested = attribute(of_resource.resource.attributes, "nested")
    nested.kvlist_value.values.add(key="list").value.array_value.values.add().int_value = -(2 ** 63)
    of_scope = getattr(of_resource, f"scope_{word}").add()
    of_scope.scope.name, of_scope.scope.version = "sc\u00f6pe\n\"", "1"
    if signal == "traces":
        span = of_scope.spans.add(trace_id=number.to_bytes(16, "big"), span_id=b"\1" * 8, name="n\u0000\u2028\U0001f600", kind=3,
                                  start_time_unix_nano=2 ** 64 - 1, end_time_unix_nano=number)
        attribute(span.attributes, "double", double_value=0.1)
        attribute(span.attributes, "bool", bool_value=True)
        span.events.add(name="e", time_unix_nano=7)
        span.links.add(trace_id=b"\2" * 16, span_id=b"\3" * 8)
        span.status.code, span.status.message = 2, "bad"
    elif signal == "logs":
        record = of_scope.log_records.add(time_unix_nano=number, severity_number=9, severity_text="INFO")
        record.body.string_value = "b" * 2000 + str(number)
    else:
        metric = of_scope.metrics.add(name=f"m{number}", unit="By", description="d")
        kind = number % 3
        if kind == 0:
            metric.gauge.data_points.add(as_double=1e300, time_unix_nano=number)
        elif kind == 1:
            metric.sum.data_points.add(as_int=-5, time_unix_nano=number)
            metric.sum.is_monotonic, metric.sum.aggregation_temporality = True, 2
        else:
            metric.histogram.data_points.add(count=3, sum=2.5, explicit_bounds=[1, 2], bucket_counts=[1, 1, 1])
    return made


WRITE = """file:
    path: {path}
    {how}"""
ROTATION = "create_directory: true\n    rotation: {max_megabytes: 1}"
GROUPS = "append: true\n    group_by: {enabled: true, resource_attribute: service.name, max_open_files: 2}"


@pytest.mark.parametrize("how, path, groups", [
    (ROTATION, "out/data.json", ["one"]),
    (GROUPS, "out/*/data.json", ["a", "b/c", "../../evil", "/etc/d"]),
], ids=["rotation", "groups"])
def test_what_was_acknowledged_is_in_files_and_comes_back_equal_though_sonde_is_killed(tmp_path, how, path, groups):
    chance = random.Random(5)
    back_end, own, port = RecordingBackEnd(), free_port(), free_port()
    relay = Relay(tmp_path, READ.format(
        directory=tmp_path, back_end=back_end.grpc_port, own=own, receiver=f"otlp: {{protocols: {{grpc: {{endpoint: 127.0.0.1:{port}}}}}}}",
        exporter=WRITE.format(path=tmp_path / path, how=how),
        pipelines="\n    ".join(f"{signal}: {{receivers: [otlp], exporters: [file]}}\n    "
                                f"{signal}/back: {{receivers: [otlpjsonfile], exporters: [otlp_grpc]}}" for signal in REQUESTS)), own)
    acknowledged = {signal: [] for signal in REQUESTS}
    sent = {signal: [] for signal in REQUESTS}
    ended = threading.Event()

    def send(signal, channel):
        call = channel.unary_unary(f"/{REQUESTS[signal][0]}/Export")
        number = 0
        while not ended.is_set():
            number += 1
            made = request(signal, number, groups[number % len(groups)])
            sent[signal].append(made)
            try:
                call(made.SerializeToString(), timeout=20)
                acknowledged[signal].append(made)
            except grpc.RpcError:
                ended.wait(0.02)
            ended.wait(0.001)

    def missing(signal):
        with back_end.lock:
            arrived = {json.dumps(record, default=text) for record in back_end.records["grpc", signal]}
        return [record for made in acknowledged[signal] for record in records_of(signal, made)
                if json.dumps(record, default=text) not in arrived]

    def text(content):
        return base64.b64encode(content).decode()

    relay.start()
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[
        ("grpc.enable_retries", 0), ("grpc.min_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 100)])
    senders = [threading.Thread(target=send, args=(signal, channel)) for signal in REQUESTS]
    try:
        for sender in senders:
            sender.start()
        for _ in range(4):
            before = {signal: len(made) for signal, made in acknowledged.items()}
            assert eventually(lambda: all(len(made) > before[signal] + 100 for signal, made in acknowledged.items()), 60), relay.log()
            moment(chance)
            relay.kill()
            relay.start()
        ended.set()
        for sender in senders:
            sender.join()
        for signal in REQUESTS:
            assert eventually(lambda: not missing(signal), 60), (signal, missing(signal)[:2], relay.log()[-3000:])
            # Nothing else came, and nothing that was changed on the way.
            wanted = {json.dumps(record, default=text) for made in sent[signal] for record in records_of(signal, made)}
            with back_end.lock:
                arrived = [json.dumps(record, default=text) for record in back_end.records["grpc", signal]]
            assert set(arrived) <= wanted
            print(f"{signal}: {len(acknowledged[signal])} acknowledged, {len(arrived)} came, {len(set(arrived))} different")
            assert len(arrived) - len(set(arrived)) <= 4 * UNDER_WAY
        names = sorted(str(found.relative_to(tmp_path)) for found in tmp_path.rglob("*.json"))
        if how is ROTATION:
            assert len(names) > 2, names
        else:
            assert names == ["out/a/data.json", "out/b/c/data.json", "out/etc/d/data.json", "out/evil/data.json"]
        assert not pathlib.Path("/etc/d").exists()
    finally:
        ended.set()
        channel.close()
        relay.stop()
        back_end.stop()
