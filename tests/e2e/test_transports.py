# SPDX-License-Identifier: Apache-2.0
"""What carries the bytes does not matter: IPv6, IPv4 through an IPv6 socket, unix sockets."""
import collections

import pytest

from client import send_requests
from runtimes import FASTCGI, Runtime, both
from setups import nginx_in_front
from sonde import eventually
from test_counts import REQUESTS, seen_by_the_client, seen_on_metrics, sent_by_status

NODE = ["node", "{servers}/counted_node.js", "{port}"]
TO_HTTP = "proxy_pass http://unix:{dir}/behind; proxy_http_version 1.1;"


@pytest.mark.parametrize("connection", ["keep_alive", "fresh"])
@pytest.mark.parametrize("bound, called", [("::1", "::1"), ("::", "::1"), ("::", "127.0.0.1")])
def test_ipv6_is_counted_like_ipv4(sonde, start, bound, called, connection):
    runtime = Runtime("counted_node", NODE + [bound], loopback=called)
    port = start(runtime)

    sent = sent_by_status(send_requests(port, REQUESTS, connection == "keep_alive", called))

    eventually(lambda: seen_on_metrics(sonde, runtime.service, port) == sent)
    assert seen_on_metrics(sonde, runtime.service, port) == sent
    assert eventually(lambda: seen_by_the_client(sonde, port) == sent)
    addresses = {labels["server_address"] for labels, _ in sonde.series(
        "http_client_request_duration_seconds_count", server_port=port)}
    assert addresses == {called}


def on_unix_socket(sonde, side, service):
    """A unix socket has no port; of earlier tests nothing may be counted, so the service is this test's own."""
    by_status = collections.Counter()
    for labels, value in sonde.series(f"http_{side}_request_duration_seconds_count", service_name=service,
                                      http_request_method="GET"):
        if not labels.get("server_port"):
            by_status[int(labels["http_response_status_code"])] += int(value)
    return by_status


@pytest.mark.parametrize("program, name", [
    ("node {servers}/counted_node.js {dir}/behind", "counted_node"),
    ("gunicorn -w 1 -b unix:{dir}/behind --chdir {servers} counted_flask:application", "counted_flask")])
def test_http_over_a_unix_socket_is_counted_at_both_ends(sonde, start, program, name):
    front = Runtime("front", both(program, "/usr/sbin/nginx -c {dir}/front.conf"),
                    nginx_in_front(TO_HTTP))
    before = on_unix_socket(sonde, "client", "front")
    port = start(front)
    # nginx answers 502 until the server behind has made its socket.
    assert eventually(lambda: 200 in sent_by_status(send_requests(port, [("HEAD", "/warm")])))

    sent = sent_by_status(send_requests(port, REQUESTS))

    def seen():
        return {side: without_warming(sonde, side, service) for side, service in
                (("server", name), ("client", "front"))}

    def without_warming(sonde, side, service):
        counts = on_unix_socket(sonde, side, service)
        counts.subtract(before if side == "client" else {})
        return {status: count for status, count in counts.items() if count}

    eventually(lambda: seen() == {"server": sent, "client": sent})
    assert seen() == {"server": sent, "client": sent}


# PHP reads five times a request, and once more after its answer over TCP: neither is a turn of HTTP.
@pytest.mark.parametrize("where", ["unix:{dir}/behind", "127.0.0.1:{behind}"])
def test_fastcgi_is_not_http(sonde, start, where):
    front = Runtime("front", both("php-fpm8.2 -R -y {dir}/fpm.conf", "/usr/sbin/nginx -c {dir}/front.conf"),
                    nginx_in_front(FASTCGI.replace("unix:{dir}/behind", where)))
    port = start(front)

    assert eventually(lambda: 200 in sent_by_status(send_requests(port, [("HEAD", "/warm")])))
    sent = sent_by_status(send_requests(port, REQUESTS))
    assert sent == {200: 150, 404: 30, 500: 20}

    eventually(lambda: seen_on_metrics(sonde, "front", port, method="GET") == sent)
    assert seen_on_metrics(sonde, "front", port, method="GET") == sent
    names = {labels["service_name"] for labels, _ in sonde.series("http_server_request_duration_seconds_count")}
    assert not [name for name in names if name.startswith("php-fpm")]
