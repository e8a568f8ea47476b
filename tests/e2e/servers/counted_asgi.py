# SPDX-License-Identifier: Apache-2.0
"""One ASGI application under the server that is named: counted_asgi.py PORT uvicorn|uvloop|hypercorn|granian [HOST]."""
import sys

STATUSES = {"/missing": 404, "/broken": 500}


async def application(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": STATUSES.get(scope["path"], 200),
                "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def uvicorn(port, host, loop="asyncio", http="h11"):
    import uvicorn
    uvicorn.run(application, host=host, port=port, loop=loop, http=http, log_level="critical", lifespan="off")


def uvloop(port, host):
    uvicorn(port, host, "uvloop", "httptools")


def hypercorn(port, host):
    import asyncio
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    config = Config()
    config.bind = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}"]
    asyncio.run(serve(application, config))


def granian(port, host):
    from granian import Granian
    Granian("counted_asgi:application", address=host, port=port, interface="asgi", log_enabled=False).serve()


if __name__ == "__main__":
    servers = {"uvicorn": uvicorn, "uvloop": uvloop, "hypercorn": hypercorn, "granian": granian}
    servers[sys.argv[2]](int(sys.argv[1]), (sys.argv[3:] or ["127.0.0.1"])[0])
