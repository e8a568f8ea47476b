# SPDX-License-Identifier: Apache-2.0
"""What `sonde` itself costs: CPU and memory at 20,000 requests a second, idle with 100 processes, time to the page.

Prints one JSON line a figure. Run as root on an otherwise idle machine: ./dev bench
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "e2e"))
from runtimes import RUNTIMES, PYTHON  # noqa: E402
from client import send_requests  # noqa: E402
from sonde import Sonde, eventually  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_megabytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024


def share_of_core(pid, seconds, work=lambda: None):
    before, begin = cpu_seconds(pid), time.monotonic()
    result = work()
    time.sleep(max(0, seconds - (time.monotonic() - begin)))
    return (cpu_seconds(pid) - before) / (time.monotonic() - begin), result


def show(figure, **values):
    print(json.dumps({"figure": figure, **values}), flush=True)


def main():
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        sleepers = [subprocess.Popen([PYTHON, "-c", "import time; time.sleep(3600)"]) for _ in range(100)]
        nginx, port = RUNTIMES["nginx"].start(directory)
        sonde = Sonde(send_otlp=False)
        pid = sonde.process.pid
        try:
            time.sleep(5)
            share, _ = share_of_core(pid, 20)
            show("idle_100_processes", core_share=round(share, 4), rss_mb=round(rss_megabytes(pid), 1))

            begin = time.monotonic()
            send_requests(port, [("GET", "/items/1")])
            eventually(lambda: any(s["name"] == "nginx" for s in sonde.api("/services")["services"]))
            show("time_to_page", seconds=round(time.monotonic() - begin, 2))

            def load():
                return subprocess.run(["wrk", "-t1", "-c16", "-d15", f"http://127.0.0.1:{port}/items/1"],
                                      capture_output=True, text=True).stdout
            share, output = share_of_core(pid, 15, load)
            rate = float(next(line for line in output.splitlines() if "Requests/sec" in line).split()[1])
            show("under_load", requests_per_second=round(rate), core_share=round(share, 3),
                 core_share_at_20k=round(share * 20000 / rate, 3), microseconds_per_request=round(share / rate * 1e6, 2),
                 rss_mb=round(rss_megabytes(pid), 1))
        finally:
            sonde.stop()
            nginx.kill()
            for sleeper in sleepers:
                sleeper.kill()


main()
