# SPDX-License-Identifier: Apache-2.0
"""A killed Sonde, an unreachable back end, a taken port, a mistyped key."""
import signal
import subprocess

from client import Connection, request_bytes, send_requests
from runtimes import RUNTIMES
from sonde import Sonde, binary, eventually, select
from test_counts import seen_on_metrics


def test_kill_leaves_the_service_untouched_and_a_restart_goes_on(start):
    runtime = RUNTIMES["node"]
    port = start(runtime)
    sonde = Sonde()
    connection = Connection(port)
    connection.send(request_bytes("GET", "/before"))
    assert connection.read_response()[0] == 200

    sonde.kill()
    connection.send(request_bytes("GET", "/without"))
    assert connection.read_response()[0] == 200
    sonde.start()
    for _ in range(5):
        connection.send(request_bytes("GET", "/after"))
        assert connection.read_response()[0] == 200

    eventually(lambda: seen_on_metrics(sonde, runtime.service, port) == {200: 5})
    assert seen_on_metrics(sonde, runtime.service, port) == {200: 5}
    sonde.stop()


def test_an_unreachable_otlp_endpoint_is_retried_and_counted(start):
    runtime = RUNTIMES["node"]
    port = start(runtime)
    sonde = Sonde(otlp_grpc_port=1, otlp_http_port=1)
    send_requests(port, [("GET", "/x")] * 10)

    def failures():
        return sum(value for _, value in select(sonde.own_metrics_text(), "sonde_exporter_retries_total", {}))

    assert eventually(failures) > 0, sonde.own_metrics_text()
    assert seen_on_metrics(sonde, runtime.service, port) or eventually(
        lambda: seen_on_metrics(sonde, runtime.service, port) == {200: 10})
    sonde.stop()


def test_a_taken_port_names_who_holds_it():
    sonde = Sonde()
    second = subprocess.run([binary(), "run", "--config", str(sonde.config)], capture_output=True, text=True, timeout=30)
    assert second.returncode != 0
    assert str(sonde.process.pid) in second.stderr + second.stdout
    sonde.stop()


def test_an_unknown_key_names_its_nearest_neighbour(tmp_path):
    config = tmp_path / "sonde.yaml"
    config.write_text("receivers:\n  ebpf:\n    metrics_intervall: 1s\nexporters:\n  debug:\nservice:\n  pipelines:\n"
                      "    traces:\n      receivers: [ebpf]\n      exporters: [debug]\n")
    result = subprocess.run([binary(), "validate", "--config", str(config)], capture_output=True, text=True, timeout=30)
    assert result.returncode != 0
    assert 'did you mean "metrics_interval"?' in result.stderr
    assert "sonde.yaml:3" in result.stderr


def test_lost_kernel_events_are_counted_and_shown(start):
    runtime = RUNTIMES["node"]
    port = start(runtime)
    sonde = Sonde()
    send_requests(port, [("GET", "/x")])

    sonde.process.send_signal(signal.SIGSTOP)
    send_requests(port, [("GET", "/x")] * 20000)
    sonde.process.send_signal(signal.SIGCONT)

    def lost():
        return sum(value for _, value in select(sonde.own_metrics_text(), "sonde_probe_lost_events_total", {}))

    assert eventually(lost) > 0
    assert eventually(lambda: sonde.api("/status")["lost_events"] == lost())
    send_requests(port, [("GET", "/after")] * 3)
    assert eventually(lambda: sonde.series(
        "http_server_request_duration_seconds_count", service_name=runtime.service, server_port=port))
    sonde.stop()
