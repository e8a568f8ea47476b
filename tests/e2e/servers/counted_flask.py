# SPDX-License-Identifier: Apache-2.0
import logging
import sys

import flask

logging.getLogger("werkzeug").disabled = True
application = flask.Flask(__name__)


@application.route("/", defaults={"path": ""}, methods=["GET", "POST"])
@application.route("/<path:path>", methods=["GET", "POST"])
def handle(path):
    return "ok", {"missing": 404, "broken": 500}.get(path, 200)


if __name__ == "__main__":
    application.run(port=int(sys.argv[1]), threaded=True)
