# SPDX-License-Identifier: Apache-2.0
"""What a server of the count tests needs before it starts: a configuration file, a build, a package.

Each takes the server's own directory and its port. What cannot be had here skips the test and says why.
"""
import fcntl
import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from sonde import ROOT, free_port

SERVERS = pathlib.Path(__file__).parent / "servers"
CACHE = ROOT / "build" / "e2e"


def once(build):
    """A setup whose work outlives the test, done by one process at a time and once a session."""
    @functools.cache
    def done():
        CACHE.mkdir(parents=True, exist_ok=True)
        with open(CACHE / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            build()

    return functools.wraps(build)(lambda directory, port: done())


def unchanged(marker, source):
    """Says whether `source` is what the last build was made from; remember() tells it."""
    return marker.exists() and marker.read_bytes() == source.read_bytes()


def needs(*programs):
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")


def fetched(command, **options):
    """Runs a package client; without a registry the test is skipped and says so."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if result.returncode != 0:
        pytest.skip(f"{command[0]} could not build: {result.stdout[-400:]}")


def newer(output, source):
    return output.exists() and output.stat().st_mtime >= source.stat().st_mtime


@once
def build_go():
    if newer(CACHE / "counted_go", SERVERS / "counted_go" / "main.go"):
        return
    needs("go")
    subprocess.run(["go", "build", "-o", str(CACHE / "counted_go"), "."], cwd=SERVERS / "counted_go", check=True,
                   env={**os.environ, "HOME": str(CACHE), "GO111MODULE": "off"})


@once
def build_fasthttp():
    if newer(CACHE / "counted_fasthttp", SERVERS / "counted_fasthttp" / "main.go"):
        return
    needs("go")
    version = re.search(r"go1\.(\d+)", subprocess.run(["go", "version"], capture_output=True, text=True).stdout)
    if not version or int(version[1]) < 24:
        pytest.skip("fasthttp needs Go 1.24")
    fetched(["go", "build", "-o", str(CACHE / "counted_fasthttp"), "."], cwd=SERVERS / "counted_fasthttp")


@once
def build_rust():
    needs("cargo")
    fetched(["cargo", "build", "-q", "--locked", "--target-dir", str(CACHE / "rust")], cwd=SERVERS / "rust_frameworks")


@once
def python_packages():
    wanted, made = SERVERS / "requirements.txt", CACHE / "venv" / "requirements.txt"
    if unchanged(made, wanted):
        return
    shutil.rmtree(CACHE / "venv", ignore_errors=True)
    fetched([sys.executable, "-m", "venv", str(CACHE / "venv")])
    fetched([str(CACHE / "venv/bin/pip"), "install", "-q", "--disable-pip-version-check", "-r", str(wanted)])
    shutil.copy(wanted, made)


@once
def node_packages():
    needs("node", "npm")
    place, source = CACHE / "node_frameworks", SERVERS / "node_frameworks"
    if not unchanged(place / "made-from.json", source / "package-lock.json"):
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(source, place, ignore=shutil.ignore_patterns("node_modules"))
        fetched(["npm", "ci", "--no-audit", "--no-fund"], cwd=place)
        shutil.copy(source / "package-lock.json", place / "made-from.json")
    shutil.copy(source / "counted.js", place)


def jars(*names):
    """Debian's jars as a class path; the setup skips where one is missing."""
    paths = [f"/usr/share/java/{name}.jar" for name in names]

    def check(directory, port):
        needs("java")
        for path in paths:
            if not pathlib.Path(path).exists():
                pytest.skip(f"{path} is not installed")

    return ":".join(paths), check


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


@once
def build_erlang():
    if newer(CACHE / "counted_erlang.beam", SERVERS / "counted_erlang.erl"):
        return
    needs("erl", "erlc")
    subprocess.run(["erlc", "-o", str(CACHE), str(SERVERS / "counted_erlang.erl")], check=True)


def lighttpd_config(directory, port):
    needs("lighttpd")
    (directory / "www").mkdir()
    (directory / "www" / "index.html").write_text("ok")
    (directory / "lighttpd.conf").write_text(f"""
server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{directory}/www"
server.modules = ("mod_rewrite", "mod_redirect", "mod_access")
index-file.names = ("index.html")
url.access-deny = ("/broken")
url.rewrite-once = ("^/items/" => "/index.html")
""")


def nginx_in_front(location, workers=1):
    """An nginx that hands every request on, to the unix socket {dir}/behind or the port {behind} that PHP listens on."""
    def configure(directory, port):
        behind = free_port()
        needs("/usr/sbin/nginx")
        (directory / "front.conf").write_text(f"""
daemon off; user root; pid {directory}/pid; error_log {directory}/error.log; worker_processes {workers};
events {{ }}
http {{
  access_log off;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ {location.format(dir=directory, servers=SERVERS, behind=behind)} }}
  }}
}}""")
        (directory / "fpm.conf").write_text(f"""
[global]
error_log = {directory}/fpm.log
daemonize = no
[www]
user = root
group = root
listen = {f"127.0.0.1:{behind}" if "{behind}" in location else f"{directory}/behind"}
pm = static
pm.max_children = 2
""")
    return configure


def h2o_config(directory, port):
    needs("h2o")
    (directory / "www").mkdir()
    (directory / "www" / "index.html").write_text("ok")
    (directory / "h2o.conf").write_text(f"""
user: root
num-threads: 2
listen: {{ host: 127.0.0.1, port: {port} }}
hosts:
  default:
    paths:
      /missing: {{ redirect: {{ status: 302, url: "/" }} }}
      /broken: {{ fastcgi.connect: {{ port: {directory}/nobody, type: unix }} }}
      /items: {{ file.file: {directory}/www/index.html }}
      /: {{ file.dir: {directory}/www }}
""")


def caddy_config(directory, port):
    needs("caddy")
    (directory / "Caddyfile").write_text(f"""
{{
  admin off
  auto_https off
}}
http://:{port} {{
  bind 127.0.0.1
  handle /missing {{
    respond 404
  }}
  handle /broken {{
    respond 500
  }}
  handle {{
    respond ok
  }}
}}
""")


def yaws_config(directory, port):
    needs("yaws")
    (directory / "www").mkdir()
    (directory / "www" / "items").write_text("ok")
    (directory / "counted_yaws.erl").write_text("""
-module(counted_yaws).
-export([out/1]).
-include_lib("yaws/include/yaws_api.hrl").
out(Arg) ->
    Path = (Arg#arg.req)#http_request.path,
    Status = case Path of {abs_path, "/missing"} -> 404; {abs_path, "/broken"} -> 500; _ -> 200 end,
    [{status, Status}, {content, "text/plain", "ok"}].
""")
    subprocess.run(["erlc", "counted_yaws.erl"], cwd=directory, check=True, env=os.environ | {"ERL_LIBS": "/usr/lib"})
    (directory / "yaws.conf").write_text(f"""
logdir = {directory}
ebin_dir = {directory}
auth_log = false
<server localhost>
  port = {port}
  listen = 127.0.0.1
  docroot = {directory}/www
  access_log = false
  appmods = </, counted_yaws>
</server>
""")
