# SPDX-License-Identifier: Apache-2.0
"""A server that reads and writes in a way of its own: counted_raw.py PORT WAY. One thread a connection."""
import os
import socket
import sys
import threading

WAY = sys.argv[2]
STATUSES = {b"/missing": b"404 Not Found", b"/broken": b"500 Internal Server Error"}


def peeked(connection):
    """Looks at the bytes until the head is whole, and only then takes them."""
    while b"\r\n\r\n" not in (seen := connection.recv(65536, socket.MSG_PEEK)) and seen:
        pass
    return connection.recv(65536) if seen else b""


def scattered(connection):
    buffers = [bytearray(n) for n in (0, 1, 0, 2, 65536)]
    count = connection.recvmsg_into(buffers)[0]
    return b"".join(buffers)[:count]


def vectors(connection):
    buffers = [bytearray(n) for n in (0, 3, 0, 65536)]
    count = os.readv(connection.fileno(), buffers)
    return b"".join(buffers)[:count]


def waiting(connection):
    first = connection.recv(4, socket.MSG_WAITALL)
    return first + connection.recv(65536) if first else b""


def of_a_copy(connection):
    copy = os.dup(connection.fileno())
    try:
        return os.read(copy, 65536)
    finally:
        os.close(copy)


READ = {"peek": peeked, "scatter": scattered, "readv": vectors, "waitall": waiting, "dup": of_a_copy}
read = READ.get(WAY, lambda connection: connection.recv(65536))


def write(connection, answer):
    if WAY == "bytes":
        for byte in answer:
            connection.sendall(bytes([byte]))
    elif WAY == "segments":
        # Every third segment is empty, and there are more of them than any fixed number.
        pieces = [answer[n // 2 * 3:n // 2 * 3 + 3] if n % 2 else b"" for n in range(len(answer) // 3 * 2 + 2)]
        assert connection.sendmsg(pieces) == len(answer)
    elif WAY == "head_and_body":
        end = answer.index(b"\r\n\r\n") + 4
        connection.sendmsg([answer[:end], answer[end:]])
    else:
        connection.sendall(answer)


def serve(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = b""
    with connection:
        while True:
            while b"\r\n\r\n" not in data:
                if not (more := read(connection)):
                    return
                data += more
            head, data = data.split(b"\r\n\r\n", 1)
            for line in head.split(b"\r\n"):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
                    if WAY == "discard" and length > len(data):
                        # The kernel throws these bytes away and says how many they were.
                        connection.recv(length - len(data), socket.MSG_TRUNC | socket.MSG_WAITALL)
                        data = b""
                        continue
                    while len(data) < length:
                        data += connection.recv(65536)
                    data = data[length:]
            status = STATUSES.get(head.split(b" ")[1], b"200 OK")
            write(connection, b"HTTP/1.1 " + status + b"\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
