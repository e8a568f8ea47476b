// SPDX-License-Identifier: Apache-2.0
// Runs a configuration until the process is told to end, and reads it again when it is told to.
#pragma once

#include <functional>

#include "app/configuration.h"
#include "app/file_watch.h"

namespace sonde::app {

// Reads the configuration, and notes the files that it consists of as they were before.
using Load = std::function<Result<Configuration>(FileStamps& files)>;

struct ServeOptions {
  int shards = 1;
  bool watch = false;  // Whether to read it again when one of its files has changed.
};

// The exit status: see app.h.
int serve(const Load& load, const ServeOptions& options);

// A mistake on stderr; gives `status` back.
int complain(const Error& error, int status);
inline constexpr int kFailed = 1, kMistake = 2;

// Logs the configuration's warnings.
void announce(const config::Graph& graph);

}  // namespace sonde::app
