# SPDX-License-Identifier: Apache-2.0
"""A back end that answers as a test says, by gRPC or by HTTP, and the link to it, which can be cut."""
import collections
import concurrent.futures
import dataclasses
import http.server
import socket
import struct
import threading
import time
from typing import Optional

import grpc
from google.protobuf import any_pb2, duration_pb2

from ledger import SIGNALS
from sonde import eventually


@dataclasses.dataclass
class Answer:
    status: int = 0  # A code of gRPC or, over HTTP, a status. 0: it is taken.
    wait: Optional[str] = None  # Retry-After, or the seconds of RetryInfo.
    reject: int = 0  # So many of the items are rejected: partial success.
    delay: float = 0


OK = Answer()


def status_details(code, wait):
    """google.rpc.Status with RetryInfo, written by hand: the types are in no package that the tests have."""
    seconds = float(wait)
    delay = duration_pb2.Duration(seconds=int(seconds), nanos=int(seconds % 1 * 1e9)).SerializeToString()
    info = b"\x0a" + bytes([len(delay)]) + delay
    packed = any_pb2.Any(type_url="type.googleapis.com/google.rpc.RetryInfo", value=info).SerializeToString()
    return b"\x08" + bytes([code]) + b"\x1a" + bytes([len(packed)]) + packed


class BackEnd:
    """behave(signal, numbers, attempt) says how a request is answered; attempts are counted from 0."""

    def __init__(self):
        self.lock = threading.Lock()
        self.behave = lambda signal, numbers, attempt: OK
        self.delivered = collections.defaultdict(collections.Counter)  # Signal: number: how often.
        self.unanswered = collections.defaultdict(set)  # Whoever sent these may not have heard that they were taken.
        self.rejected = collections.defaultdict(set)
        self.attempts = collections.defaultdict(list)  # First number of a request: when it came.
        self.hold = None  # An event before which nothing is answered.

    def take(self, signal, body):
        numbers = signal.numbers(signal.request.FromString(body))
        if self.hold:
            self.hold.wait(60)
        with self.lock:
            attempt = len(self.attempts[numbers[0]])
            self.attempts[numbers[0]].append(time.monotonic())
            answer = self.behave(signal, numbers, attempt)
        if answer.delay:
            time.sleep(answer.delay)  # That is the fault: a back end that takes its time.
        with self.lock:
            if answer.status == 0:
                self.delivered[signal.name].update(numbers[answer.reject:])
                self.rejected[signal.name].update(numbers[:answer.reject])
            if answer.delay:
                self.unanswered[signal.name].update(numbers)
        return answer

    def unsure(self):
        """From here on all that was ever delivered may come again: a connection was cut."""
        with self.lock:
            for name, numbers in self.delivered.items():
                self.unanswered[name].update(numbers)

    @staticmethod
    def response(signal, answer):
        response = signal.response()
        if answer.reject:
            setattr(response.partial_success, signal.rejected, answer.reject)
            response.partial_success.error_message = "too old"
        return response.SerializeToString()


class GrpcBackEnd(BackEnd):
    protocol = "grpc"

    def __init__(self):
        super().__init__()
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(40), options=[("grpc.so_reuseport", 0)])
        for signal in SIGNALS:
            handler = grpc.unary_unary_rpc_method_handler(lambda body, context, signal=signal: self.export(signal, body, context))
            self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(signal.service, {"Export": handler}),))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def export(self, signal, body, context):
        answer = self.take(signal, body)
        if answer.status:
            if answer.wait is not None:
                context.set_trailing_metadata((("grpc-status-details-bin", status_details(answer.status, answer.wait)),))
            code = next(code for code in grpc.StatusCode if code.value[0] == answer.status)
            context.abort(code, "as the test says")
        return self.response(signal, answer)

    def stop(self):
        self.server.stop(0).wait()


class HttpBackEnd(BackEnd):
    protocol = "http"

    def __init__(self):
        super().__init__()
        back_end = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                signal = next(s for s in SIGNALS if self.path == f"/v1/{s.name}")
                answer = back_end.take(signal, body)
                response = back_end.response(signal, answer)
                self.send_response(answer.status or 200)
                if answer.wait is not None:
                    self.send_header("Retry-After", answer.wait)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(response)))
                self.end_headers()
                self.wfile.write(response)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):
                pass  # Connections that the test cuts.

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Link:
    """A port that leads to another. It can be taken down, and it can cut each connection after so many bytes."""

    def __init__(self, target):
        self.target = target
        self.lock = threading.Lock()
        self.connections = set()
        self.forth = self.back = lambda: None  # How many bytes a new connection lives, each way; None: for ever.
        self.port = None
        self.listener = None
        self.up()

    def up(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        assert eventually(self._bind, 10), "the port of the link is taken"
        self.listener.listen(64)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _bind(self):
        try:
            self.listener.bind(("127.0.0.1", self.port or 0))
        except OSError:
            return False
        self.port = self.listener.getsockname()[1]
        return True

    def down(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            cut = list(self.connections)
        for near, far in cut:
            self._cut(near, far)

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            with self.lock:
                self.connections.add((near, far))
            threading.Thread(target=self._pump, args=(near, far, near, far, self.forth()), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, near, far, self.back()), daemon=True).start()

    def _pump(self, source, sink, near, far, life):
        try:
            while data := source.recv(65536):
                if life is not None:
                    data = data[:life]
                    life -= len(data)
                sink.sendall(data)
                if life == 0:
                    break
        except OSError:
            pass
        self._cut(near, far)

    def _cut(self, near, far):
        """With a reset, as a machine does that has lost the connection."""
        with self.lock:
            if (near, far) not in self.connections:
                return
            self.connections.remove((near, far))
        for end in (near, far):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            try:
                end.shutdown(socket.SHUT_RD)  # Wakes whoever reads here and says nothing.
            except OSError:
                pass
            end.close()

    def stop(self):
        self.down()
