#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What single functions cost: the Google Benchmark programs of the rooms (src/**/*_bench.cc), ten repetitions each,
medians with their spread. Prints one JSON line a benchmark. usage: ./dev bench rooms [PART OF A NAME]"""
import collections
import json
import pathlib
import subprocess
import sys

from figure import show

BUILD = pathlib.Path(__file__).resolve().parent.parent / "build/release"
# The codec's bar: the same work by libprotobuf with an arena is 1.
BARS = {"DecodeEditEncodeToLibprotobuf": 0.07}


def median_and_spread(values):
    values = sorted(values)
    return values[len(values) // 2], values[0], values[-1]


def main():
    part = sys.argv[1] if len(sys.argv) > 1 else "."
    for program in sorted(BUILD.glob("*_bench")):
        print(f"bench: {program.name}", file=sys.stderr)
        done = subprocess.run([program, f"--benchmark_filter={part}", "--benchmark_repetitions=10", "--benchmark_min_time=0.05",
                               "--benchmark_enable_random_interleaving=true", "--benchmark_format=json"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True).stdout
        runs = collections.defaultdict(list)
        for run in json.loads(done)["benchmarks"] if done.strip() else []:
            if run["run_type"] == "iteration":
                runs[run["name"]].append(run)
        for name, repetitions in runs.items():
            # A benchmark's own ratio or cost of one span says more than the time of a turn of its loop.
            key = next((k for k in ("ratio", "per_span") if k in repetitions[0]), "cpu_time")
            value, low, high = median_and_spread([run[key] for run in repetitions])
            unit = {"ratio": "ratio", "per_span": "s"}.get(key, repetitions[0]["time_unit"])
            show(f"{program.name.removesuffix('_bench')}/{name}", float(f"{value:.4g}"), at_most=BARS.get(name), unit=unit,
                 low=float(f"{low:.4g}"), high=float(f"{high:.4g}"))


main()
