# SPDX-License-Identifier: Apache-2.0
"""The demo as a user runs it: true edges, true counts, and the slowed service named from the JSON alone."""
import collections
import json
import os
import random
import subprocess

import pytest

from sonde import ROOT, Sonde, eventually, free_ports

GRAPH = json.loads((ROOT / "demo" / "graph.json").read_text())
EDGES = {(edge["client"], edge["server"]) for edge in GRAPH["edges"]}


def demo(*arguments):
    result = subprocess.run([str(ROOT / "demo" / "demo"), *arguments], capture_output=True, text=True, timeout=240)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def load(requests, seed):
    return json.loads(demo("load", "--requests", str(requests), "--seed", str(seed)))


@pytest.fixture(scope="module")
def demo_services(tmp_path_factory):
    os.environ["DEMO_PORT_BASE"] = str(free_ports(12))
    os.environ["DEMO_DIR"] = str(ROOT / "build" / "demo-e2e")
    demo("start")
    yield
    demo("stop")


@pytest.fixture
def watcher(demo_services):
    sonde = Sonde()
    yield sonde
    sonde.stop()


def calls(sonde):
    names = {service["name"] for service in GRAPH["services"]} | {"loadgen"}
    return {(edge["client"], edge["server"]): edge["calls"] for edge in sonde.api("/map")["edges"]
            if edge["client"] in names or edge["server"] in names}


def expected_calls(sent):
    return {tuple(edge.split("->")): count for edge, count in sent["expected_calls"].items()}


def test_the_map_shows_the_true_calls_and_no_other(watcher):
    expected = expected_calls(load(300, 7))
    assert set(expected) == EDGES

    eventually(lambda: calls(watcher) == expected)

    assert calls(watcher) == expected


def test_each_service_is_counted_as_server_and_as_client(watcher):
    expected = expected_calls(load(200, 11))
    served, called = collections.Counter(), collections.Counter()
    for (client, server), count in expected.items():
        called[client] += count
        served[server] += count

    def seen(side):
        totals = collections.Counter()
        for labels, value in watcher.series(f"http_{side}_request_duration_seconds_count"):
            if labels["service_name"] in served or labels["service_name"] in called:
                totals[labels["service_name"]] += int(value)
        return totals

    eventually(lambda: seen("server") == served and seen("client") == called)
    assert seen("server") == served
    assert seen("client") == called


def test_languages_are_told(watcher):
    load(50, 3)
    expected = {service["name"]: service["language"] for service in GRAPH["services"]}

    def languages():
        return {service["name"]: service["language"] for service in watcher.api("/services")["services"]
                if service["name"] in expected}

    eventually(lambda: languages() == expected)
    assert languages() == expected


def test_a_service_slowed_at_random_is_named_from_the_page_data_alone(watcher):
    slow = random.choice([edge["server"] for edge in GRAPH["edges"] if edge["server"] not in ("gateway",)])
    demo("slow", slow, "400ms")
    try:
        load(60, 5)
        named = eventually(lambda: culprit(watcher))
        assert named == slow
    finally:
        demo("slow", slow, "0")


def culprit(sonde):
    """Follows the largest share of time from the entry until a service spends it itself."""
    name, seen = "gateway", set()
    while name not in seen:
        seen.add(name)
        spent = sonde.api(f"/services/{name}")["time_spent"]
        if not spent["total_s"]:
            return None
        shares = {callee["peer"]: callee["seconds"] for callee in spent["callees"]}
        worst = max(shares, key=shares.get, default=None)
        if worst is None or shares[worst] < spent["own_s"] + spent["queue_s"]:
            return name
        name = worst
    return name
