# SPDX-License-Identifier: Apache-2.0
"""What is given up: events that find no room are counted and shown; capabilities go when the capture stands."""
import pathlib
import signal

import pytest

from client import send_requests
from runtimes import RUNTIMES
from sonde import Sonde, eventually, select
from test_counts import seen_on_metrics

KEPT = {2, 19}  # CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE read /proc of other users' processes.


@pytest.fixture
def small():
    """A Sonde whose ring holds a few hundred requests."""
    process = Sonde(send_otlp=False, receiver="ring_size: 262144")
    yield process
    process.stop()


def lost(sonde):
    return sum(value for _, value in select(sonde.own_metrics_text(), "sonde_probe_lost_events_total", {}))


def test_a_full_ring_is_counted_and_shown_and_capture_goes_on(small, start):
    runtime = RUNTIMES["node"]
    port = start(runtime)
    send_requests(port, [("GET", "/before")] * 10)
    assert eventually(lambda: seen_on_metrics(small, runtime.service, port) == {200: 10})
    assert lost(small) == 0

    small.process.send_signal(signal.SIGSTOP)
    send_requests(port, [("GET", "/during")] * 2000)
    small.process.send_signal(signal.SIGCONT)

    assert eventually(lambda: lost(small)) > 0
    assert eventually(lambda: small.api("/status")["lost_events"] == lost(small))
    assert small.api("/services")["lost_events"] == lost(small)
    # A connection that lost events is left behind; new ones are counted whole.
    other = start(RUNTIMES["python_http_server"])
    lost_before = lost(small)
    for _ in range(5):
        send_requests(other, [("GET", "/after")])
    eventually(lambda: seen_on_metrics(small, "counted_http", other) == {200: 5})
    assert seen_on_metrics(small, "counted_http", other) == {200: 5}
    # The last may have lost its answer but not its close: it has no status, and nobody is blamed for that.
    assert not small.series("http_server_request_duration_seconds_count", service_name=runtime.service, server_port=port,
                            error_type="connection_closed")
    answered = small.series("http_server_request_duration_seconds_count", service_name=runtime.service, server_port=port,
                            http_response_status_code=200)
    assert 10 < sum(count for _, count in answered) < 2010
    assert lost(small) == lost_before


def test_every_thread_gives_up_what_only_loading_needed(small):
    for task in pathlib.Path(f"/proc/{small.process.pid}/task").iterdir():
        status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
        for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
            held = {bit for bit in range(64) if int(status[name], 16) >> bit & 1}
            assert held <= KEPT, f"thread {task.name} holds {name} {sorted(held)}"
        assert status["NoNewPrivs"] == "1", f"thread {task.name}"
