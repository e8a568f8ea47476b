# SPDX-License-Identifier: Apache-2.0
"""Every item is accounted for, whatever the back end does: over gRPC and HTTP, with the queue in memory and on disk, for
each signal. SONDE_E2E_TORTURE=N makes every fault last N times as long."""
import email.utils
import os
import random
import threading
import time

import pytest

from ledger import ITEMS, SIGNALS, Drops, Sender, verify
from ledger_back_end import OK, Answer, GrpcBackEnd, HttpBackEnd, Link
from otlp_pair import Relay
from sonde import eventually, free_port

LONG = int(os.environ.get("SONDE_E2E_TORTURE", "1"))
CONFIG = """
receivers:
  otlp:
    protocols:
      {protocol}: {{endpoint: 127.0.0.1:{port}}}
extensions:
  file_storage: {{directory: {directory}, create_directory: true}}
exporters:
  otlp_{protocol}:
    endpoint: {scheme}127.0.0.1:{back_end}
    tls: {{insecure: true}}
    compression: none
    timeout: {timeout}
    retry_on_failure: {{initial_interval: 30ms, max_interval: 100ms, max_elapsed_time: {give_up}}}
    sending_queue: {{queue_size: {queue_size}, num_consumers: 20, {storage}}}
service:
  extensions: [file_storage]
  telemetry: {{metrics: {{address: 127.0.0.1:{own}}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_{protocol}]}}
    metrics: {{receivers: [otlp], exporters: [otlp_{protocol}]}}
    logs: {{receivers: [otlp], exporters: [otlp_{protocol}]}}
"""
# What the exporters of the Collector try again; gRPC's RESOURCE_EXHAUSTED (8) only where the peer says when.
RETRIED = {"grpc": {1, 4, 10, 11, 14, 15}, "http": {429, 502, 503, 504}}
STATUSES = {"grpc": range(1, 17), "http": (400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 500, 501, 502, 503, 504, 505)}


class Setup:
    def __init__(self, directory, protocol, queue, queue_size=100_000, give_up="10m", timeout="20s",
                 environment=None, change=lambda config: config):
        self.protocol = protocol
        self.back_end = {"grpc": GrpcBackEnd, "http": HttpBackEnd}[protocol]()
        self.link = Link(self.back_end.port)
        port, own = free_port(), free_port()
        config = CONFIG.format(protocol=protocol, port=port, own=own, back_end=self.link.port, directory=directory / "queue",
                               scheme="http://" if protocol == "http" else "", queue_size=queue_size, give_up=give_up, timeout=timeout,
                               storage="storage: file_storage" if queue == "disk" else "")
        self.relay = Relay(directory, change(config), own, env={**os.environ, **(environment or {})})
        self.relay.start()
        self.sender = Sender(protocol, port)
        self.drops = Drops(self.relay)

    def settle(self, seconds=60):
        """Waits until nothing is under way, and says whether the sum is right."""
        assert eventually(lambda: self.relay.total("otelcol_exporter_queue_size") == 0, seconds), self.relay.log()[-2000:]
        verify(self.sender, self.back_end, self.drops)

    def stop(self):
        self.relay.stop()
        self.sender.close()
        self.link.stop()
        self.back_end.stop()


@pytest.fixture(scope="module", params=["grpc-memory", "grpc-disk", "http-memory", "http-disk"])
def setup(request, tmp_path_factory):
    protocol, queue = request.param.split("-")
    made = Setup(tmp_path_factory.mktemp("ledger"), protocol, queue)
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def behaved(request):
    yield
    if "setup" in request.fixturenames:
        setup = request.getfixturevalue("setup")
        setup.back_end.behave = lambda *_: OK
        setup.link.forth = setup.link.back = lambda: None


def test_without_a_fault_everything_arrives_once(setup):
    setup.sender.burst(30 * LONG)
    setup.settle()
    for signal in SIGNALS:
        assert not setup.drops.since(signal)
        assert len(setup.sender.acknowledged[signal.name]) >= 30 * ITEMS


