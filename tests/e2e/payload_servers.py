# SPDX-License-Identifier: Apache-2.0
"""The servers of test_payload_paths.py: those whose bytes no system call describes. Each answers /big with 2 MB,
/missing with 404, /broken with 500 and all else with "ok". A machine that lacks the means skips."""
import shutil
import subprocess

import pytest

from runtimes import CACHE, SERVERS as SOURCES, Runtime
from sonde import free_port

BIG = 2_000_000
GO = {"PATH": "/usr/local/go/bin:/usr/bin:/bin", "HOME": str(CACHE), "GO111MODULE": "off"}
NETTY = CACHE / "netty_uring"


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr


def newer(binary, source):
    return binary.exists() and binary.stat().st_mtime > source.stat().st_mtime


def need(program):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")


def build_uring(directory, port):
    need("gcc")
    source, binary = SOURCES / "counted_uring.c", CACHE / "counted_uring"
    if subprocess.run(["gcc", "-E", "-include", "liburing.h", "-x", "c", "/dev/null"], capture_output=True).returncode:
        pytest.skip("liburing-dev is not installed")
    if not newer(binary, source):
        CACHE.mkdir(parents=True, exist_ok=True)
        run("gcc", "-O1", "-D_GNU_SOURCE", str(source), "-o", str(binary), "-luring")


def build_netty(directory, port):
    need("javac")
    need("mvn")
    if not NETTY.exists():
        got = subprocess.run(["mvn", "-q", "-f", str(SOURCES / "netty_uring" / "pom.xml"), "dependency:copy-dependencies",
                              f"-DoutputDirectory={NETTY}.part"], capture_output=True, text=True)
        if got.returncode:
            pytest.skip(f"Maven Central gave no Netty: {(got.stdout + got.stderr)[-300:]}")
        (NETTY.parent / (NETTY.name + ".part")).rename(NETTY)
    if not newer(NETTY / "CountedNettyUring.class", SOURCES / "CountedNettyUring.java"):
        run("javac", "-cp", f"{NETTY}/*", "-d", str(NETTY), str(SOURCES / "CountedNettyUring.java"))


def files(directory):
    root = directory / "files"
    root.mkdir(exist_ok=True)
    directory.chmod(0o755)
    (root / "ok").write_text("ok")
    (root / "big").write_bytes(b"b" * BIG)
    return root


def build_go(directory, port):
    need("go")
    files(directory)
    CACHE.mkdir(parents=True, exist_ok=True)
    run("go", "build", "-o", str(CACHE / "counted_files"), ".", cwd=SOURCES / "counted_files", env=GO)


def node_files(directory, port):
    need("node")
    files(directory)


def nginx_config(directory, port, more=""):
    need("/usr/sbin/nginx")
    (directory / "nginx.conf").write_text(f"""
daemon off; pid {directory}/pid; error_log {directory}/error.log; worker_processes 2; user root;
events {{ }}
http {{
  access_log off; sendfile on; tcp_nopush on; {more}
  server {{
    listen 127.0.0.1:{port}; root {files(directory)};
    location /missing {{ return 404; }}
    location /broken {{ return 500; }}
    location /big {{ }}
    location / {{ rewrite ^ /ok break; }}
  }}
}}""")


def apache_config(directory, port):
    need("/usr/sbin/apache2")
    root = files(directory)
    modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
                        for name in ("mpm_event", "authz_core", "rewrite"))
    (directory / "apache.conf").write_text(f"""
ServerRoot {directory}
PidFile {directory}/pid
ErrorLog {directory}/error.log
ServerName localhost
Listen 127.0.0.1:{port}
{modules}
DocumentRoot {root}
EnableSendfile On
EnableMMAP Off
MaxKeepAliveRequests 0
RewriteEngine on
RewriteRule ^/missing$ - [R=404,L]
RewriteRule ^/broken$ - [R=500,L]
RewriteRule ^/big$ - [L]
RewriteRule ^/ /ok [L]
""")


def haproxy_config(directory, port):
    """HAProxy splices every response of the nginx behind it from socket to socket."""
    need("/usr/sbin/haproxy")
    behind = SERVERS["haproxy_splice"].behind = free_port()
    nginx_config(directory, behind, "keepalive_timeout 1s; keepalive_requests 100000;")
    (directory / "haproxy.cfg").write_text(f"""
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
frontend counted
  bind 127.0.0.1:{port}
  default_backend files
backend files
  option splice-response
  option splice-request
  server files 127.0.0.1:{behind}
""")


def uring(mode):
    return Runtime("counted_uring", [str(CACHE / "counted_uring"), "{port}", mode], build_uring)


URING_MODES = ["plain", "vectors", "files", "multishot", "workers", "polling", "zerocopy", "linked", "fixed"]

SERVERS = {f"uring_{mode}": uring(mode) for mode in URING_MODES} | {
    "netty_uring": Runtime("CountedNettyUring", ["java", "-cp", f"{NETTY}/*:{NETTY}", "CountedNettyUring", "{port}"],
                           build_netty),
    "nginx_sendfile": Runtime("nginx", ["/usr/sbin/nginx", "-c", "{dir}/nginx.conf"], nginx_config),
    "apache_sendfile": Runtime("apache2", ["/usr/sbin/apache2", "-f", "{dir}/apache.conf", "-DFOREGROUND"],
                               apache_config),
    "haproxy_splice": Runtime("haproxy", ["sh", "-c", "/usr/sbin/nginx -c {dir}/nginx.conf & "
                                          "exec /usr/sbin/haproxy -f {dir}/haproxy.cfg"], haproxy_config),
    "go_file_server": Runtime("counted_files", [str(CACHE / "counted_files"), "{port}", "{dir}/files"], build_go),
    "node_files": Runtime("counted_files", ["node", "{servers}/counted_files.js", "{port}", "{dir}/files"],
                          node_files),
}
