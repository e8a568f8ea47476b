# SPDX-License-Identifier: Apache-2.0
"""What a back end says reaches a sender that waits for it; and the time on the wall decides nothing."""
import email.utils
import struct
import subprocess
import time
import urllib.request

import grpc
import pytest

from ledger import ITEMS, SIGNALS, Traces
from ledger_back_end import Answer
from sonde import ROOT, eventually
from test_ledger import STATUSES, Setup

# As the receiver of the Collector answers what its exporter made of a status.
HTTP_ANSWERS = {400: 400, 401: 401, 403: 403, 404: 404, 429: 429, 502: 503, 503: 503, 504: 503}


@pytest.mark.parametrize("wait", [None, "2"])
@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_sender_that_waits_hears_what_the_back_end_said(tmp_path, protocol, wait):
    setup = Setup(tmp_path, protocol, "memory", change=lambda config: config.replace(
        "sending_queue: {", "sending_queue: {enabled: false, ").replace(
        "retry_on_failure: {", "retry_on_failure: {enabled: false, "))
    try:
        for status in STATUSES[protocol]:
            setup.back_end.behave = lambda *_, status=status: Answer(status=status, wait=wait)
            numbers, taken = setup.sender.send(Traces)
            assert not taken
            if protocol == "grpc":
                code = next(code for code in grpc.StatusCode if code.value[0] == status)
                # UNAVAILABLE without a time to wait looks as if nobody had answered.
                if wait is None and code == grpc.StatusCode.UNAVAILABLE:
                    continue
                expected = (code, wait and float(wait))
            else:
                answer = HTTP_ANSWERS.get(status, 500)
                expected = (answer, int(wait) if wait and answer in (429, 503) else None)
            assert setup.sender.refused["traces"][numbers[0]] == expected, status
        # Their senders heard of all of them.
        assert not setup.back_end.delivered["traces"]
    finally:
        setup.stop()


def clock_of(setup):
    """What time Sonde believes it is."""
    with urllib.request.urlopen(f"http://127.0.0.1:{setup.relay.own_port}/metrics", timeout=10) as response:
        return email.utils.parsedate_to_datetime(response.headers["Date"]).timestamp()


@pytest.mark.parametrize("protocol", ["grpc", "http"])
@pytest.mark.parametrize("queue", ["memory", "disk"])
def test_clocks_that_jump_lose_nothing(tmp_path, protocol, queue):
    library = tmp_path / "clock_jump.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, ROOT / "tests/e2e/clock_jump.c"], check=True)
    jump = tmp_path / "jump"

    def set_clock(seconds):
        with open(jump, "r+b") as file:
            file.write(struct.pack("q", seconds))
    jump.write_bytes(struct.pack("q", 0))
    setup = Setup(tmp_path, protocol, queue, give_up="60s",
                  environment={"LD_PRELOAD": str(library), "SONDE_CLOCK_JUMP": str(jump)})
    try:
        setup.back_end.behave = lambda signal, numbers, attempt: Answer(delay=0.2) if attempt == 0 else Answer()
        for seconds in (3600, -86400, 10 * 365 * 86400, 0):
            setup.link.down()
            set_clock(seconds)
            assert abs(clock_of(setup) - time.time() - seconds) < 60
            setup.sender.burst(5)
            setup.link.up()
            set_clock(-seconds)
            setup.sender.burst(5)
        setup.back_end.unsure()
        assert eventually(lambda: setup.relay.total("otelcol_exporter_queue_size") == 0, 60), setup.relay.log()[-2000:]
        setup.back_end.unsure()
        setup.settle()
        for signal in SIGNALS:
            assert not setup.drops.since(signal)
            assert len(setup.back_end.delivered[signal.name]) == 40 * ITEMS
    finally:
        setup.stop()
