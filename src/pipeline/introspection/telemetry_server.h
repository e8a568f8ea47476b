// SPDX-License-Identifier: Apache-2.0
// Serves the process' own metrics at /metrics, in Prometheus' text form.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "net/http/http_server.h"

namespace sonde::pipeline {

// On the loop's thread, or while it does not run.
Result<std::unique_ptr<net::HttpServer>> serve_own_metrics(net::Loop& loop,
                                                           std::string_view address);

}  // namespace sonde::pipeline
