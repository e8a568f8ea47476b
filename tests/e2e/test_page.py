# SPDX-License-Identifier: Apache-2.0
"""The page in Chromium shows exactly what a client counted: by service, method, route and status, at both ends."""
import collections
import shutil

import pytest
from playwright.sync_api import sync_playwright

from client import send_requests
from page import Page, launch
from runtimes import PYTHON, SERVERS, Runtime
from sonde import Sonde, eventually, select
from test_demo import demo_services, expected_calls, load  # noqa: F401 (demo_services is a fixture)

REQUESTS = ([("GET", f"/items/{n}") for n in range(90)] + [("POST", f"/items/{n}") for n in range(40)] +
            [("GET", "/missing")] * 30 + [("GET", "/broken")] * 20)
ROUTES = {f"/items/{n}": "/items/{id}" for n in range(90)}


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def watcher():
    sonde = Sonde(send_otlp=False)
    yield sonde
    sonde.stop()


@pytest.fixture
def page(browser, watcher):
    page = Page(browser, watcher)
    yield page
    assert page.wrong == []
    page.tab.close()


def python_service(tmp_path, script, name, *arguments):
    """A copy of a counted server under a name that no other test uses."""
    shutil.copy(SERVERS / script, tmp_path / f"{name}.py")
    return Runtime(name, [PYTHON, f"{tmp_path}/{name}.py", "{port}", *arguments])


def by_route(counts):
    routes = collections.Counter()
    for (method, path, status), count in counts.items():
        routes[method, ROUTES.get(path, path), str(status)] += count
    return dict(routes)


def test_the_endpoints_show_each_method_route_and_status_as_often_as_it_was_sent(page, start, tmp_path):
    port = start(python_service(tmp_path, "counted_http.py", "shown"))

    sent = by_route(send_requests(port, REQUESTS))

    page.open("/services?range=15m")
    assert page.eventually(lambda: page.services().get("shown"), len(REQUESTS)) == len(REQUESTS)
    page.open("/services/shown?range=15m")
    assert page.eventually(page.endpoints, sent) == sent
    row = next(row for row in page.table("Endpoints") if row["Endpoint"] == "GET /broken")
    assert (row["Requests"], row["Errors"]) == ("20", "100 %")
    row = next(row for row in page.table("Endpoints") if row["Endpoint"] == "GET /missing")
    assert (row["Requests"], row["Errors"]) == ("30", "0 %")


def test_both_ends_of_a_call_show_the_same_counts(page, start, tmp_path):
    behind_port = start(python_service(tmp_path, "counted_http.py", "behind"))
    front_port = start(python_service(tmp_path, "forwarder.py", "front", str(behind_port)))
    requests = [request for request in REQUESTS if request[0] == "GET"]

    send_requests(front_port, requests)

    expected = {("GET", "200"): 90, ("GET", "404"): 30, ("GET", "500"): 20}
    page.open("/services/front?range=15m")
    called = {("behind", *answer): count for answer, count in expected.items()}
    assert page.eventually(lambda: page.peers("Whom it calls"), called) == called
    page.open("/services/behind?range=15m")
    callers = {("front", *answer): count for answer, count in expected.items()}
    assert page.eventually(lambda: page.peers("Who calls it"), callers) == callers
    assert page.endpoints() == {("GET", "/items/{id}", "200"): 90, ("GET", "/missing", "404"): 30,
                                ("GET", "/broken", "500"): 20}
    page.open("/map?view=table&range=15m")
    assert page.eventually(lambda: page.calls().get(("front", "behind")), len(requests)) == len(requests)
    row = next(row for row in page.table("Calls") if row["names"][:2] == ["front", "behind"])
    assert (row["Errors"], row["4xx"]) == ("14 %", "21 %")


def test_every_demo_service_is_counted_in_the_page(browser, demo_services, tmp_path):  # noqa: F811
    sonde = Sonde(send_otlp=False)
    page = Page(browser, sonde)
    sent = load(300, 23)
    edges = expected_calls(sent)
    served = collections.Counter()
    for (_, server), count in edges.items():
        served[server] += count

    page.open("/services?range=15m")
    shown = lambda: {name: count for name, count in page.services().items() if name in served}
    assert page.eventually(shown, dict(served)) == dict(served)

    page.open("/map?view=table&range=15m")
    names = {name for edge in edges for name in edge}
    calls = lambda: {edge: count for edge, count in page.calls().items() if set(edge) & names}
    assert page.eventually(calls, edges) == edges

    page.open("/services/gateway?range=15m")
    routes = {route.replace("{sku}", "{id}"): count for route, count in sent["routes"].items()}

    def gateway():
        by_route, by_status = collections.Counter(), collections.Counter()
        for (method, route, code), count in page.endpoints().items():
            by_route[f"{method} {route}"] += count
            by_status[code] += count
        return dict(by_route), dict(by_status)

    assert page.eventually(gateway, (routes, sent["statuses"])) == (routes, sent["statuses"])
    assert page.wrong == []
    page.tab.close()
    sonde.stop()


def test_the_reader_of_the_page_is_not_part_of_it(page, watcher):
    page.open("/map?view=table&range=15m")
    for _ in range(3):
        with page.tab.expect_response(lambda response: "/api/v1/map" in response.url) as answer:
            pass
        ends = {end for edge in answer.value.json()["edges"] for end in (edge["client"], edge["server"])}
        assert f"127.0.0.1:{watcher.ports['page_port']}" not in ends
    assert select(watcher.own_metrics_text(), "sonde_probe_excluded_connections_total", {"reason": "own"})[0][1] > 0


def test_the_pipelines_show_what_the_receiver_took_in(page, start, tmp_path):
    port = start(python_service(tmp_path, "counted_http.py", "piped"))
    page.open("/pipelines?view=table&range=15m")
    items = lambda: {tuple(row["names"][:2]): int(row["Items"].replace(",", "")) for row in page.table("Edges")
                     if row["Pipeline"] == "traces"}
    assert eventually(lambda: ("ebpf", "rollup") in items()), page.table("Edges")
    before = items()["ebpf", "rollup"]

    send_requests(port, REQUESTS)

    # The client's side of each request is a span as well.
    assert eventually(lambda: items()["ebpf", "rollup"] >= before + 2 * len(REQUESTS)), items()
    assert set(items()) == {("ebpf", "rollup"), ("ebpf", "span_metrics"), ("ebpf", "service_graph")}
    lost = {row["names"][0]: row["Lost"] for row in page.table("Components")}
    assert lost == {"ebpf": "0", "span_metrics": "0", "service_graph": "0", "rollup": "0", "prometheus": "0", "console": "–"}


def test_a_stopped_agent_leaves_its_figures_and_says_so(browser, start, tmp_path):
    sonde = Sonde(send_otlp=False)
    page = Page(browser, sonde)
    port = start(python_service(tmp_path, "counted_http.py", "kept"))
    send_requests(port, REQUESTS[:50])
    page.open("/services?range=15m")
    assert page.eventually(lambda: page.services().get("kept"), 50) == 50

    sonde.stop()

    page.tab.wait_for_selector("text=Sonde does not answer", timeout=20_000)
    assert page.services()["kept"] == 50
    page.tab.close()
