# SPDX-License-Identifier: Apache-2.0
"""The live tap of an edge: what a client sent is what the stream shows, only to who holds the token, and within its bounds."""
import json
import queue
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import jsonschema
import pytest
from playwright.sync_api import sync_playwright

import sonde
from page import launch
from test_encodings import spans

CONFIG = """
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{otlp}"}}}}}}
processors:
  attributes: {{actions: [{{key: added, value: by-the-processor, action: insert}}]}}
exporters:
  nop:
extensions:
  console: {{endpoint: "127.0.0.1:{page}"}}
service:
  extensions: [console]
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces/in: {{receivers: [otlp], processors: [attributes], exporters: [nop]}}
"""
BEFORE = "receiver/otlp>processor/attributes@traces/in>traces/in"
AFTER = "processor/attributes@traces/in>exporter/nop>traces/in"
MOST = 8
SCHEMA = json.loads((sonde.ROOT / "src/components/extension/console/api.schema.json").read_text())


class Relay(sonde.Running):
    def __init__(self, directory):
        self.ports = {name: sonde.free_port() for name in ("otlp", "page")}
        super().__init__(directory, CONFIG.format(**self.ports))

    @property
    def token(self):
        # Printed soon after all of it runs.
        return sonde.eventually(lambda: re.search(r"token=([0-9a-f]+)", self.log()))[1]

    def replace(self, old, new):
        text = self.config.read_text()
        assert old in text
        self.reload(text.replace(old, new))

    def send(self, name, count=50):
        request = spans(name)
        del request.resource_spans[0].scope_spans[count:]
        urllib.request.urlopen(urllib.request.Request(
            f"http://127.0.0.1:{self.ports['otlp']}/v1/traces", request.SerializeToString(),
            {"Content-Type": "application/x-protobuf"}), timeout=30).close()

    def ask(self, path, token=True):
        headers = {"Authorization": f"Bearer {self.token}"} if token else {}
        return urllib.request.urlopen(
            urllib.request.Request(f"http://127.0.0.1:{self.ports['page']}/api/v1{path}", headers=headers), timeout=60)

    def tap(self, edge, token=True):
        return self.ask("/pipelines/tap?edge=" + urllib.parse.quote(edge), token)


class Events:
    """The events of a stream, as they come."""

    def __init__(self, answer):
        self.answer = answer
        self.events = queue.Queue(maxsize=10_000)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        name = None
        try:
            for line in self.answer:
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    self.events.put((name, json.loads(value)))
        except (OSError, ValueError, AttributeError):
            pass  # Closed here.

    def next(self, seconds=30):
        return self.events.get(timeout=seconds * sonde.PATIENCE)


@pytest.fixture
def relay(tmp_path):
    with Relay(tmp_path) as running:
        yield running


def refusal(ask):
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask()
    return refused.value.code, json.loads(refused.value.read())["error"]["what"]


