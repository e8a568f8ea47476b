# SPDX-License-Identifier: Apache-2.0
"""Who may send and who we are: grpcio and urllib against the receiver's authenticators, and Sonde to Sonde."""
import base64
import contextlib
import http.server
import json
import ssl
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc

import sonde
from otlp_records import RecordingBackEnd
from test_encodings import make_certificates, spans

# Of "secret", as `htpasswd -nbB -C 10` makes it.
BCRYPT = "$2y$10$XMeDKpDCYyqHFTxjFJAMRuZ0Ta9yv5grK0hWVYPhPFWRvAA4RcSLW"


@pytest.fixture
def run(tmp_path):
    with contextlib.ExitStack() as stack:
        yield lambda name, text: stack.enter_context(sonde.Running(tmp_path, text, name=name))


@pytest.fixture
def back_end():
    made = RecordingBackEnd()
    yield made
    made.stop()


SERVER = """
extensions: {{{extension}}}
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "127.0.0.1:{grpc}", auth: {{authenticator: {name}}}, include_metadata: true}}
      http: {{endpoint: "127.0.0.1:{http}", auth: {{authenticator: {name}, request_params: [{param}]}}, include_metadata: true}}
processors:
  attributes: {{actions: [{{key: who, from_context: auth.username, action: insert}}]}}
exporters:
  otlp_grpc: {{endpoint: "127.0.0.1:{sink}", tls: {{insecure: true}}}}
service:
  extensions: [{name}]
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: [attributes], exporters: [otlp_grpc]}}
"""


class Server:
    def __init__(self, run, back_end, name, settings, param="authorization"):
        self.grpc, self.http, self.back_end = sonde.free_port(), sonde.free_port(), back_end
        self.process = run("server", SERVER.format(extension=f"{name}: {settings}", name=name, grpc=self.grpc, http=self.http,
                                                   param=param, sink=back_end.grpc_port))

    def call(self, name, *metadata):
        """The code and message of the refusal, or None."""
        with grpc.insecure_channel(f"127.0.0.1:{self.grpc}") as channel:
            try:
                trace_service_pb2_grpc.TraceServiceStub(channel).Export(spans(name), timeout=20, metadata=metadata)
            except grpc.RpcError as error:
                return error.code(), error.details()
        return None

    def post(self, name, path="/v1/traces", content="application/x-protobuf", **headers):
        """Status and body."""
        body = spans(name).SerializeToString()
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}{path}", data=body, headers={"Content-Type": content, **headers})
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def arrived(self):
        """Names of spans with what is known of their sender, each once."""
        found = self.back_end.received("grpc", "traces", "service.name", "shop")
        return {(record["name"], record["attributes"].get("who", (None, None))[1]) for _, _, record in found}


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("line", ["me:secret", f"me:{BCRYPT}", "me:{{SHA}}5en6G6MezRroT3XKqkdPOmY/BfQ=",
                                  "me:$apr1$salt$VEpBc9VHGUKwI9.yg13Iu0"])
def test_basicauth_lets_in_whom_the_file_knows(run, back_end, tmp_path, line):
    htpasswd = tmp_path / "htpasswd"
    htpasswd.write_text(line.format() + "\n")
    server = Server(run, back_end, "basicauth", f"{{htpasswd: {{file: {htpasswd}}}}}")
    unauthenticated = grpc.StatusCode.UNAUTHENTICATED

    assert server.call("none") == (unauthenticated, "no basic auth provided")
    assert server.call("wrong", ("authorization", basic("me", "Secret"))) == (unauthenticated, "invalid credentials")
    assert server.call("stranger", ("authorization", basic("you", "secret"))) == (unauthenticated, "invalid credentials")
    assert server.call("scheme", ("authorization", "Bearer x")) == (unauthenticated, "invalid authorization scheme prefix")
    for turn in range(3):  # The first right one is looked at longer.
        assert server.call(f"grpc {turn}", ("authorization", basic("me", "secret"))) is None

    status, body = server.post("none")
    assert status == 401 and b"no basic auth provided" in body
    status, body = server.post("none", content="application/json")
    assert (status, body) == (401, b'{"code":16,"message":"no basic auth provided"}')
    assert server.post("none", path="/other")[0] == 401  # A stranger is not told which paths there are.
    assert server.post("wrong", Authorization=basic("me", "Secret"))[0] == 401
    assert server.post("http", Authorization=basic("me", "secret"))[0] == 200
    assert server.post("query", path="/v1/traces?authorization=" + basic("me", "secret").replace(" ", "%20"))[0] == 200

    expected = {(name, "me") for name in ("grpc 0", "grpc 1", "grpc 2", "http", "query")}
    assert sonde.eventually(lambda: server.arrived() == expected), server.arrived()


