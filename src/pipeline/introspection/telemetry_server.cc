// SPDX-License-Identifier: Apache-2.0
#include "pipeline/introspection/telemetry_server.h"

#include "base/counters.h"
#include "pipeline/introspection/own_process.h"

namespace sonde::pipeline {

Result<std::unique_ptr<net::HttpServer>> serve_own_metrics(net::Loop& loop,
                                                           std::string_view address) {
  auto server = net::HttpServer::listen(
      loop, address, [](const net::Request& request, net::Responder responder) {
        if (request.path == "/metrics") {
          refresh_process_gauges();
          responder.respond(
              {200, "text/plain; version=0.0.4; charset=utf-8", Counters::exposition(), {}});
        } else {
          responder.respond({404, "text/plain", "own metrics are at /metrics\n", {}});
        }
      });
  if (server) return server;
  return std::unexpected(at("service::telemetry::metrics::address", server.error()));
}

}  // namespace sonde::pipeline
