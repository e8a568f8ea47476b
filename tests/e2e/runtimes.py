# SPDX-License-Identifier: Apache-2.0
"""The servers of the count tests: how each is started, and the service name it must be found under.

All of them answer /missing with 404, /broken with 500 and everything else with 200.
"""
import os
import pathlib
import shutil
import subprocess

import pytest

from sonde import ROOT, eventually, free_port
from client import Connection

SERVERS = pathlib.Path(__file__).parent / "servers"
PYTHON = "/usr/bin/python3"  # Debian's own, which is the one that has Debian's Flask and aiohttp.
CACHE = ROOT / "build" / "e2e"


class Runtime:
    def __init__(self, service, command, setup=None, needs=None):
        self.service, self.command, self.setup = service, command, setup
        self.needs = needs or command[0]  # The program without which the machine cannot try this runtime.

    def start(self, directory):
        port = free_port()
        program, *rest = self.command
        if not shutil.which(self.needs):
            pytest.skip(f"{self.needs} is not installed")
        CACHE.mkdir(parents=True, exist_ok=True)
        if self.setup:
            self.setup(directory, port)
        command = [program] + [part.format(port=port, dir=directory, servers=SERVERS, cache=CACHE) for part in rest]
        log = open(directory / "server.log", "wb")
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory, start_new_session=True)
        assert eventually(lambda: accepts(port), 30), (directory / "server.log").read_text()
        return process, port


def accepts(port):
    try:
        Connection(port).close()
        return True
    except OSError:
        return False


def newer(output, source):
    return output.exists() and output.stat().st_mtime >= source.stat().st_mtime


def build_go(directory, port):
    if newer(CACHE / "counted_go", SERVERS / "counted_go" / "main.go"):
        return
    subprocess.run(["go", "build", "-o", str(CACHE / "counted_go"), "."], cwd=SERVERS / "counted_go", check=True,
                   env={**os.environ, "HOME": str(CACHE), "GO111MODULE": "off"})


def nginx_config(directory, port):
    (directory / "nginx.conf").write_text(f"""
daemon off; pid {directory}/pid; error_log {directory}/error.log; worker_processes 2;
events {{ }}
http {{
  access_log off;
  server {{
    listen 127.0.0.1:{port};
    location /missing {{ return 404; }}
    location /broken {{ return 500; }}
    location / {{ return 200 ok; }}
  }}
}}""")


def apache_config(directory, port):
    (directory / "apache.conf").write_text(f"""
ServerRoot {directory}
PidFile {directory}/pid
ErrorLog {directory}/error.log
ServerName localhost
Listen 127.0.0.1:{port}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so
DocumentRoot {directory}/www
RewriteEngine on
RewriteRule ^/missing$ - [R=404,L]
RewriteRule ^/broken$ - [R=500,L]
RewriteRule ^/ /index.html [L]
""")
    (directory / "www").mkdir()
    (directory / "www" / "index.html").write_text("ok")
    directory.chmod(0o755)


def haproxy_config(directory, port):
    (directory / "haproxy.cfg").write_text(f"""
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
frontend counted
  bind 127.0.0.1:{port}
  http-request return status 404 content-type text/plain string no if {{ path /missing }}
  http-request return status 500 content-type text/plain string no if {{ path /broken }}
  http-request return status 200 content-type text/plain string ok
""")


def build_erlang(directory, port):
    if newer(CACHE / "counted_erlang.beam", SERVERS / "counted_erlang.erl"):
        return
    subprocess.run(["erlc", "-o", str(CACHE), str(SERVERS / "counted_erlang.erl")], check=True)


RUNTIMES = {
    "python_http_server": Runtime("counted_http", [PYTHON, "{servers}/counted_http.py", "{port}"]),
    "python_asyncio": Runtime("counted_asyncio", [PYTHON, "{servers}/counted_asyncio.py", "{port}"]),
    "python_flask": Runtime("counted_flask", [PYTHON, "{servers}/counted_flask.py", "{port}"]),
    "python_gunicorn": Runtime(
        "counted_flask", ["gunicorn", "-w", "2", "-b", "127.0.0.1:{port}", "--chdir", "{servers}",
                          "counted_flask:application"]),
    "node": Runtime("counted_node", ["node", "{servers}/counted_node.js", "{port}"]),
    "go": Runtime("counted_go", ["{cache}/counted_go".format(cache=CACHE), "{port}"], build_go, "go"),
    "java": Runtime("CountedJava", ["java", "-Dsun.net.httpserver.nodelay=true", "{servers}/CountedJava.java",
                                    "{port}"]),
    "php": Runtime("counted_php", ["php", "-S", "127.0.0.1:{port}", "{servers}/counted_php.php"]),
    "ruby": Runtime("counted_ruby", ["ruby", "{servers}/counted_ruby.rb", "{port}"]),
    "nginx": Runtime("nginx", ["/usr/sbin/nginx", "-c", "{dir}/nginx.conf"], nginx_config),
    "apache": Runtime("apache2", ["/usr/sbin/apache2", "-f", "{dir}/apache.conf", "-DFOREGROUND"], apache_config),
    "haproxy": Runtime("haproxy", ["/usr/sbin/haproxy", "-f", "{dir}/haproxy.cfg"], haproxy_config),
    "perl": Runtime("counted_perl", ["perl", "{servers}/counted_perl.pl", "{port}"]),
    "erlang": Runtime("counted_erlang", ["erl", "-noshell", "-pa", "{cache}", "-eval",
                                         'counted_erlang:main(["{port}"]).'], build_erlang, "erlc"),
}
