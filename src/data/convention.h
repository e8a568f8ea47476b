// SPDX-License-Identifier: Apache-2.0
// The names that the semantic conventions of OpenTelemetry give to the requests of one family of
// protocols: the attributes of spans and series, and the metrics of each side. Whoever makes or
// counts requests goes through such a table, so a protocol of a known family needs no code there.
#pragma once

#include <array>
#include <string_view>

namespace sonde {

struct Convention {
  struct Side {
    std::string_view duration;       // Seconds.
    std::string_view request_size;   // Bytes; empty: the family has no such metric.
    std::string_view response_size;  // Bytes; empty: the family has no such metric.
  };

  std::string_view family;     // "http": what people call it.
  std::string_view operation;  // What was asked for: a method, a command. Few values.
  std::string_view original;   // What was asked for as it was sent, where it is none of those few.
  std::string_view system;     // Which protocol of the family it is.
  std::string_view target;     // On what: a route, a table, a topic. Few values.
  std::string_view status;     // A number.
  Side server;
  Side client;
};

inline constexpr Convention kHttp = {
    .family = "http",
    .operation = "http.request.method",
    .original = "http.request.method_original",
    .system = "url.scheme",
    .target = "http.route",
    .status = "http.response.status_code",
    .server = {"http.server.request.duration", "http.server.request.body.size",
               "http.server.response.body.size"},
    .client = {"http.client.request.duration", "http.client.request.body.size",
               "http.client.response.body.size"}};

// The conventions name the client's side of a database and of messaging only; the server's is ours.
inline constexpr Convention kDatabase = {.family = "database",
                                         .operation = "db.operation.name",
                                         .original = {},
                                         .system = "db.system.name",
                                         .target = "db.collection.name",
                                         .status = "db.response.status_code",
                                         .server = {"db.server.operation.duration", {}, {}},
                                         .client = {"db.client.operation.duration", {}, {}}};

inline constexpr Convention kMessaging = {
    .family = "messaging",
    .operation = "messaging.operation.name",
    .original = {},
    .system = "messaging.system",
    .target = "messaging.destination.name",
    .status = {},
    .server = {"messaging.server.operation.duration", {}, {}},
    .client = {"messaging.client.operation.duration", {}, {}}};

inline constexpr Convention kRpc = {.family = "rpc",
                                    .operation = "rpc.method",
                                    .original = "rpc.method_original",
                                    .system = "rpc.system.name",
                                    .target = "rpc.service",
                                    .status = "rpc.response.status_code",
                                    .server = {"rpc.server.call.duration", {}, {}},
                                    .client = {"rpc.client.call.duration", {}, {}}};

inline constexpr std::array<const Convention*, 4> kConventions = {&kHttp, &kDatabase, &kMessaging,
                                                                  &kRpc};

}  // namespace sonde