def test_bearertokenauth_follows_its_file(run, back_end, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("first of Alice\nsecond\n")
    server = Server(run, back_end, "bearertokenauth", f"{{filename: {tokens}}}")

    assert server.call("none") == (grpc.StatusCode.UNAUTHENTICATED, "missing or empty authorization header: Authorization")
    assert server.call("a", ("authorization", "Bearer second")) is None
    assert server.post("b", Authorization="Bearer first")[0] == 200
    assert server.post("c", Authorization="first")[0] == 401
    tokens.write_text("third\n")
    assert sonde.eventually(lambda: server.post("d", Authorization="Bearer third")[0] == 200)
    assert server.post("e", Authorization="Bearer first")[0] == 401
    assert sonde.eventually(lambda: {name for name, _ in server.arrived()} == {"a", "b", "d"})


def test_a_reload_changes_who_may_send_and_nobody_else_notices(run, back_end):
    """The listeners go on with the authenticator of the new configuration; a mistake leaves the old one at work."""
    server = Server(run, back_end, "bearertokenauth", "{tokens: [both, old]}")

    def reload(old, new):
        text = server.process.config.read_text()
        assert old in text
        server.process.reload(text.replace(old, new))

    def let_in(token):
        return (server.call(f"{token} grpc", ("authorization", f"Bearer {token}")) is None,
                server.post(f"{token} http", Authorization=f"Bearer {token}")[0] == 200)

    assert let_in("both") == let_in("old") == (True, True)
    reload("[both, old]", "[both, new]")
    assert sonde.eventually(lambda: let_in("both") == let_in("new") == (True, True)), server.process.log()
    assert let_in("old") == (False, False)
    reload("extensions: [bearertokenauth]", "extensions: []")
    assert sonde.eventually(lambda: 'extension "bearertokenauth" does not run' in server.process.log())
    assert let_in("both") == let_in("new") == (True, True)
    assert let_in("old") == let_in("none") == (False, False)


RELAY = """
extensions:
  basicauth/server: {{htpasswd: {{inline: 'agent:{bcrypt}'}}}}
  basicauth/client: {{client_auth: {{username: agent, password_file: {dir}/password}}}}
  bearertokenauth: {{token: token}}
  headers_setter:
    headers:
      - {{action: upsert, key: X-Tenant, from_context: x-tenant, default_value: nobody}}
      - {{action: insert, key: X-Who, from_attribute: username}}
    additional_auth: bearertokenauth
receivers:
  otlp/first: {{protocols: {{http: {{endpoint: "127.0.0.1:{first}", include_metadata: true}}}}}}
  otlp/second:
    protocols:
      grpc: {{endpoint: "127.0.0.1:{second}", include_metadata: true, tls: {{cert_file: {dir}/server.crt, key_file: {dir}/server.key}},
             auth: {{authenticator: basicauth/server}}}}
  otlp/third: {{protocols: {{http: {{endpoint: "127.0.0.1:{third}", include_metadata: true, auth: {{authenticator: bearertokenauth}}}}}}}}
processors:
  attributes:
    actions: [{{key: tenant, from_context: x-tenant, action: insert}}, {{key: who, from_context: x-who, action: insert}}]
exporters:
  otlp_grpc/second: {{endpoint: "127.0.0.1:{second}", tls: {{ca_file: {dir}/ca.crt}}, auth: {{authenticator: basicauth/client}},
                     headers: {{x-tenant: acme}}}}
  otlp_http/third: {{endpoint: "http://127.0.0.1:{third}", auth: {{authenticator: headers_setter}}}}
  otlp_grpc/sink: {{endpoint: "127.0.0.1:{sink}", tls: {{insecure: true}}}}
service:
  extensions: [headers_setter, basicauth/server, basicauth/client, bearertokenauth]
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces/1: {{receivers: [otlp/first], exporters: [otlp_grpc/second]}}
    traces/2: {{receivers: [otlp/second], exporters: [otlp_http/third]}}
    traces/3: {{receivers: [otlp/third], processors: [attributes], exporters: [otlp_grpc/sink]}}
"""


def test_sonde_shows_sonde_who_it_is(run, back_end, tmp_path):
    make_certificates(tmp_path)
    (tmp_path / "password").write_text("wrong\n")
    first, second, third = sonde.free_port(), sonde.free_port(), sonde.free_port()
    process = run("relay", RELAY.format(dir=tmp_path, bcrypt=BCRYPT, first=first, second=second, third=third,
                                        sink=back_end.grpc_port))

    def send(name):
        request = urllib.request.Request(f"http://127.0.0.1:{first}/v1/traces", data=spans(name).SerializeToString(),
                                         headers={"Content-Type": "application/x-protobuf"})
        urllib.request.urlopen(request, timeout=20).read()

    def arrived():
        return {(record["name"], record["attributes"]["tenant"][1], record["attributes"]["who"][1])
                for _, _, record in back_end.received("grpc", "traces", "service.name", "shop")}

    send("refused")
    assert sonde.eventually(lambda: "UNAUTHENTICATED: invalid credentials" in process.log())
    (tmp_path / "password").write_text("secret\n")
    assert sonde.eventually(lambda: (send("taken"), arrived())[1])
    assert arrived() == {("taken", "acme", "agent")}
    assert "secret" not in process.log()


def mistakes(tmp_path, *changes):
    text = SERVER.format(extension="basicauth: {htpasswd: {inline: 'a:b'}}", name="basicauth", grpc=1, http=2, param="", sink=3)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "wrong.yaml").write_text(text)
    done = subprocess.run([sonde.binary(), "validate", "--config", str(tmp_path / "wrong.yaml")], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_an_authenticator_that_does_not_run_is_a_mistake(tmp_path):
    assert mistakes(tmp_path)[0] == 0
    rc, said = mistakes(tmp_path, ("http: {endpoint: \"127.0.0.1:2\", auth: {authenticator: basicauth", "http: {auth: {authenticator: basicaut"))
    assert rc != 0
    assert 'receivers::otlp::protocols::http::auth::authenticator: there is no extension "basicaut"; did you mean "basicauth"?' in said
    rc, said = mistakes(tmp_path, ("extensions: [basicauth]", "extensions: []"))
    assert rc != 0
    assert 'auth::authenticator: extension "basicauth" does not run; add it to service::extensions' in said


class TokenServer:
    """Gives tokens by RFC 6749 to who knows the secret, over TLS if it is told to; `away` makes it answer 503."""

    def __init__(self, context=None):
        self.given, self.away, self.refused = [], False, 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                status, answer = outer.answer(self.headers["Authorization"], form)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.server.server_address[1]}/oauth/token"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, authorization, form):
        if self.away:
            self.refused += 1
            return 503, {"error": "temporarily_unavailable"}
        if authorization != basic("agent", "pass+word"):
            return 401, {"error": "invalid_client"}
        assert form == {"grant_type": ["client_credentials"], "scope": ["write read"], "audience": ["here"]}, form
        self.given.append(f"token-{len(self.given)}")
        return 200, {"access_token": self.given[-1], "token_type": "bearer", "expires_in": 3600}

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


