#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a pipeline costs: CPU time of the process per item that reached the back end, of Sonde, of the
reference forwarder (bench/pipeline/reference.cc) and, with --peer otelcol, of an OpenTelemetry Collector.
The process under test has CPU 0, the load generator and the sink, which are one process, have CPU 1. The
systems alternate within each round, and a figure is the median of the rounds' ratios, because a machine's
speed drifts more between rounds than the systems differ. Every round checks that what was sent was
delivered. Prints one JSON line a scenario. usage: ./dev bench pipeline [--help]"""
import argparse
import contextlib
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
from pipeline_scenarios import SCENARIOS, collector_config, reference_flags  # noqa: E402

MEGABYTES = 48  # of a data set: more than the last cache of most machines


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def pinned(cpu, priority, realtime):
    def prepare():
        os.sched_setaffinity(0, {cpu})
        if realtime:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        elif priority:
            with contextlib.suppress(PermissionError):
                os.nice(priority)
    return prepare


def status_kb(pid, key):
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith(key + ":"):
                return int(line.split()[1])
    return 0


def cpu_seconds(pid):
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


class System:
    """One process under test, listening and ready."""

    def __init__(self, name, command, ports, directory, args):
        self.name, self.ports = name, ports
        self.log = open(directory / f"{name}.log", "w+")
        environment = dict(os.environ, GOMAXPROCS="1")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, env=environment,
                                        preexec_fn=pinned(0, args.nice, args.realtime))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", ports["in"]), 1).close()
                return
            time.sleep(0.05)
        text = self.tail()
        self.stop()
        raise RuntimeError(f"{name} does not start: {text}")

    def tail(self):
        self.log.flush()
        return pathlib.Path(self.log.name).read_text()[-600:]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class RssPeak(threading.Thread):
    """The largest resident size of a process while it lasts; VmHWM would hold the rounds before as well."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak, self.ended = pid, 0, threading.Event()

    def run(self):
        while not self.ended.wait(0.05):
            with contextlib.suppress(OSError):
                self.peak = max(self.peak, status_kb(self.pid, "VmRSS"))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


class Suite:
    def __init__(self, args):
        self.args = args
        self.tools = pathlib.Path(args.tools)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sonde-bench-"))

    def data_set(self, scenario):
        gzip = scenario.get("gzip_in", False)
        name = f"{scenario['data']}-{scenario['items']}{'-gzip' if gzip else ''}-{self.args.seed}.data"
        path = self.tools / "data" / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            subprocess.run([self.tools / "pipeline_data", scenario["data"], str(scenario["items"]), str(MEGABYTES),
                            str(self.args.seed), path] + (["--gzip"] if gzip else []), check=True, stdout=sys.stderr)
        return path

    def systems(self, scenario):
        """Starts what takes part; a system that refuses the scenario is named with its reason."""
        started, refused = [], {}
        for name in self.args.systems:
            ports = dict(zip(("in", "out", "own"), free_ports(3)))
            try:
                started.append(System(name, self.command(name, scenario, ports), ports, self.directory, self.args))
            except RuntimeError as error:
                refused[name] = str(error)
        return started, refused

    def command(self, name, scenario, ports):
        if name == "reference":
            return [self.tools / "pipeline_reference", f"127.0.0.1:{ports['in']}", f"127.0.0.1:{ports['out']}",
                    *reference_flags(scenario)]
        config = self.directory / f"{name}-{ports['in']}.yaml"
        config.write_text(collector_config(scenario, ports, name))
        if name == "sonde":
            return [self.args.sonde, "run", "--config", config]
        return [self.args.otelcol, "--config", config]

    def round(self, scenario, system):
        command = [self.tools / "pipeline_load", "--data", self.data_set(scenario),
                   "--target", f"127.0.0.1:{system.ports['in']}", "--sink", f"127.0.0.1:{system.ports['out']}",
                   "--pid", str(system.process.pid), "--seconds", str(scenario.get("seconds", self.args.seconds))]
        for key in ("connections", "window", "rate", "sink_rate", "warm_up", "drain"):
            if key in scenario:
                command += ["--" + key.replace("_", "-"), str(scenario[key])]
        with RssPeak(system.process.pid) as rss:
            done = subprocess.run(command, capture_output=True, text=True, preexec_fn=pinned(1, self.args.nice, self.args.realtime))
        if done.returncode != 0:
            raise RuntimeError(f"{system.name}: {done.stderr.strip()} {system.tail()}")
        result = json.loads(done.stdout)
        result["rss_mb"] = round(rss.peak / 1024, 1)
        result["ns_per_item"] = result["cpu_ns"] / max(1, result["delivered"])
        if result["malformed"] or result["unanswered"] or result["delivered"] + result["refused"] != result["sent"]:
            raise RuntimeError(f"{system.name}: sent {result['sent']}, delivered {result['delivered']}, refused "
                               f"{result['refused']}, unanswered {result['unanswered']}: {result['error']}")
        if result["refused"] and not scenario.get("may_refuse"):
            raise RuntimeError(f"{system.name}: refused {result['refused']} items: {result['error']}")
        return result

    def run(self, name, scenario):
        line = {"figure": "pipeline", "scenario": name, "rounds": self.args.rounds}
        systems, refused = self.systems(scenario)
        rounds = {s.name: [] for s in systems}
        try:
            for number in range(self.args.rounds):
                for i in range(len(systems)):
                    system = systems[(i + number) % len(systems)]
                    if system.name in refused:
                        continue
                    try:
                        rounds[system.name].append(self.round(scenario, system))
                        if self.args.verbose:
                            print(name, system.name, json.dumps(rounds[system.name][-1]), file=sys.stderr)
                    except RuntimeError as error:
                        refused[system.name] = str(error)
        finally:
            for system in systems:
                system.stop()
        line.update(summary(scenario, {n: r for n, r in rounds.items() if r and n not in refused}))
        line["failed"] = refused
        line["machine_load"] = os.getloadavg()[0]
        return line

    def idle(self, name, scenario):
        """What each system holds and uses when nothing comes."""
        line = {"figure": "pipeline", "scenario": name}
        systems, refused = self.systems(scenario)
        try:
            time.sleep(3)
            before = {s.name: cpu_seconds(s.process.pid) for s in systems}
            time.sleep(scenario["seconds"])
            for s in systems:
                used = {"cpu_percent": round(100 * (cpu_seconds(s.process.pid) - before[s.name]) / scenario["seconds"], 3),
                        "rss_mb": round(status_kb(s.process.pid, "VmRSS") / 1024, 1)}
                if s.name == "sonde":
                    used["met"] = (used["cpu_percent"] <= scenario["most_cpu_percent"] and used["rss_mb"] <= scenario["most_rss_mb"])
                line[s.name] = used
        finally:
            for system in systems:
                system.stop()
        line["failed"] = refused
        line["machine_load"] = os.getloadavg()[0]
        return line


