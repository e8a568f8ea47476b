#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What capturing costs a server: CPU time of an nginx worker per request, with nothing attached, with
its messages captured, with the process excluded, and with programs attached that do nothing, which is the
floor of the last. `return 200` is the worst case: the server does
almost nothing else. The modes alternate within each round, and the figure is the median of the
rounds' ratios, because the machine's speed drifts more between rounds than the modes differ.
Prints one JSON line a figure. Needs root, nginx and wrk."""
import argparse
import os
import socket
import statistics
import subprocess
import tempfile
import time

from figure import show

CONF = """
daemon off; master_process on; worker_processes 1; worker_cpu_affinity 01; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 512; }}
http {{ access_log off; keepalive_requests 100000000;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "hello"; }}
    location /stub {{ stub_status; }} }} }}
"""


def cpu_ns(pid):
    with open(f"/proc/{pid}/schedstat") as f:
        return int(f.read().split()[0])


def requests_served(port):
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"GET /stub HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    data = b""
    while chunk := s.recv(4096):
        data += chunk
    s.close()
    return int(data.decode().split("requests")[1].split()[2])


def probes():
    shown = subprocess.run(["bpftool", "prog", "show"], capture_output=True, text=True).stdout
    return shown.count("name length_send") + shown.count("name system_call_end")


def wait_until_alone(seconds=600):
    """Another probe on this host would be billed to every mode, and make ours cheaper."""
    deadline = time.monotonic() + seconds
    while probes():
        if time.monotonic() > deadline:
            raise SystemExit("another probe stays attached on this host")
        time.sleep(0.2)


class Drain:
    def __init__(self, binary, front_end):
        self.p = subprocess.Popen([binary, front_end], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, line):
        self.p.stdin.write(line + "\n")
        self.p.stdin.flush()
        return self.p.stdout.readline().strip()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--drain", default="build/release/probe_drain")
    parser.add_argument("--front-end", default="auto", help="socket-length, fexit or system-calls")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=16)
    args = parser.parse_args()
    port = 18080
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        conf = os.path.join(d, "nginx.conf")
        with open(conf, "w") as f:
            f.write(CONF.format(dir=d, port=port))
        nginx = subprocess.Popen(["nginx", "-c", conf, "-p", d])
        drain = Drain(args.drain, args.front_end)
        try:
            time.sleep(0.5)
            children = subprocess.check_output(["ps", "--ppid", str(nginx.pid), "-o", "pid="], text=True)
            worker = int(children.split()[0])

            events = {}

            def measure(mode):
                wait_until_alone()
                drain.tell({"off": "off", "empty": "empty"}.get(mode, "on"))
                if mode == "excluded":
                    drain.tell(f"exclude {worker}")
                elif mode == "on":
                    drain.tell(f"include {worker}")
                time.sleep(0.1)
                before, served = cpu_ns(worker), requests_served(port)
                wrk = subprocess.Popen(
                    ["taskset", "2", "wrk", "-t1", f"-c{args.connections}", f"-d{args.seconds}s", f"http://127.0.0.1:{port}/"],
                    stdout=subprocess.DEVNULL)
                # The figure is a server's; its clients are usually on other machines.
                if mode in ("on", "excluded"):
                    time.sleep(0.02)
                    drain.tell(f"exclude {wrk.pid}")
                wrk.wait()
                cost, served = cpu_ns(worker) - before, requests_served(port) - served
                alone = probes() == (mode in ("on", "excluded"))
                if mode in ("on", "excluded"):
                    time.sleep(0.1)
                    events[mode] = drain.tell("stats")
                drain.tell("off")
                return cost / served if alone else None

            rows = {"off": [], "empty": [], "on": [], "excluded": []}
            for i in range(args.rounds):
                order = list(rows)
                for mode in order[i % 4:] + order[:i % 4]:
                    while (cost := measure(mode)) is None:
                        pass
                    rows[mode].append(cost)
            for mode, values in rows.items():
                show(f"nginx_cpu_per_request_{mode}", round(statistics.median(values), 1), unit="ns", rounds=args.rounds,
                     events_lost=events.get(mode))
            for mode, bar in (("empty", None), ("on", 1.15), ("excluded", 1.01)):
                ratios = [a / b for a, b in zip(rows[mode], rows["off"])]
                show(f"nginx_cpu_ratio_{mode}", round(statistics.median(ratios), 4), at_most=bar, unit="ratio",
                     of_minima=round(min(rows[mode]) / min(rows["off"]), 4), low=round(min(ratios), 4), high=round(max(ratios), 4))
        finally:
            drain.p.kill()
            nginx.terminate()
            nginx.wait()


if __name__ == "__main__":
    main()
