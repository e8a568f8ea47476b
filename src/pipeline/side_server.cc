// SPDX-License-Identifier: Apache-2.0
#include "pipeline/side_server.h"

namespace sonde::pipeline {

Result<std::unique_ptr<net::HttpServer>> serve_beside(Host& host,
                                                      const HttpServerSettings& settings,
                                                      net::HttpServer::Handler handler) {
  net::HttpServerOptions options = TRY(http_server_options(settings));
  options.max_body = std::min<size_t>(options.max_body, 64 * 1024);
  options.max_connections = 256;
  options.accepting = [&host](Result<> result) {
    host.report_status(result ? Status::ok() : Status::recoverable(result.error()));
  };
  auto server =
      net::HttpServer::listen(host.loop(), listen_address(settings.transport, settings.endpoint),
                              std::move(handler), std::move(options));
  if (!server) return std::unexpected(at("endpoint", std::move(server.error())));
  return server;
}

net::Response no_such_page() {
  return {404, "text/plain; charset=utf-8", "404 page not found\n", {}};
}

}  // namespace sonde::pipeline
