# SPDX-License-Identifier: Apache-2.0
"""Orders: a threaded Flask service. Placing an order asks inventory, pricing and payments in turn, writes one row
to PostgreSQL and tells notifications. It knows nothing of telemetry."""
import http.client
import json
import os
import threading
import time

import psycopg2
from flask import Flask, jsonify, request
from werkzeug.serving import WSGIRequestHandler

app = Flask(__name__)
local = threading.local()


def drag():
    try:
        with open(os.environ["DEMO_SLOW_FILE"]) as file:
            time.sleep(float(file.read() or 0) / 1000)
    except (OSError, ValueError):
        pass


def call(service, method, path, body=None):
    """One HTTP/1.1 call over this thread's kept-alive connection; a stale connection is replaced once."""
    pool = local.__dict__.setdefault("pool", {})
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Content-Type": "application/json"} if data else {}
    for attempt in (0, 1):
        connection = pool.get(service)
        fresh = connection is None
        if fresh:
            port = int(os.environ[service.upper() + "_PORT"])
            connection = pool[service] = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.will_close:
                connection.close()
                pool.pop(service, None)
            return answer.status, json.loads(text or b"null")
        except (http.client.RemoteDisconnected, ConnectionError):
            connection.close()
            pool.pop(service, None)
            if fresh or attempt:
                return 503, None
        except (OSError, ValueError):
            connection.close()
            pool.pop(service, None)
            return 504, None
    return 503, None


def database():
    if getattr(local, "db", None) is None or local.db.closed:
        local.db = psycopg2.connect(os.environ["POSTGRES_DSN"])
        local.db.autocommit = True
    return local.db


@app.get("/healthz")
def healthz():
    return "ok\n"


@app.post("/api/orders")
def place():
    drag()
    order = request.get_json()
    sku, number = int(order["sku"]), int(order["id"])
    status, stock = call("inventory", "GET", f"/stock/{sku}")
    if status != 200:
        return jsonify(error="out of stock"), 409 if status == 404 else 503
    status, price = call("pricing", "GET", f"/price/{sku}")
    if status != 200:
        return jsonify(error="no price"), 503
    status, _ = call("payments", "POST", "/charge", {"id": number, "cents": price["cents"]})
    if status != 200:
        return jsonify(error="not paid"), 402 if status == 402 else 502
    with database().cursor() as cursor:
        cursor.execute("INSERT INTO orders (number, sku, cents) VALUES (%s, %s, %s)", (number, sku, price["cents"]))
    call("notifications", "POST", "/notify", {"order": number})
    return jsonify(id=number, stock=stock["count"], cents=price["cents"]), 201


@app.get("/api/orders/<int:number>")
def show(number):
    drag()
    with database().cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orders WHERE number = %s", (number,))
        count = cursor.fetchone()[0]
    if number % 10 == 9:
        return jsonify(error="no such order"), 404
    return jsonify(id=number, placed=count > 0)


class Handler(WSGIRequestHandler):
    """Kept-alive HTTP/1.1, one write an answer, no Nagle."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536

    def log_request(self, *_):
        pass


if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True, request_handler=Handler)
