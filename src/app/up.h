// SPDX-License-Identifier: Apache-2.0
// The configuration of `sonde up` as text: what a user would write, so that print-config gives a
// start for an own file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace sonde::app {

struct UpOptions {
  std::vector<std::string> include, exclude;  // KEY=GLOB
  double sample_rate = 1;                     // Share of traces sent on; the page sees all.
  std::string otlp_endpoint;                  // Empty: nothing leaves the machine.
  uint16_t port = 4400;                       // Of the page; metrics are served on the next.
};

Result<std::string> up_config(const UpOptions& options);

}  // namespace sonde::app
