# SPDX-License-Identifier: Apache-2.0
"""The OpenTelemetry SDKs send what sdks/recording.json says through Sonde; back ends receive it, item by item.

Each language plays the recording once for each case: a protocol, a compression and an encryption. What the SDK of a language
needs is installed below build/e2e, as its lock file says; a language that this machine lacks is skipped with a message.
"""
import contextlib
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import pytest

import sdk_expected
from otlp_records import RecordingBackEnd
from setups import CACHE, fetched, needs, newer, once, unchanged
from sonde import PATIENCE, Running, eventually, free_port
from test_encodings import make_certificates

SDKS = pathlib.Path(__file__).parent / "sdks"
RECORDING = json.loads((SDKS / "recording.json").read_text())

# What each SDK offers: {protocol: compressions}.
OFFERS = {
    "python": {"grpc": ["none", "gzip", "deflate"], "http/protobuf": ["none", "gzip", "deflate"]},
    "node": {"grpc": ["none", "gzip"], "http/protobuf": ["none", "gzip"], "http/json": ["none", "gzip"]},
    "go": {"grpc": ["none", "gzip"], "http/protobuf": ["none", "gzip"]},
    "java": {"grpc": ["none", "gzip"], "http/protobuf": ["none", "gzip"]},
}
ENCRYPTION = ["plain", "tls", "mtls"]
CASES = [f"{language} {protocol} {compression} {encryption}" for language, offer in OFFERS.items()
         for protocol, compressions in offer.items() for compression in compressions for encryption in ENCRYPTION]

# Python's requests believes a bundle of the environment rather than the one that the SDK names.
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.endswith("CA_BUNDLE")}

CONFIG = """
receivers:
  otlp/plain: {{protocols: {{grpc: {{endpoint: "127.0.0.1:{grpc_plain}"}}, http: {{endpoint: "127.0.0.1:{http_plain}"}}}}}}
  otlp/tls:
    protocols:
      grpc: {{endpoint: "127.0.0.1:{grpc_tls}", tls: &tls {{cert_file: {dir}/server.crt, key_file: {dir}/server.key}}}}
      http: {{endpoint: "127.0.0.1:{http_tls}", tls: *tls}}
  otlp/mtls:
    protocols:
      grpc: {{endpoint: "127.0.0.1:{grpc_mtls}", tls: &mtls {{<<: *tls, client_ca_file: {dir}/ca.crt}}}}
      http: {{endpoint: "127.0.0.1:{http_mtls}", tls: *mtls}}
exporters:
  otlp_grpc: {{endpoint: "127.0.0.1:{sink_grpc}", tls: {{insecure: true}}}}
  otlp_http: {{endpoint: "http://127.0.0.1:{sink_http}"}}
  prometheus: {{endpoint: "127.0.0.1:{metrics}"}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp/plain, otlp/tls, otlp/mtls], exporters: [otlp_grpc, otlp_http]}}
    metrics: {{receivers: [otlp/plain, otlp/tls, otlp/mtls], exporters: [otlp_grpc, otlp_http, prometheus]}}
    logs: {{receivers: [otlp/plain, otlp/tls, otlp/mtls], exporters: [otlp_grpc, otlp_http]}}
"""


@once
def python_sdk():
    place, wanted = CACHE / "sdk_python", SDKS / "python" / "requirements.txt"
    if not unchanged(place / "requirements.txt", wanted):
        shutil.rmtree(place, ignore_errors=True)
        fetched([sys.executable, "-m", "venv", str(place)])
        fetched([str(place / "bin/pip"), "install", "-q", "--disable-pip-version-check", "-r", str(wanted)])
        shutil.copy(wanted, place)


@once
def node_sdk():
    needs("node", "npm")
    place, source = CACHE / "sdk_node", SDKS / "node"
    if not unchanged(place / "made-from.json", source / "package-lock.json"):
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(source, place, ignore=shutil.ignore_patterns("node_modules"))
        fetched(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=place)
        shutil.copy(source / "package-lock.json", place / "made-from.json")
    shutil.copy(source / "play.js", place)


