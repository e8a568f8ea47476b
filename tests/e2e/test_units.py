# SPDX-License-Identifier: Apache-2.0
"""Processes in systemd units and containers, by real control groups."""
import os
import pathlib
import signal
import subprocess

import pytest

from client import send_requests
from runtimes import PYTHON, SERVERS, accepts
from sonde import eventually, free_port


def unified_hierarchy():
    """Where control groups of version 2 are mounted, if anywhere."""
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return pathlib.Path(place)
    return None


@pytest.fixture
def start_in_group(tmp_path):
    """Starts the command of `server(port)` in a control group of its own, which ends with it."""
    root = unified_hierarchy()
    if root is None or not os.access(root, os.W_OK):
        pytest.skip("there is no writable cgroup2 hierarchy here")
    processes, folders = [], []

    def start(group, command):
        try:
            (root / group).mkdir(parents=True)
        except OSError as error:
            pytest.skip(f"cannot make control groups here: {error}")
        folders.append(root / group)
        procs = root / group / "cgroup.procs"
        processes.append(subprocess.Popen(["sh", "-c", f'echo $$ >{procs} && {command}'], cwd=tmp_path,
                                          start_new_session=True))

    yield start
    for process in processes:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for folder in folders:
        while folder != root and "sonde_e2e" in str(folder):
            eventually(lambda: not (folder / "cgroup.procs").read_text(), 10)
            folder.rmdir()
            folder = folder.parent


def service_of(sonde, port):
    """The row of /api/v1/services of what listens on the port."""
    seen = sonde.series("http_server_request_duration_seconds_count", server_port=port)
    names = {labels["service_name"] for labels, _ in seen}
    return [service for service in sonde.api("/services")["services"] if service["name"] in names]


def shown(sonde, port):
    assert eventually(lambda: accepts(port))
    send_requests(port, [("GET", "/items/1")] * 5)
    assert eventually(lambda: len(service_of(sonde, port)) == 1), service_of(sonde, port)
    return service_of(sonde, port)[0]


def test_a_unit_names_its_service(sonde, start_in_group):
    port = free_port()
    start_in_group("sonde_e2e.slice/orders.service", f"exec {PYTHON} {SERVERS}/counted_http.py {port}")

    service = shown(sonde, port)

    assert (service["name"], service["unit"], service["container"]) == ("orders", "orders.service", None)


def test_a_unit_does_not_name_what_its_program_starts(sonde, start_in_group):
    """As cron does, and agents that run builds."""
    port = free_port()
    start_in_group("sonde_e2e.slice/agent.service",
                   f"exec perl -e 'system(\"{PYTHON}\", \"{SERVERS}/counted_asyncio.py\", \"{port}\"); 1'")

    service = shown(sonde, port)

    assert (service["name"], service["unit"]) == ("counted_asyncio", "agent.service")


def test_a_container_is_told_by_its_group(sonde, start_in_group):
    port = free_port()
    container = f"{os.getpid():064x}"
    start_in_group(f"sonde_e2e.slice/docker-{container}.scope", f"exec {PYTHON} {SERVERS}/counted_flask.py {port}")

    service = shown(sonde, port)

    assert (service["unit"], service["container"]) == (None, container)
