# SPDX-License-Identifier: Apache-2.0
"""A thread-per-connection server that answers with what the server behind it said."""
import http.client
import http.server
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        behind = http.client.HTTPConnection("127.0.0.1", int(sys.argv[2]))
        behind.request("GET", self.path)
        answer = behind.getresponse()
        body = answer.read()
        behind.close()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
