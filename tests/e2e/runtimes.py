# SPDX-License-Identifier: Apache-2.0
"""The servers of the count tests: how each is started, and the service name it must be found under.

All of them answer /missing with 4xx, /broken with 5xx and everything else with 200, as far as they can be told to.
"""
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from client import Connection
from setups import (CACHE, SERVERS, apache_config, build_erlang, build_fasthttp, build_go, build_rust, caddy_config,
                    h2o_config, haproxy_config, jars, lighttpd_config, nginx_config, nginx_in_front, node_packages,
                    python_packages, yaws_config)
from sonde import eventually, free_port

PYTHON = "/usr/bin/python3"  # Debian's own, which is the one that has Debian's Flask and aiohttp.


class Runtime:
    """`{port}`, `{dir}`, `{servers}` and `{cache}` in `command` are the server's own. `loopback` is what it binds."""

    def __init__(self, service, command, setup=None, loopback="127.0.0.1"):
        self.service, self.command, self.setup, self.loopback = service, command, setup, loopback

    def start(self, directory):
        """Starts the server in a session of its own and waits until it accepts; returns (process, port)."""
        port = free_port()
        if self.setup:
            self.setup(directory, port)
        command = [part.format(port=port, dir=directory, servers=SERVERS, cache=CACHE) for part in self.command]
        if not shutil.which(command[0]):
            pytest.skip(f"{command[0]} is not installed")
        with open(directory / "server.log", "wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=directory,
                                       start_new_session=True)
        if not eventually(lambda: accepts(port, self.loopback) or process.poll() is not None, 30) or process.poll():
            stop_group(process)
            raise AssertionError((directory / "server.log").read_text(errors="replace"))
        return process, port


def children_of(pid):
    """The process ids of a process' children, theirs, and so on."""
    parents = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [pid]
    for parent in found:
        found += [child for child, of in parents.items() if of == parent]
    return found[1:]


def stop_group(process):
    """Ends what Runtime.start() started, with every process that it made; some leave the group, as php-fpm does."""
    children = children_of(process.pid)
    for kill, pid in [(os.killpg, process.pid)] + [(os.kill, child) for child in children]:
        try:
            kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()


def accepts(port, host="127.0.0.1"):
    try:
        Connection(port, host).close()
        return True
    except OSError:
        return False


def both(behind, front):
    """Two programs in one session; the second is the one that is counted."""
    return ["/bin/sh", "-c", f"{behind} & exec {front}"]


# The servers of the demo's runtimes, and four that nothing here was made for.
RUNTIMES = {
    "python_http_server": Runtime("counted_http", [PYTHON, "{servers}/counted_http.py", "{port}"]),
    "python_asyncio": Runtime("counted_asyncio", [PYTHON, "{servers}/counted_asyncio.py", "{port}"]),
    "python_flask": Runtime("counted_flask", [PYTHON, "{servers}/counted_flask.py", "{port}"]),
    "python_gunicorn": Runtime(
        "counted_flask", ["gunicorn", "-w", "2", "-b", "127.0.0.1:{port}", "--chdir", "{servers}",
                          "counted_flask:application"]),
    "node": Runtime("counted_node", ["node", "{servers}/counted_node.js", "{port}"]),
    "go": Runtime("counted_go", ["{cache}/counted_go", "{port}"], build_go),
    "java": Runtime("CountedJava", ["java", "-Dsun.net.httpserver.nodelay=true", "{servers}/CountedJava.java",
                                    "{port}"]),
    "php": Runtime("counted_php", ["php", "-S", "127.0.0.1:{port}", "{servers}/counted_php.php"]),
    "ruby": Runtime("counted_ruby", ["ruby", "{servers}/counted_ruby.rb", "{port}"]),
    "nginx": Runtime("nginx", ["/usr/sbin/nginx", "-c", "{dir}/nginx.conf"], nginx_config),
    "apache": Runtime("apache2", ["/usr/sbin/apache2", "-f", "{dir}/apache.conf", "-DFOREGROUND"], apache_config),
    "haproxy": Runtime("haproxy", ["/usr/sbin/haproxy", "-f", "{dir}/haproxy.cfg"], haproxy_config),
    "perl": Runtime("counted_perl", ["perl", "{servers}/counted_perl.pl", "{port}"]),
    "erlang": Runtime("counted_erlang", ["erl", "-noshell", "-pa", "{cache}", "-eval",
                                         'counted_erlang:main(["{port}"]).'], build_erlang),
}

