# SPDX-License-Identifier: Apache-2.0
import sys

from aiohttp import web


async def handle(request):
    return web.Response(status={"/missing": 404, "/broken": 500}.get(request.path, 200), text="ok")


application = web.Application()
application.router.add_route("*", "/{path:.*}", handle)
web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
