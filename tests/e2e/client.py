# SPDX-License-Identifier: Apache-2.0
"""A counting HTTP/1.1 client on raw sockets.

It is the judge of the count tests: it knows exactly how many requests it sent and which status each of
them was answered with, so it must not retry, pool or follow anything behind the test's back.
"""
import collections
import os
import socket

PATIENCE = float(os.environ.get("SONDE_E2E_PATIENCE", "1"))


class Connection:
    def __init__(self, port, host="127.0.0.1", timeout=20):
        self.socket = socket.create_connection((host, port), timeout=timeout * PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.buffer += data

    def read_line(self):
        while b"\r\n" not in self.buffer:
            self._more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def read_exactly(self, length):
        while len(self.buffer) < length:
            self._more()
        data, self.buffer = self.buffer[:length], self.buffer[length:]
        return data

    def read_response(self, method="GET"):
        """Returns (status, headers, body) of the next final response; interim ones are skipped."""
        while True:
            status = int(self.read_line().split(b" ")[1])
            headers = {}
            while line := self.read_line():
                name, _, value = line.partition(b":")
                headers[name.strip().lower().decode()] = value.strip().decode()
            if status >= 200 or status == 101:
                break
        body = b""
        if method == "HEAD" or status in (204, 304, 101):
            pass
        elif "chunked" in headers.get("transfer-encoding", ""):
            while size := int(self.read_line().split(b";")[0], 16):
                body += self.read_exactly(size)
                self.read_line()
            self.read_line()
        elif "content-length" in headers:
            body = self.read_exactly(int(headers["content-length"]))
        else:
            headers["connection"] = "close"
            try:
                while True:
                    self._more()
            except (ConnectionError, OSError):
                body, self.buffer = self.buffer, b""
        return status, headers, body


def request_bytes(method, path, body=b"", headers=()):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body or method in ("POST", "PUT"):
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def send_requests(port, requests, keep_alive=True, host="127.0.0.1"):
    """Sends the (method, path) pairs one after the other and counts the answers by (method, path, status).

    A server may close a kept-alive connection after any response; the next request then opens another.
    """
    counts = collections.Counter()
    connection = None
    for method, path in requests:
        if connection is None:
            connection = Connection(port, host)
        headers = () if keep_alive else (("Connection", "close"),)
        connection.send(request_bytes(method, path, headers=headers))
        status, response_headers, _ = connection.read_response(method)
        counts[method, path, status] += 1
        if not keep_alive or response_headers.get("connection", "").lower() == "close":
            connection.close()
            connection = None
    if connection is not None:
        connection.close()
    return counts
