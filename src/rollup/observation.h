// SPDX-License-Identifier: Apache-2.0
// One finished request, seen from one side, as every rollup reads it. The views must live only as
// long as the call they are passed to. ServiceFacts is what is known of the process that was
// observed. Neither is a span: ids stay behind.
#pragma once

#include <cstdint>
#include <string_view>

#include "data/convention.h"

namespace sonde::rollup {

struct Observation {
  std::string_view service{};
  std::string_view service_namespace{};
  std::string_view instance{};
  bool server = true;
  bool has_parent = false;  // False for the first server of a trace: its caller is outside.
  // How its attributes and metrics are called. What follows is named after HTTP and stands for the
  // operation, the target and the system of any convention.
  const Convention* convention = &kHttp;
  std::string_view method{};
  std::string_view route{};
  std::string_view scheme{};
  int status = 0;
  bool error = false;
  std::string_view error_type{};
  std::string_view peer_service{};
  std::string_view peer_address{};
  int peer_port = 0;
  std::string_view server_address{};
  int server_port = 0;
  int64_t duration_ns = 0;
  int64_t queue_ns = 0;
  int64_t request_bytes = -1;   // -1: unknown.
  int64_t response_bytes = -1;  // -1: unknown.
  int64_t end_unix_ns = 0;
};

struct ServiceFacts {
  std::string_view service{};
  std::string_view service_namespace{};
  std::string_view instance{};
  std::string_view language{};
  std::string_view unit{};
  std::string_view container{};
  std::string_view instrumented_by{};
  std::string_view trust{};
};

}  // namespace sonde::rollup
