// SPDX-License-Identifier: Apache-2.0
// The spans that the tests and the benchmark share: what a probe sends for an HTTP request, with
// twelve attributes. Not part of the library.
#pragma once

#include <string>

#include "data/span_writer.h"

namespace sonde::testing {

inline Batch sample_spans(size_t count) {
  TraceBatchBuilder builder;
  builder.resource({{"service.name", "checkout"}, {"host.name", "a"}, {"process.pid", int64_t{42}}})
      .scope("sonde", "0.1.0");
  for (size_t i = 0; i < count; ++i) {
    std::string id = "0123456789abcdef";
    id[15] = static_cast<char>(i);
    id[14] = static_cast<char>(i >> 8);
    builder.span({.trace_id = id,
                  .span_id = std::string_view(id).substr(8),
                  .parent_span_id = "87654321",
                  .name = "GET /api/v1/orders/{id}",
                  .kind = SpanKind::Server,
                  .start_ns = 1'700'000'000'000'000'000 + i,
                  .end_ns = 1'700'000'000'250'000'000 + i,
                  .status = StatusCode::Error,
                  .flags = 257},
                 {{"http.request.method", "GET"},
                  {"url.path", "/api/v1/orders/123456"},
                  {"url.scheme", "http"},
                  {"http.response.status_code", int64_t{500}},
                  {"http.route", "/api/v1/orders/{id}"},
                  {"server.address", "orders.shop.svc"},
                  {"server.port", int64_t{8080}},
                  {"client.address", "10.1.2.3"},
                  {"network.peer.port", int64_t{54321}},
                  {"sampling.share", 0.25},
                  {"error", true},
                  {"error.type", "500"}});
  }
  return builder.build();
}

}  // namespace sonde::testing