def ratio(values, bar):
    """The median with its spread, held against its bar where there is one."""
    line = {"median": round(statistics.median(values), 2), "min": round(min(values), 2), "max": round(max(values), 2)}
    return line | ({"at_least": bar, "met": line["median"] >= bar} if bar else {})


def summary(scenario, rounds):
    out = {}
    for name, results in rounds.items():
        median = statistics.median
        figures = {"ns_per_item": round(median(r["ns_per_item"] for r in results), 1),
                   "user_share": round(median(r["user_share"] for r in results), 2),
                   "items_per_second": round(median(r["delivered"] / r["seconds"] for r in results)),
                   "rss_mb": max(r["rss_mb"] for r in results),
                   "requests_out_per_in": round(median(r["requests_out"] / r["requests_in"] for r in results), 3)}
        if scenario.get("rate"):
            for key in ("delivery_ms", "answer_ms"):
                figures[key] = {q: round(median(r[key][q] for r in results), 3) for q in ("p50", "p99")}
        if scenario.get("may_refuse"):
            figures["refused_share"] = round(sum(r["refused"] for r in results) / sum(r["sent"] for r in results), 3)
        out[name] = figures
    for peer in rounds:
        if peer == "sonde" or "sonde" not in rounds:
            continue
        pairs = list(zip(rounds[peer], rounds["sonde"]))
        out[f"{peer}_to_sonde"] = ratio([p["ns_per_item"] / s["ns_per_item"] for p, s in pairs], scenario.get("bars", {}).get(peer))
        if "p99_bars" in scenario:
            out[f"{peer}_p99_to_sonde"] = ratio([p["delivery_ms"]["p99"] / s["delivery_ms"]["p99"] for p, s in pairs],
                                                scenario["p99_bars"].get(peer))
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", help="all by default: " + ", ".join(SCENARIOS))
    parser.add_argument("--sonde", default=ROOT / "build/release/sonde")
    parser.add_argument("--tools", default=ROOT / "build/release", help="where pipeline_load and its kin lie")
    parser.add_argument("--peer", choices=["otelcol"], help="a real peer in the same rounds, built in build/peer")
    parser.add_argument("--otelcol", default=ROOT / "build/peer/otelcol")
    parser.add_argument("--without", action="append", default=[], choices=["sonde", "reference"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of sending in each round")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--nice", type=int, default=0, help="negative on a machine that others use as well")
    parser.add_argument("--realtime", action="store_true",
                        help="before all other work of the machine (SCHED_FIFO), which then waits")
    parser.add_argument("--verbose", action="store_true", help="each round on standard error")
    args = parser.parse_args()
    if unknown := set(args.scenarios) - set(SCENARIOS):
        sys.exit(f"bench/pipeline.py: no such scenario: {', '.join(sorted(unknown))}")
    if os.cpu_count() < 2:
        sys.exit("bench/pipeline.py: needs two CPUs, one for what is measured and one for the load")
    args.systems = [s for s in ("sonde", "reference") if s not in args.without]
    if "reference" in args.systems and not (pathlib.Path(args.tools) / "pipeline_reference").exists():
        print("no reference forwarder was built: libgrpc++-dev and protobuf-compiler-grpc are missing", file=sys.stderr)
        args.systems.remove("reference")
    if args.peer:
        if not pathlib.Path(args.otelcol).exists():
            subprocess.run([ROOT / "bench/peer/build"], check=True, stdout=sys.stderr)
        args.systems.append("otelcol")
    suite = Suite(args)
    failed = False
    for name, scenario in SCENARIOS.items():
        if args.scenarios and name not in args.scenarios:
            continue
        line = suite.idle(name, scenario) if scenario.get("idle") else suite.run(name, scenario)
        failed = failed or "sonde" in line["failed"]
        print(json.dumps(line), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
