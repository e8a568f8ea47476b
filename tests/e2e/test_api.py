# SPDX-License-Identifier: Apache-2.0
"""Live answers of /api/v1 are what the schema says, and nobody reads them without the token."""
import json
import urllib.error
import urllib.request

import jsonschema
import pytest

from client import send_requests
from runtimes import RUNTIMES
from sonde import ROOT, eventually

SCHEMA = json.loads((ROOT / "src/components/extension/console/api.schema.json").read_text())


def test_live_answers_fit_the_schema(sonde, start):
    runtime = RUNTIMES["python_http_server"]
    send_requests(start(runtime), [("GET", "/items/1"), ("GET", "/broken")] * 5)
    assert eventually(lambda: any(s["name"] == runtime.service and s["rate"] for s in
                                  sonde.api("/services")["services"]))

    for path, answer in (("/services", "ServicesAnswer"), (f"/services/{runtime.service}", "ServiceAnswer"),
                         ("/map", "MapAnswer"), ("/pipelines", "PipelinesAnswer"),
                         ("/status", "StatusAnswer")):
        jsonschema.validate(sonde.api(path), {**SCHEMA, "$ref": f"#/$defs/{answer}"})


def status_of(sonde, headers):
    request = urllib.request.Request(f"http://127.0.0.1:{sonde.ports['page_port']}/api/v1/services", headers=headers)
    try:
        return urllib.request.urlopen(request, timeout=10).status
    except urllib.error.HTTPError as error:
        jsonschema.validate(json.loads(error.read()), {**SCHEMA, "$ref": "#/$defs/ErrorAnswer"})
        return error.code


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_a_reader_without_the_token_is_refused(sonde, headers):
    assert status_of(sonde, headers) == 401


def test_a_foreign_host_header_is_refused_even_with_the_token(sonde):
    headers = {"Authorization": f"Bearer {sonde.token()}", "Host": "evil.example"}
    assert status_of(sonde, headers) in (403, 421)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def sign_in(sonde):
    """The cookie that a browser gets, as it sends it back."""
    try:
        urllib.request.build_opener(_NoRedirect).open(
            f"http://127.0.0.1:{sonde.ports['page_port']}/?token={sonde.token()}", timeout=10)
    except urllib.error.HTTPError as answer:
        assert answer.code == 302
        return answer.headers["Set-Cookie"].split(";")[0]
    raise AssertionError("the token was not taken")


def test_a_cookie_signs_in_to_its_own_port_from_its_own_page_and_does_not_tell_the_token(sonde):
    port = sonde.ports["page_port"]
    cookie = sign_in(sonde)
    assert cookie.startswith(f"sonde_token_{port}=") and sonde.token() not in cookie
    value = cookie.split("=")[1]
    own = f"http://127.0.0.1:{port}"
    assert status_of(sonde, {"Cookie": cookie}) == 200
    assert status_of(sonde, {"Cookie": cookie, "Origin": own, "Sec-Fetch-Site": "same-origin"}) == 200
    assert status_of(sonde, {"Cookie": cookie, "Origin": "http://127.0.0.1:1"}) == 403
    assert status_of(sonde, {"Cookie": cookie, "Sec-Fetch-Site": "same-site"}) == 403
    for stranger in (f"sonde_token_{port}={sonde.token()}", f"sonde_token={value}",
                     f"sonde_token_{port + 1}={value}"):
        assert status_of(sonde, {"Cookie": stranger}) == 401
    # A script that holds the token is no browser on somebody's errand.
    assert status_of(sonde, {"Authorization": f"Bearer {sonde.token()}", "Origin": "http://a.example"}) == 200
