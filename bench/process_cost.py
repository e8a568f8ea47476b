#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `sonde` itself costs: CPU and memory at 20,000 requests a second, idle with 100 processes watched, and the time
from starting it until a service with traffic is in the page's JSON.

Prints one JSON line a figure. usage: ./dev bench process [RATE]
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
# What it costs is asked of the optimised build.
os.environ.setdefault("SONDE_BINARY", str(ROOT / "build" / "release" / "sonde"))
from figure import show  # noqa: E402
from runtimes import RUNTIMES, PYTHON  # noqa: E402
from sonde import binary, free_port  # noqa: E402


def cpu_seconds(pid):
    """Of all threads, from the scheduler's nanoseconds: ticks are too coarse for an idle process."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9


def rss_megabytes(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024


class Up:
    """`sonde up` as a user starts it, but for its port."""

    def __init__(self, directory):
        self.port = free_port()
        self.log = directory / "up.log"
        self.started = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([binary(), "up", "--port", str(self.port)], stdout=log, stderr=log)

    def services(self):
        """The services that had requests; None while it does not answer yet."""
        token = re.search(r"token=([0-9A-Za-z_-]+)", self.log.read_text(errors="replace"))
        if self.process.poll() is not None:
            raise RuntimeError(self.log.read_text(errors="replace"))
        if not token:
            return None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/v1/services",
                                         headers={"Authorization": f"Bearer {token[1]}"})
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                return [s for s in json.load(response)["services"] if s.get("rate", 1)]
        except urllib.error.URLError:
            return None

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def load(directory, port, rate, seconds):
    tool = directory / "paced_load"
    if not tool.exists():
        subprocess.run(["clang++-19", "-std=gnu++23", "-O2", str(ROOT / "bench/paced_load.cc"), "-o", str(tool)], check=True)
    return subprocess.Popen([str(tool), str(port), "/items/1", str(rate), str(seconds), "64"], stdout=subprocess.PIPE, text=True)


def time_to_page(directory, port):
    traffic = load(directory, port, 50, 30)
    up = Up(directory)
    try:
        while not any(s["name"] == "nginx" for s in up.services() or []):
            if time.monotonic() - up.started > 30:
                raise RuntimeError("nginx did not show: " + up.log.read_text(errors="replace"))
            time.sleep(0.02)
        show("start_to_service_in_page", round(time.monotonic() - up.started, 2), at_most=3, unit="s")
    finally:
        traffic.kill()
        traffic.wait()
    return up


def main():
    rate = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        sleepers = [subprocess.Popen([PYTHON, "-c", "import time; time.sleep(3600)"]) for _ in range(100)]
        nginx, port = RUNTIMES["nginx"].start(directory)
        up = None
        try:
            up = time_to_page(directory, port)
            pid = up.process.pid
            time.sleep(10)
            before, begin = cpu_seconds(pid), time.monotonic()
            time.sleep(20)
            share = (cpu_seconds(pid) - before) / (time.monotonic() - begin)
            show("idle_100_processes_cpu", round(share, 4), at_most=0.002, unit="cores")
            show("idle_100_processes_memory", round(rss_megabytes(pid), 1), at_most=60, unit="MB")

            load(directory, port, rate, 3).wait()
            before, begin = cpu_seconds(pid), time.monotonic()
            sent = json.loads(load(directory, port, rate, 20).communicate()[0])
            share, seconds = (cpu_seconds(pid) - before) / (time.monotonic() - begin), time.monotonic() - begin
            show("under_load_cpu", round(share, 4), at_most=0.25, unit="cores", offered=rate, **sent,
                 microseconds_per_request=round(share * seconds / sent["sent"] * 1e6, 2))
            show("under_load_memory", round(rss_megabytes(pid), 1), at_most=80, unit="MB")
        finally:
            if up:
                up.stop()
            nginx.kill()
            for sleeper in sleepers:
                sleeper.kill()


main()
