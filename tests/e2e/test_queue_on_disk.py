# SPDX-License-Identifier: Apache-2.0
"""A sending queue on disk loses nothing that was acknowledged: killed at full rate, without a back end, on a full disk."""
import os
import random
import subprocess
import time

import grpc
import pytest

from otlp_pair import BackEnd, Relay, Sender, retry_delay
from sonde import eventually, free_port

CONSUMERS = 10
CONFIG = """
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: 127.0.0.1:{port}}}
extensions:
  file_storage:
    directory: {directory}
    create_directory: true
    fsync: {fsync}
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:{back_end}
    tls: {{insecure: true}}
    compression: none
    retry_on_failure: {{initial_interval: 100ms, max_interval: 500ms, max_elapsed_time: 0}}
    sending_queue:
      storage: file_storage
      queue_size: {queue_size}
      num_consumers: {consumers}
      {batch}
service:
  extensions: [file_storage]
  telemetry: {{metrics: {{address: 127.0.0.1:{own}}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_grpc]}}
"""


@pytest.fixture
def back_end():
    server = BackEnd()
    yield server
    server.stop()


@pytest.fixture
def relay(tmp_path, back_end):
    """Makes a Sonde before the back end, and a sender before that; relay(queue_size=...) starts them."""
    made = []

    def make(directory=None, fsync="false", queue_size=1_000_000, batch=""):
        port, own = free_port(), free_port()
        process = Relay(tmp_path, CONFIG.format(port=port, own=own, back_end=back_end.port, consumers=CONSUMERS, fsync=fsync,
                                                directory=directory or tmp_path / "queue", queue_size=queue_size, batch=batch), own)
        process.start()
        sender = Sender(port)
        made.extend([sender.close, process.stop])
        return process, sender

    yield make
    for end in made:
        end()


def missing(sender, back_end):
    with sender.lock, back_end.lock:
        return sorted(sender.acknowledged - set(back_end.arrived))


@pytest.mark.parametrize("seed", [7])
def test_kill_at_full_rate_loses_nothing_that_was_acknowledged(relay, back_end, seed):
    chance = random.Random(seed)
    kills = int(os.environ.get("SONDE_E2E_KILLS", "10"))
    process, sender = relay(queue_size=20_000)
    sender.run()
    for _ in range(kills):
        before = len(sender.acknowledged)
        assert eventually(lambda: len(sender.acknowledged) > before + 50, 30), process.log()
        time.sleep(chance.uniform(0, 0.5))  # The moment of death: anywhere in the middle of the work.
        process.kill()
        process.start()
    sender.stop()
    assert eventually(lambda: not missing(sender, back_end), 60), (len(sender.acknowledged), missing(sender, back_end)[:10])
    # Only what was with the back end when Sonde died may come twice.
    twice = sum(count - 1 for count in back_end.arrived.values())
    print(f"{len(sender.acknowledged)} acknowledged, {len(sender.refused)} not, {twice} came twice, {kills} kills")
    assert twice <= kills * CONSUMERS
    # Nothing arrives that was never sent.
    assert set(back_end.arrived) <= sender.acknowledged | set(sender.refused)
    assert "damaged" not in process.log()


def test_a_back_end_that_is_down_while_sonde_dies_gets_everything_later(relay, back_end):
    back_end.stop()
    process, sender = relay(fsync="true")
    for _ in range(300):
        assert sender.send()
    assert process.total("otelcol_exporter_queue_size", exporter="otlp_grpc", data_type="traces") == 300
    process.kill()
    process.start()
    assert process.total("otelcol_exporter_queue_size", exporter="otlp_grpc", data_type="traces") == 300
    for _ in range(20):
        assert eventually(sender.send)  # The first may find the sender's connection still broken.
    back_end.start()
    assert eventually(lambda: not missing(sender, back_end), 60), missing(sender, back_end)[:10]
    assert len(back_end.arrived) == 320
    assert eventually(lambda: process.total("otelcol_exporter_queue_size", data_type="traces") == 0)
    assert process.total("otelcol_exporter_sent_spans", exporter="otlp_grpc") == 320


def test_a_shutdown_keeps_what_could_not_be_sent(relay, back_end):
    back_end.stop()
    process, sender = relay(batch="batch: {min_size: 100, flush_timeout: 100ms, max_size: 150}")
    for _ in range(250):
        assert sender.send()
    process.stop()
    assert back_end.arrived == {}
    back_end.start()
    process.start()
    assert eventually(lambda: not missing(sender, back_end), 60), missing(sender, back_end)[:10]
    assert set(back_end.arrived.values()) == {1}


def test_a_full_disk_refuses_the_sender_and_counts(relay, back_end, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr}")
    try:
        back_end.stop()
        process, sender = relay(directory=disk / "queue")
        while sender.send(padding=20_000):
            assert len(sender.acknowledged) < 200, "2 MiB hold no 200 requests of 20 kB"
        assert len(sender.acknowledged) > 50
        for _ in range(20):
            sender.send(padding=20_000)
        error = next(iter(sender.refused.values()))
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "No space left" in error.details()
        assert retry_delay(error) == 1
        lost = process.total("sonde_dropped_records_total", component="otlp_grpc", reason="disk_full")
        assert lost == len(sender.refused)
        assert process.total("otelcol_exporter_enqueue_failed_spans", exporter="otlp_grpc") == lost
        # Killed on a full disk it starts again, and goes on when the back end is there.
        process.kill()
        process.start()
        back_end.start()
        assert eventually(lambda: not missing(sender, back_end), 60), missing(sender, back_end)[:10]
        assert eventually(lambda: sender.send(padding=20_000))
        assert eventually(lambda: not missing(sender, back_end), 60)
        assert set(back_end.arrived) == sender.acknowledged
        assert "damaged" not in process.log()
        process.stop()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
