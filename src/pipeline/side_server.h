// SPDX-License-Identifier: Apache-2.0
// An HTTP server beside the data, as extensions have it for probes and pages: small requests, few
// connections, and the extension's status says when no connection can be taken.
#pragma once

#include <memory>

#include "net/http/http_server.h"
#include "pipeline/component.h"
#include "pipeline/settings/http_server_settings.h"

namespace sonde::pipeline {

// Errors name the setting: "endpoint: ..." or "tls: ...".
Result<std::unique_ptr<net::HttpServer>> serve_beside(Host& host,
                                                      const HttpServerSettings& settings,
                                                      net::HttpServer::Handler handler);
// Of a page that does not exist, as Go's servers answer.
net::Response no_such_page();

}  // namespace sonde::pipeline
