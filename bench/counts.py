# SPDX-License-Identifier: Apache-2.0
"""Requests seen / requests sent, for each server, on keep-alive and fresh connections.

The rate is the lesser of 2,000 a second and 60 % of what the server does uninstrumented, in an open loop, for 30 s.
Counts are compared by method, route and status, as server and as client, and every difference is printed. Prints one
JSON line a figure. Run as root: ./dev bench counts
"""
import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
os.environ.setdefault("SONDE_BINARY", str(ROOT / "build" / "release" / "sonde"))

import pytest  # noqa: E402
from runtimes import RUNTIMES, SLOW, UNKNOWN, stop_group  # noqa: E402
from sonde import Sonde, eventually, select  # noqa: E402

LOAD = ROOT / "build" / "bench" / "counting_load"
CLIENT = "counting_load"
ROUTE = "/items/{id}"


def build_load():
    source = ROOT / "bench" / "counting_load.cc"
    if not LOAD.exists() or LOAD.stat().st_mtime < source.stat().st_mtime:
        LOAD.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["clang++-19", "-std=c++20", "-O2", "-o", str(LOAD), str(source)], check=True)


def load(port, rate, seconds, mode, connections, address="127.0.0.1"):
    command = [str(LOAD), str(port), f"{rate:.3f}", str(seconds), str(connections), mode, address]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def sent(result):
    """What the client knows, as {(method, path, status): count}; status 0 was never answered."""
    return collections.Counter({(method, path, status): count for method, path, status, count in result["answers"]})


def expected(result, client):
    """A server that read no request answered none; the client knows that it asked."""
    counts = collections.Counter()
    for (method, path, status), count in sent(result).items():
        if status == 0 and not client:
            continue
        # A client has no routes, and a path that was not found has none either.
        counts[method, status] += count
    return counts


def seen(sonde, side, labels):
    counts, routes, names = collections.Counter(), collections.Counter(), set()
    for found, value in sonde.series(f"http_{side}_request_duration_seconds_count", **labels):
        names.add(found["service_name"])
        status = int(found.get("http_response_status_code") or 0)
        counts[found["http_request_method"], status] += int(value)
        if side == "server" and status == 200:
            routes[found.get("http_route", "")] += int(value)
    return counts, routes, names


def own(sonde, name):
    return sum(value for _, value in select(sonde.own_metrics_text(), name, {}))


def difference(want, have):
    return {f"{method} {status}": [want[method, status], have[method, status]]
            for method, status in sorted(set(want) | set(have)) if want[method, status] != have[method, status]}


def measure(name, runtime, mode, options):
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        directory.chmod(0o755)
        process, port = runtime.start(directory)
        try:
            # Just-in-time compilers and interpreters get a first second that nobody looks at.
            load(port, 0, min(1, options.probe), mode, options.connections)
            fastest = load(port, 0, options.probe, mode, options.connections)
            answered = fastest["sent"] / fastest["seconds"]
            rate = min(options.rate, 0.6 * answered)
            sonde = Sonde(send_otlp=False)
            try:
                result = load(port, rate, options.seconds, mode, options.connections)
                server_want, client_want = expected(result, False), expected(result, True)
                server_labels = {"server_port": port}
                client_labels = {"service_name": CLIENT, "server_port": port}
                eventually(lambda: seen(sonde, "server", server_labels)[0] == server_want
                           and seen(sonde, "client", client_labels)[0] == client_want, 5)
                server, routes, names = seen(sonde, "server", server_labels)
                client, _, _ = seen(sonde, "client", client_labels)
                routes_right = set(routes) <= {ROUTE}
                lost = own(sonde, "sonde_probe_lost_events_total")
                gaps = own(sonde, "sonde_probe_gaps_total")
            finally:
                sonde.stop()
        finally:
            stop_group(process)
    figure = {
        "figure": "counts", "server": name, "connection": mode, "requests": result["sent"],
        "requests_per_second": round(rate), "fastest": round(answered),
        "server_ratio": round(sum(server.values()) / max(1, sum(server_want.values())), 6),
        "client_ratio": round(sum(client.values()) / max(1, sum(client_want.values())), 6),
        "exact": server == server_want and client == client_want and routes_right and lost == 0
        and names == {runtime.service},
        "lost_events": int(lost), "gaps": int(gaps)}
    for key, value in (("server_differs", difference(server_want, server)),
                       ("client_differs", difference(client_want, client)),
                       ("names", names - {runtime.service} and sorted(names)),
                       ("routes", {} if routes_right else dict(routes)),
                       ("refused", result["refused"]), ("stuck", result["stuck"]),
                       ("unanswered", sum(n for (_, _, status), n in sent(result).items() if status == 0))):
        if value:
            figure[key] = value
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of server names; all by default")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--probe", type=float, default=3, help="how long the uninstrumented rate is measured")
    parser.add_argument("--rate", type=float, default=2000)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    build_load()
    wrong = 0
    for name, runtime in (RUNTIMES | UNKNOWN | SLOW).items():
        if options.names and not any(part in name for part in options.names):
            continue
        for mode in ("keep_alive", "fresh"):
            try:
                figure = measure(name, runtime, mode, options)
            except pytest.skip.Exception as skipped:
                print(json.dumps({"figure": "counts", "server": name, "skipped": str(skipped)}), flush=True)
                break
            wrong += not figure["exact"]
            print(json.dumps(figure), flush=True)
    return 1 if wrong else 0


sys.exit(main())