def validate(name, value):
    jsonschema.validate(value, {"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]})


def test_an_edge_shows_what_passes_it_before_and_after_a_processor(relay):
    before, after = Events(relay.tap(BEFORE)), Events(relay.tap(AFTER))
    for events, edge in ((before, BEFORE), (after, AFTER)):
        name, opened = events.next()
        assert (name, opened["edge"]) == ("open", edge)
        validate("TapOpened", opened)
    relay.send("checkout")
    seen = [before.next(), after.next()]
    for name, batch in seen:
        assert name == "batch"
        validate("TapBatch", batch)
        assert (batch["signal"], batch["items"], batch["shown"], batch["cut"]) == ("traces", 50, 10, False)
        assert batch["text"].count("span_id:") == 10 and 'name: "checkout"' in batch["text"]
    assert "by-the-processor" not in seen[0][1]["text"]
    assert seen[1][1]["text"].count('added = "by-the-processor"') == 10


def test_a_fast_edge_is_shown_in_part_and_the_rest_is_counted(relay):
    events = Events(relay.tap(BEFORE))
    events.next()
    begin = time.monotonic()
    for _ in range(300):
        relay.send("fast", 10)
    took = time.monotonic() - begin
    shown = [events.next()]
    # Each batch is shown or counted before the next one that is.
    counted = lambda: sum(1 + batch["skipped_batches"] for _, batch in shown)
    while counted() < 300:
        try:
            shown.append(events.next(2))
        except queue.Empty:
            relay.send("last", 1)  # What passed unseen is told with the next batch.
            shown.append(events.next())
    assert len(shown) <= took / 0.25 + 4
    assert sum(batch["items"] + batch["skipped_items"] for _, batch in shown) >= 3000


def test_only_who_is_signed_in_may_watch_and_not_too_many(relay):
    assert refusal(lambda: relay.tap(BEFORE, token=False))[0] == 401
    assert refusal(lambda: relay.tap("receiver/none>exporter/nop>traces")) == (404, "No such edge")
    open_taps = [relay.tap(BEFORE) for _ in range(MOST)]
    assert refusal(lambda: relay.tap(AFTER)) == (429, "Too many watch already")
    open_taps.pop().close()
    assert sonde.eventually(lambda: _opens(relay)), relay.log()
    for tap in open_taps:
        tap.close()


def _opens(relay):
    try:
        relay.tap(AFTER).close()
        return True
    except urllib.error.HTTPError:
        return False


def test_a_tap_goes_on_over_a_new_configuration_and_ends_with_its_edge(relay):
    before, after = Events(relay.tap(BEFORE)), Events(relay.tap(AFTER))
    before.next(), after.next()

    def value():
        relay.send("again", 1)
        batch = after.next()[1]
        return re.findall('added = "([a-z-]+)"', batch["text"])[-1]

    assert value() == "by-the-processor"
    relay.replace("by-the-processor", "by-another")
    assert sonde.eventually(lambda: value() == "by-another"), relay.log()
    relay.replace("processors: [attributes], ", "")
    # What is still to be read of the stream comes first.
    assert sonde.eventually(lambda: after.next()[0] == "gone"), relay.log()
    assert sonde.eventually(lambda: before.next()[0] == "gone"), relay.log()
    assert refusal(lambda: relay.tap(AFTER))[0] == 404


def test_the_answer_tells_how_components_fare(relay):
    answer = json.loads(relay.ask("/pipelines").read())
    validate("PipelinesAnswer", answer)
    assert {c["key"]: c["status"]["state"] for c in answer["components"]} == {
        "receiver/otlp": "ok", "processor/attributes@traces/in": "ok", "exporter/nop": "ok", "extension/console": "ok"}


def test_the_page_shows_the_tap_of_an_edge_and_pauses(relay):
    with sync_playwright() as playwright:
        browser = launch(playwright)
        tab = browser.new_page()
        wrong = []
        tab.on("console", lambda message: message.type in ("error", "warning") and wrong.append(message.text))
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.goto(f"http://127.0.0.1:{relay.ports['page']}/?token={relay.token}")
        tab.goto(f"http://127.0.0.1:{relay.ports['page']}/pipelines?sel={urllib.parse.quote(BEFORE)}")
        tap = tab.locator('section[aria-label="Live tap"]')
        tap.get_by_text("No spans pass now").wait_for()
        assert "ok since" in tab.locator("aside").inner_text()
        relay.send("seen-on-the-page")
        tap.locator("pre").first.wait_for()
        assert 'name: "seen-on-the-page"' in tap.locator("pre").first.inner_text()
        tap.get_by_role("button").click()
        tap.get_by_text("Paused.").wait_for()
        # A paused page watches nothing: all places are free.
        assert sonde.eventually(lambda: _all_places(relay))
        relay.send("not-shown")
        assert tap.locator("pre").count() == 1
        assert wrong == []
        browser.close()


def _all_places(relay):
    taps = []
    try:
        taps = [relay.tap(AFTER) for _ in range(MOST)]
    except urllib.error.HTTPError:
        pass
    for tap in taps:
        tap.close()
    return len(taps) == MOST
