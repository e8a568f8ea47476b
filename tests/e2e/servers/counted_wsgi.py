# SPDX-License-Identifier: Apache-2.0
"""One WSGI application under the server that is named: counted_wsgi.py PORT gevent|waitress|cheroot|twisted."""
import sys

STATUSES = {"/missing": "404 Not Found", "/broken": "500 Internal Server Error"}


def application(environ, start_response):
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response(STATUSES.get(environ["PATH_INFO"], "200 OK"), [("Content-Length", "2")])
    return [b"ok"]


def gevent(port):
    from gevent.pywsgi import WSGIServer
    WSGIServer(("127.0.0.1", port), application, log=None).serve_forever()


def waitress(port):
    import logging
    import waitress
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    waitress.serve(application, host="127.0.0.1", port=port, threads=4, _quiet=True)


def cheroot(port):
    from cheroot.wsgi import Server
    Server(("127.0.0.1", port), application).safe_start()


def twisted(port):
    from twisted.internet import reactor
    from twisted.web.server import Site
    from twisted.web.wsgi import WSGIResource
    reactor.listenTCP(port, Site(WSGIResource(reactor, reactor.getThreadPool(), application)), interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    {"gevent": gevent, "waitress": waitress, "cheroot": cheroot, "twisted": twisted}[sys.argv[2]](int(sys.argv[1]))