@once
def go_sdk():
    needs("go")
    version = re.search(r"go1\.(\d+)", subprocess.run(["go", "version"], capture_output=True, text=True).stdout)
    if not version or int(version[1]) < 26:
        pytest.skip("the SDK of Go needs Go 1.26")
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    fetched(["go", "mod", "download"], cwd=SDKS / "go", env=environment)
    subprocess.run(["go", "build", "-o", str(CACHE / "sdk_go"), "."], cwd=SDKS / "go", env=environment, check=True)


@once
def java_sdk():
    needs("java", "javac", "mvn")
    version = re.search(r"javac (\d+)", subprocess.run(["javac", "-version"], capture_output=True, text=True).stdout)
    if not version or int(version[1]) < 17:
        pytest.skip("what plays with the SDK of Java needs Java 17")
    place, source = CACHE / "sdk_java", SDKS / "java"
    if not unchanged(place / "pom.xml", source / "pom.xml"):
        shutil.rmtree(place, ignore_errors=True)
        fetched(["mvn", "-q", "-B", "-f", str(source / "pom.xml"), "dependency:copy-dependencies", f"-DoutputDirectory={place}"])
        shutil.copy(source / "pom.xml", place)
    sources = sorted(source.glob("*.java"))
    if not all(newer(place / "Play.class", path) for path in sources):
        subprocess.run(["javac", "-cp", f"{place}/*", "-d", str(place), *map(str, sources)], check=True)


