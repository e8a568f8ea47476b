# SPDX-License-Identifier: Apache-2.0
"""What an ordinary user is told, and that the capabilities that are named suffice."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from sonde import ROOT, Sonde, binary, eventually
from client import send_requests
from runtimes import RUNTIMES

NOBODY = 65534
NEEDED = ["CAP_BPF", "CAP_PERFMON", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"]


@pytest.fixture(scope="module")
def folder():
    """A folder that everybody may enter, unlike pytest's own, with a copy of the binary."""
    with tempfile.TemporaryDirectory() as name:
        path = pathlib.Path(name)
        path.chmod(0o755)
        shutil.copy(binary(), path / "sonde")
        yield path


def as_nobody(*capabilities):
    named = ",".join("+" + name.removeprefix("CAP_").lower() for name in capabilities)
    given = [f"--inh-caps={named}", f"--ambient-caps={named}"] if named else []
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *given, "--"]


def test_doctor_names_each_missing_capability(folder):
    done = subprocess.run([*as_nobody(), folder / "sonde", "doctor"], capture_output=True, text=True, timeout=60)

    assert done.returncode == 1
    for name in NEEDED:
        assert f"missing no {name} " in done.stdout
    assert "AmbientCapabilities=" in done.stdout


@pytest.mark.parametrize("missing", [NEEDED, ["CAP_PERFMON"], ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"]],
                         ids=lambda names: "+".join(names))
def test_up_names_each_missing_capability(folder, missing):
    have = [name for name in NEEDED if name not in missing]
    done = subprocess.run([*as_nobody(*have), folder / "sonde", "up"], capture_output=True, text=True, timeout=60)

    assert done.returncode != 0
    assert f"lacks {', '.join(missing)};" in done.stderr
    for name in have:
        assert name not in done.stderr
    assert "The page:" not in done.stdout


def test_the_named_capabilities_suffice(folder, start):
    runtime = RUNTIMES["python_http_server"]
    port = start(runtime)
    sonde = Sonde(send_otlp=False, command=[*as_nobody(*NEEDED), str(folder / "sonde")])
    try:
        send_requests(port, [("GET", "/items/1")] * 20)

        # The server belongs to root: naming it takes the right to read other users' processes.
        assert eventually(lambda: sonde.series("http_server_request_duration_seconds_count",
                                               service_name=runtime.service, server_port=port)), sonde.log()
        assert sonde.series("http_server_request_duration_seconds_count", service_name=runtime.service,
                            server_port=port)[0][1] == 20
    finally:
        sonde.stop()


def test_dev_up_says_what_an_ordinary_user_lacks(folder):
    """`./dev up` asks the binary that it built."""
    tree = folder / "tree"
    (tree / "build" / "release").mkdir(parents=True)
    shutil.copy(ROOT / "dev", tree / "dev")
    shutil.copy(folder / "sonde", tree / "build" / "release" / "sonde")

    done = subprocess.run([*as_nobody(), tree / "dev", "capabilities"], capture_output=True, text=True, timeout=60,
                          env={"PATH": os.environ["PATH"]})

    assert done.returncode == 1
    for name in NEEDED:
        assert name in done.stdout + done.stderr
    assert "sudo setcap" in done.stderr