@pytest.mark.parametrize("wait", [None, "0.4"])
def test_each_status_is_tried_again_or_dropped_as_the_collector_does(setup, wait):
    """Each request is answered with a status of its own once, and taken after that."""
    protocol = setup.protocol
    given = {}
    if wait is not None and protocol == "http":
        wait = "1"  # Whole seconds.

    def behave(_, numbers, attempt):
        if attempt > 0:
            return OK
        return Answer(status=given.setdefault(numbers[0], left.pop()), wait=wait)
    left = [status for status in STATUSES[protocol] for _ in SIGNALS] * LONG
    setup.back_end.behave = behave
    before = {signal.name: setup.drops.since(signal).get("permanent", 0) for signal in SIGNALS}
    setup.sender.burst(len(STATUSES[protocol]) * LONG)
    setup.settle()
    retried = RETRIED[protocol] | ({8} if wait is not None else set())
    dropped = 0
    for number, status in given.items():
        came = setup.back_end.attempts[number]
        assert len(came) == (2 if status in retried else 1), (status, wait)
        if status in retried and wait is not None:
            assert came[1] - came[0] >= float(wait), status
        dropped += ITEMS if status not in retried else 0
    counted = sum(setup.drops.since(signal).get("permanent", 0) - before[signal.name] for signal in SIGNALS)
    assert counted == dropped


def test_a_date_to_come_back_at_is_kept(setup):
    if setup.protocol != "http":
        pytest.skip("gRPC has no dates")
    date = email.utils.formatdate(time.time() + 3, usegmt=True)  # Of whole seconds: at least 2 away.
    came = {}

    def behave(_, numbers, attempt):
        came.setdefault(numbers[0], []).append(time.monotonic())
        return OK if attempt > 0 else Answer(status=503, wait=date)
    setup.back_end.behave = behave
    setup.sender.send(SIGNALS[0])
    setup.settle()
    (times,) = came.values()
    assert len(times) == 2
    assert 1 < times[1] - times[0] < 8


def test_what_a_back_end_rejects_is_counted_and_not_repeated(setup):
    setup.back_end.behave = lambda signal, numbers, attempt: Answer(reject=1)
    setup.sender.burst(10 * LONG)
    setup.settle()
    for signal in SIGNALS:
        assert setup.drops.since(signal)["rejected"] == len(setup.back_end.rejected[signal.name]) > 0


def test_a_slow_back_end_gets_everything(setup):
    setup.back_end.behave = lambda signal, numbers, attempt: Answer(delay=0.3 if attempt == 0 else 0)
    setup.sender.burst(10 * LONG)
    setup.settle()


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_back_end_slower_than_the_timeout_gets_everything(tmp_path, protocol):
    setup = Setup(tmp_path, protocol, "memory", timeout="500ms")
    try:
        setup.back_end.behave = lambda signal, numbers, attempt: Answer(delay=1 if attempt == 0 else 0)
        setup.sender.burst(5 * LONG)
        assert eventually(lambda: setup.relay.total("otelcol_exporter_queue_size") == 0, 60 * LONG)
        setup.back_end.unsure()
        setup.settle()
        for signal in SIGNALS:
            # It was slower than the timeout: what it had taken came again, on a busy machine more than once.
            assert eventually(lambda signal=signal: min(setup.back_end.delivered[signal.name].values()) >= 2)
    finally:
        setup.stop()


def test_a_back_end_that_is_away_gets_everything_later(setup):
    setup.back_end.unsure()
    setup.link.down()
    setup.sender.burst(10)
    assert setup.relay.total("otelcol_exporter_queue_size") == 30
    if LONG > 1:
        time.sleep(60)  # The outage itself, which no condition ends.
    setup.sender.burst(10 * LONG)
    setup.link.up()
    setup.settle()


@pytest.mark.parametrize("way", ["forth", "back"])
def test_connections_that_are_reset_lose_nothing(setup, way):
    """Each connection dies after some bytes: in a request, in an answer, between two frames."""
    chance = random.Random(f"reset {way}")
    setup.back_end.unsure()
    most = 2000 if way == "forth" else 400
    setattr(setup.link, way, lambda: chance.randrange(1, most) if chance.random() < 0.8 else None)
    setup.link.down()
    setup.link.up()
    setup.sender.burst(20 * LONG)
    assert eventually(lambda: setup.relay.total("otelcol_exporter_queue_size") == 0, 60 * LONG), setup.relay.log()[-2000:]
    setup.back_end.unsure()
    setup.settle()


def test_killed_in_the_middle_it_loses_only_what_it_held_in_memory(setup):
    if "storage: file_storage" not in setup.relay.config.read_text():
        pytest.skip("the queue is in memory")
    work = threading.Thread(target=setup.sender.burst, args=(60 * LONG,))
    work.start()
    assert eventually(lambda: len(setup.sender.acknowledged["traces"]) > 10)
    setup.drops.process_ends()
    setup.relay.kill()
    setup.relay.start()
    work.join()
    setup.back_end.unsure()
    setup.settle()