PLAYERS = {
    "python": (python_sdk, [str(CACHE / "sdk_python/bin/python"), str(SDKS / "python/play.py")]),
    "node": (node_sdk, ["node", str(CACHE / "sdk_node/play.js")]),
    "go": (go_sdk, [str(CACHE / "sdk_go")]),
    "java": (java_sdk, ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{CACHE}/sdk_java/*:{CACHE}/sdk_java", "Play"]),
}


class Setup:
    """A Sonde that takes OTLP in each way, a back end behind it and a Prometheus that scrapes it."""

    def __init__(self, directory):
        self.directory = directory
        make_certificates(directory)
        self.back_end = RecordingBackEnd()
        self.ports = {name: free_port() for name in (
            "grpc_plain", "http_plain", "grpc_tls", "http_tls", "grpc_mtls", "http_mtls", "metrics", "prometheus")}
        self.sonde = Running(directory, CONFIG.format(
            dir=directory, **self.ports, sink_grpc=self.back_end.grpc_port, sink_http=self.back_end.http_port))
        self.sonde.start()
        self.monitor = None
        self.play = functools.cache(self.play_once)

    @functools.cached_property
    def prometheus(self):
        """The address of a Prometheus that scrapes Sonde."""
        needs("prometheus")
        (self.directory / "prometheus.yaml").write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
            f"scrape_configs: [{{job_name: sonde, honor_labels: true, static_configs: [{{targets: ['127.0.0.1:{self.ports['metrics']}']}}]}}]\n")
        log = self.directory / "prometheus.log"
        with open(log, "wb") as out:
            self.monitor = subprocess.Popen(
                ["prometheus", f"--config.file={self.directory}/prometheus.yaml", f"--storage.tsdb.path={self.directory}/tsdb",
                 f"--web.listen-address=127.0.0.1:{self.ports['prometheus']}"], stdout=out, stderr=out)
        address = f"http://127.0.0.1:{self.ports['prometheus']}"

        def ready():
            assert self.monitor.poll() is None, log.read_text()
            with contextlib.suppress(OSError):  # It listens before it can be asked.
                return urllib.request.urlopen(f"{address}/-/ready", timeout=10).status == 200

        assert eventually(ready), log.read_text()[-3000:]
        return address

    def play_once(self, language):
        """Plays all cases of a language. The ids of the spans by case and name."""
        prepare, command = PLAYERS[language]
        prepare(None, None)
        cases = [self.case(name) for name in CASES if name.startswith(language + " ")]
        (self.directory / f"{language}.json").write_text(json.dumps(cases))
        done = subprocess.run([*command, str(SDKS / "recording.json"), str(self.directory / f"{language}.json")],
                              capture_output=True, text=True, timeout=120 * PATIENCE, env=ENVIRONMENT)
        assert done.returncode == 0, done.stderr[-3000:]
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        return {answer["case"]: answer["spans"] for answer in answers}, done.stderr[-3000:]

    def case(self, name):
        _, protocol, compression, encryption = name.split()
        port = self.ports[f"{protocol.split('/')[0]}_{encryption}"]
        case = {"name": name, "protocol": protocol, "compression": compression,
                "endpoint": f"{'http' if encryption == 'plain' else 'https'}://127.0.0.1:{port}"}
        if encryption != "plain":
            case["ca"] = str(self.directory / "ca.crt")
        if encryption == "mtls":
            case |= {"cert": str(self.directory / "client.crt"), "key": str(self.directory / "client.key")}
        return case

    def query(self, expression):
        with urllib.request.urlopen(f"{self.prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": expression}), timeout=10) as response:
            return json.load(response)["data"]["result"]

    def stop(self):
        if self.monitor:
            self.monitor.kill()
            self.monitor.wait()
        self.sonde.stop()
        self.back_end.stop()


@pytest.fixture(scope="module")
def setup(tmp_path_factory):
    made = Setup(tmp_path_factory.mktemp("sdks"))
    yield made
    made.stop()


def arrived(setup, way, signal, case, count):
    """What arrived, and that all of it is of the SDK's resource and scope."""
    def found():
        return setup.back_end.received(way, signal, "service.instance.id", case)

    eventually(lambda: len(found()) >= count)
    _, complaints = setup.play(case.split()[0])
    assert len(found()) == count, (complaints, setup.sonde.log()[-3000:])
    language = case.split()[0]
    expected = sdk_expected.attributes(RECORDING["resource"]) | {
        "service.name": ("string", language), "service.instance.id": ("string", case)}
    for resource, scope, _ in found():
        assert {key: own for key, own in resource.items() if not key.startswith("telemetry.sdk.")} == expected
        assert scope == (RECORDING["scope"]["name"], RECORDING["scope"]["version"])
    return [record for _, _, record in found()]


@pytest.mark.parametrize("way", ["grpc", "http"])
@pytest.mark.parametrize("case", CASES)
def test_a_back_end_receives_what_the_sdk_recorded(setup, case, way):
    ids = setup.play(case.split()[0])[0][case]

    expected = sdk_expected.spans(RECORDING, ids)
    spans = {span["name"]: span for span in arrived(setup, way, "traces", case, len(expected))}
    assert spans == expected

    logs = arrived(setup, way, "logs", case, len(RECORDING["logs"]) + RECORDING["many_logs"])
    assert sorted(logs, key=repr) == sorted(sdk_expected.logs(RECORDING, ids), key=repr)

    metrics = {metric["name"]: metric for metric in arrived(setup, way, "metrics", case, len(RECORDING["metrics"]))}
    for entry in RECORDING["metrics"]:
        received = metrics[entry["name"]]
        wanted = sdk_expected.metric(entry, received)
        received["points"].sort(key=repr)
        wanted["points"].sort(key=repr)
        assert received == wanted


@pytest.mark.parametrize("case", CASES)
def test_prometheus_holds_what_the_sdk_recorded(setup, case):
    setup.play(case.split()[0])
    expected = sdk_expected.prometheus(RECORDING)
    about = {"__name__", "job", "instance", "service_name", "service_namespace", "otel_scope_name", "otel_scope_version"}

    def held():
        samples = setup.query('{instance="%s",__name__!="target_info"}' % case)
        return {(sample["metric"]["__name__"], tuple(sorted((k, v) for k, v in sample["metric"].items() if k not in about))):
                float(sample["value"][1]) for sample in samples}

    eventually(lambda: held() == expected)
    assert held() == expected