OAUTH = """
extensions:
  oauth2client:
    client_id: agent
    client_secret_file: {dir}/secret
    token_url: {url}
    scopes: [write, read]
    endpoint_params: {{audience: here}}
    tls: {{ca_file: {dir}/ca.crt}}
  bearertokenauth: {{token: token-0}}
receivers:
  otlp/first: {{protocols: {{http: {{endpoint: "127.0.0.1:{first}"}}}}}}
  otlp/second:
    protocols:
      grpc: {{endpoint: "127.0.0.1:{grpc}", auth: {{authenticator: bearertokenauth}},
             tls: {{cert_file: {dir}/server.crt, key_file: {dir}/server.key}}}}
      http: {{endpoint: "127.0.0.1:{http}", auth: {{authenticator: bearertokenauth}}}}
exporters:
  otlp_grpc/second: {{endpoint: "127.0.0.1:{grpc}", tls: {{ca_file: {dir}/ca.crt}}, auth: {{authenticator: oauth2client}},
                     retry_on_failure: {{initial_interval: 200ms, max_interval: 500ms}}}}
  otlp_http/second: {{endpoint: "http://127.0.0.1:{http}", auth: {{authenticator: oauth2client}},
                     retry_on_failure: {{initial_interval: 200ms, max_interval: 500ms}}}}
  otlp_grpc/sink: {{endpoint: "127.0.0.1:{sink}", tls: {{insecure: true}}}}
service:
  extensions: [oauth2client, bearertokenauth]
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces/1: {{receivers: [otlp/first], exporters: [otlp_grpc/second, otlp_http/second]}}
    traces/2: {{receivers: [otlp/second], exporters: [otlp_grpc/sink]}}
"""


@pytest.mark.parametrize("encrypted", [False, True])
def test_oauth2client_loses_nothing_while_there_is_no_token(run, back_end, tmp_path, encrypted):
    make_certificates(tmp_path)
    (tmp_path / "secret").write_text("pass word\n")
    context = None
    if encrypted:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    tokens = TokenServer(context)
    tokens.away = True
    ports = {name: sonde.free_port() for name in ("first", "grpc", "http")}
    process = run("oauth", OAUTH.format(dir=tmp_path, url=tokens.url, sink=back_end.grpc_port, **ports))

    def arrived():
        return sorted(record["name"] for _, _, record in back_end.received("grpc", "traces", "service.name", "shop")
                      if record["attributes"]["number"] == ("int", 0))

    names = [f"span {n}" for n in range(10)]
    for name in names:
        request = urllib.request.Request(f"http://127.0.0.1:{ports['first']}/v1/traces", data=spans(name).SerializeToString(),
                                         headers={"Content-Type": "application/x-protobuf"})
        urllib.request.urlopen(request, timeout=20).read()
    assert sonde.eventually(lambda: tokens.refused > 2), process.log()
    assert arrived() == []
    tokens.away = False
    assert sonde.eventually(lambda: arrived() == sorted(names * 2)), (arrived(), process.log()[-2000:])
    assert tokens.given == ["token-0"]  # One for two exporters and all requests.
    assert "pass word" not in process.log() and "token-0" not in process.log()
    tokens.stop()
