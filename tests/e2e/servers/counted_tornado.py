# SPDX-License-Identifier: Apache-2.0
import asyncio
import sys

import tornado.web


class Handler(tornado.web.RequestHandler):
    def get(self):
        self.set_status({"/missing": 404, "/broken": 500}.get(self.request.path, 200))
        self.finish("ok")

    post = get


async def main():
    tornado.web.Application([(".*", Handler)], log_function=lambda handler: None).listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
