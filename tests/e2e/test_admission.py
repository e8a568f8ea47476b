# SPDX-License-Identifier: Apache-2.0
"""A request is admitted everywhere or nowhere, before its body is read: a full branch, a slow branch, a memory limit."""
import contextlib
import socket
import threading

import grpc
import pytest

from ledger import ITEMS, SIGNALS, Drops, Sender, Traces, verify
from ledger_back_end import GrpcBackEnd
from otlp_pair import Relay
from sonde import eventually, free_port

CONFIG = """
receivers:
  otlp:
    protocols:
      {protocol}: {{endpoint: 127.0.0.1:{port}}}
processors:
  attributes: {{actions: [{{key: k, value: v, action: insert}}]}}
  memory_limiter: {{check_interval: 1s, limit_percentage: 90}}
exporters:
  otlp_grpc/well:
    endpoint: 127.0.0.1:{well}
    tls: {{insecure: true}}
    retry_on_failure: {{initial_interval: 30ms, max_interval: 100ms}}
    sending_queue: {{queue_size: 1000, num_consumers: 20}}
  otlp_grpc/ill:
    endpoint: 127.0.0.1:{ill}
    tls: {{insecure: true}}
    timeout: 60s
    retry_on_failure: {{initial_interval: 30ms, max_interval: 100ms}}
    sending_queue: {{queue_size: {ill_size}, {ill_queue}}}
service:
  telemetry: {{metrics: {{address: 127.0.0.1:{own}}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: [memory_limiter, attributes], exporters: [otlp_grpc/ill, otlp_grpc/well]}}
    metrics: {{receivers: [otlp], exporters: [otlp_grpc/ill, otlp_grpc/well]}}
    logs: {{receivers: [otlp], exporters: [otlp_grpc/ill, otlp_grpc/well]}}
"""
REFUSED = {"grpc": (grpc.StatusCode.RESOURCE_EXHAUSTED, 1), "http": (429, 1)}


@pytest.fixture
def branches(tmp_path):
    """branches(protocol, ...) starts a Sonde between a sender and two back ends, of which the second never answers."""
    with contextlib.ExitStack() as stack:
        def make(protocol, ill_size=5, ill_queue="num_consumers: 1", flags=()):
            well, ill = GrpcBackEnd(), GrpcBackEnd()
            stack.callback(well.stop)
            stack.callback(ill.stop)
            released = threading.Event()
            stack.callback(released.set)
            ill.hold = released
            port, own = free_port(), free_port()
            relay = Relay(tmp_path, CONFIG.format(protocol=protocol, port=port, own=own, well=well.port, ill=ill.port,
                                                  ill_size=ill_size, ill_queue=ill_queue), own, *flags)
            relay.start()
            stack.callback(relay.stop)
            stack.callback(released.set)
            sender = Sender(protocol, port)
            stack.callback(sender.close)
            return relay, sender, well, ill, released
        yield make


def idle(relay, exporter):
    return relay.total("otelcol_exporter_queue_size", exporter=exporter) == 0


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_slow_branch_holds_up_no_other_while_its_queue_lasts(branches, protocol):
    relay, sender, well, ill, released = branches(protocol, ill_size=200)
    sender.burst(100)
    assert eventually(lambda: idle(relay, "otlp_grpc/well"), 20)
    assert not sender.refused and sum(len(n) for n in well.delivered.values()) == 300 * ITEMS
    assert not ill.delivered
    released.set()
    assert eventually(lambda: idle(relay, "otlp_grpc/ill"), 60)
    assert sum(len(n) for n in ill.delivered.values()) == 300 * ITEMS


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_full_branch_refuses_for_all_so_that_a_retry_repeats_nothing(branches, protocol):
    relay, sender, well, ill, released = branches(protocol)
    drops = Drops(relay)
    sender.burst(20)
    for signal in SIGNALS:
        assert len(sender.acknowledged[signal.name]) == 5 * ITEMS
        assert set(sender.refused[signal.name].values()) == {REFUSED[protocol]}
    turned_away = relay.total("sonde_receiver_turned_away_requests_total", receiver="otlp", transport=protocol)
    assert turned_away == 3 * 15
    assert eventually(lambda: idle(relay, "otlp_grpc/well"), 20)
    verify(sender, well, drops)  # Nothing of what was refused is anywhere.
    released.set()
    assert eventually(lambda: idle(relay, "otlp_grpc/ill"), 20)
    verify(sender, ill, drops)
    assert sender.send(Traces)[1]


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_branch_that_drops_refuses_nobody(branches, protocol):
    relay, sender, well, ill, released = branches(protocol, ill_queue="num_consumers: 1, drop_on_overflow: true")
    drops = Drops(relay)
    sender.burst(40)
    assert eventually(lambda: idle(relay, "otlp_grpc/well"), 20)
    assert not sender.refused and sum(len(n) for n in well.delivered.values()) == 120 * ITEMS
    released.set()
    assert eventually(lambda: idle(relay, "otlp_grpc/ill"), 20)
    verify(sender, ill, drops, told=())
    for signal in SIGNALS:
        assert drops.since(signal) == {"queue_full": 35 * ITEMS}


def memory(relay):
    with open(f"/proc/{relay.process.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_memory_stays_below_its_limit_and_nothing_is_lost(branches, protocol):
    """Far more than the limit is offered while the back end takes nothing."""
    limit = 96 << 20
    relay, sender, well, ill, released = branches(protocol, ill_size=100_000, flags=["--memory-limit", "96MiB"])
    drops = Drops(relay)
    sender.burst(100, threads=8, padding=300_000)  # About 270 MB; three items of a trace are 900 kB.
    assert relay.total("sonde_memory_bytes", kind="limit") == limit
    assert relay.total("sonde_memory_bytes", kind="budget") == limit - (32 << 20)
    # The page of metrics that says it is held too, in a block of 128 KiB that asks nobody for room.
    assert relay.total("sonde_memory_bytes", kind="held") <= limit - (32 << 20) + (1 << 18)
    assert set(sender.refused["traces"].values()) == {REFUSED[protocol]}
    assert len(sender.acknowledged["traces"]) > 10 * ITEMS
    assert memory(relay) < limit
    released.set()
    assert eventually(lambda: idle(relay, "otlp_grpc/ill") and idle(relay, "otlp_grpc/well"), 60)
    verify(sender, ill, drops)
    verify(sender, well, drops)
    assert memory(relay) < limit
    assert sender.send(Traces, padding=300_000)[1]


def test_a_body_without_room_is_not_read(branches):
    """Over HTTP the answer comes when the head has been sent and nothing else."""
    relay, sender, well, ill, released = branches("http", ill_size=1)
    assert eventually(lambda: sender.send(Traces)[1])
    with socket.create_connection(("127.0.0.1", sender.port), 10) as peer:
        peer.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 5000000\r\n\r\n")
        answer = peer.recv(4096)
    assert answer.startswith(b"HTTP/1.1 429 "), answer
    assert b"Retry-After: 1\r\n" in answer
    assert b"the sending queue is full" in answer