VENV = "{cache}/venv/bin/python"
NETTY, NETTY_CHECK = jars("netty-buffer", "netty-codec", "netty-codec-http", "netty-common", "netty-handler",
                          "netty-resolver", "netty-transport")
JETTY, JETTY_CHECK = jars("jetty9-server", "jetty9-http", "jetty9-io", "jetty9-util", "servlet-api")
FASTCGI = ("include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME {servers}/counted_php.php; "
           "fastcgi_pass unix:{dir}/behind;")


def wsgi(server):
    return Runtime("counted_wsgi", [VENV, "{servers}/counted_wsgi.py", "{port}", server], python_packages)


def asgi(server, loopback="127.0.0.1"):
    return Runtime("counted_asgi", [VENV, "{servers}/counted_asgi.py", "{port}", server, loopback], python_packages,
                   loopback)


def node_framework(name):
    return Runtime("counted-frameworks", ["node", "{cache}/node_frameworks/counted.js", "{port}", name], node_packages)


# Servers that nobody tuned anything for. What is not installed is skipped with a message.
UNKNOWN = {
    "lighttpd": Runtime("lighttpd", ["lighttpd", "-D", "-f", "{dir}/lighttpd.conf"], lighttpd_config),
    "nginx_php_fpm": Runtime("front", both("php-fpm8.2 -R -y {dir}/fpm.conf", "/usr/sbin/nginx -c {dir}/front.conf"),
                             nginx_in_front(FASTCGI)),
    "uvicorn": asgi("uvicorn"),
    "uvicorn_uvloop": asgi("uvloop"),
    "hypercorn": asgi("hypercorn"),
    "granian": asgi("granian"),
    "gevent": wsgi("gevent"),
    "waitress": wsgi("waitress"),
    "cheroot": wsgi("cheroot"),
    "twisted": wsgi("twisted"),
    "tornado": Runtime("counted_tornado", [VENV, "{servers}/counted_tornado.py", "{port}"], python_packages),
    "express": node_framework("express"),
    "fastify": node_framework("fastify"),
    "puma": Runtime("counted_rack", ["puma", "-q", "--tag", "counted_rack", "-b", "tcp://127.0.0.1:{port}",
                                     "{servers}/counted.ru"]),
    "mojolicious": Runtime("counted_mojo", ["perl", "{servers}/counted_mojo.pl", "daemon", "-m", "production", "-l",
                                            "http://127.0.0.1:{port}"]),
    "jetty": Runtime("CountedJetty", ["java", "-cp", JETTY, "{servers}/CountedJetty.java", "{port}"], JETTY_CHECK),
    "netty": Runtime("CountedNetty", ["java", "-cp", NETTY, "{servers}/CountedNetty.java", "{port}"], NETTY_CHECK),
}

# More of them, too slow to install or to build for every run: `--all-servers` and `./dev bench counts`.
SLOW = {
    "koa": node_framework("koa"),
    "unicorn": Runtime("unicorn", ["unicorn", "-l", "127.0.0.1:{port}", "{servers}/counted.ru"]),
    "thin": Runtime("thin", ["thin", "-q", "-a", "127.0.0.1", "-p", "{port}", "-R", "{servers}/counted.ru", "start"]),
    "starman": Runtime("starman", ["starman", "--workers", "2", "--listen", "127.0.0.1:{port}",
                                   "{servers}/counted.psgi"]),
    "twiggy": Runtime("twiggy", ["twiggy", "--listen", "127.0.0.1:{port}", "{servers}/counted.psgi"]),
    "caddy": Runtime("caddy", ["caddy", "run", "--config", "{dir}/Caddyfile"], caddy_config),
    "h2o": Runtime("h2o", ["h2o", "-c", "{dir}/h2o.conf"], h2o_config),
    "yaws": Runtime("yaws", ["/bin/sh", "-c", "tail -f /dev/null | yaws --conf {dir}/yaws.conf --interactive"], yaws_config),
    "fasthttp": Runtime("counted_fasthttp", ["{cache}/counted_fasthttp", "{port}"], build_fasthttp),
    "axum": Runtime("counted_axum", ["{cache}/rust/debug/counted_axum", "{port}"], build_rust),
    "actix": Runtime("counted_actix", ["{cache}/rust/debug/counted_actix", "{port}"], build_rust),
}
