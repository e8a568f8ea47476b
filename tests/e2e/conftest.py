# SPDX-License-Identifier: Apache-2.0
import os
import signal

import pytest

from otlp_receiver import OtlpReceiver
from sonde import Sonde


def pytest_collection_modifyitems(items):
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
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
