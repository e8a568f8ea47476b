# SPDX-License-Identifier: Apache-2.0
import os

import pytest

from otlp_receiver import OtlpReceiver
from runtimes import stop_group
from sonde import Sonde


def pytest_addoption(parser):
    parser.addoption("--all-servers", action="store_true", help="count the requests of the slow servers too")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow_server: its server takes long to install or to build")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--all-servers"):
        slow = [item for item in items if item.get_closest_marker("slow_server")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]
    if os.geteuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="eBPF capture needs root"))


@pytest.fixture(scope="session")
def otlp():
    receiver = OtlpReceiver()
    yield receiver
    receiver.stop()


@pytest.fixture(scope="session")
def sonde(otlp):
    process = Sonde(otlp.grpc_port, otlp.http_port)
    yield process
    process.stop()


@pytest.fixture(autouse=True)
def alive(request):
    """Whatever a test does to it, the Sonde that all tests share lives on; else each later test would fail for it."""
    yield
    if "sonde" in request.fixturenames:
        process = request.getfixturevalue("sonde")
        assert process.process.poll() is None, f"sonde ended with {process.process.poll()}: {process.log()[-2000:]}"


@pytest.fixture
def start(tmp_path):
    """Starts a runtime of runtimes.py and ends its whole process group afterwards."""
    processes = []

    def start_runtime(runtime):
        process, port = runtime.start(tmp_path)
        processes.append(process)
        return port

    yield start_runtime
    for process in processes:
        stop_group(process)


def pytest_runtest_logreport(report):
    # An emulated machine may be cut off before the summary that would tell why.
    if report.failed and "SONDE_E2E_PATIENCE" in os.environ:
        print(f"\n{report.nodeid}\n{report.longreprtext}", flush=True)
