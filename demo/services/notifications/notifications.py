# SPDX-License-Identifier: Apache-2.0
"""Notifications: one asyncio loop under aiohttp that queues messages in Redis. Many requests share one thread, which
is what makes it interesting to watch."""
import asyncio
import os

import redis.asyncio as redis
from aiohttp import web

store = redis.Redis(port=int(os.environ["REDIS_PORT"]))


async def drag():
    try:
        with open(os.environ["DEMO_SLOW_FILE"]) as file:
            await asyncio.sleep(float(file.read() or 0) / 1000)
    except (OSError, ValueError):
        pass


async def notify(request):
    await drag()
    body = await request.json()
    await store.lpush("notifications", body["order"])
    await store.ltrim("notifications", 0, 999)
    await asyncio.sleep(0.002)
    return web.json_response({"queued": body["order"]}, status=202)


async def healthz(_):
    return web.Response(text="ok\n")


app = web.Application()
app.add_routes([web.post("/notify", notify), web.get("/healthz", healthz)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
