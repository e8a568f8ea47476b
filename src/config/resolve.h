// SPDX-License-Identifier: Apache-2.0
//
// From what stands on the command line to one effective tree: every `--config` is retrieved, read
// and merged in order, then every `--set`, then `${...}` is expanded. A mistake in one file does
// not hide those in the next.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/providers.h"
#include "config/value.h"

namespace sonde::config {

struct Resolution {
  Value root;  // A map; empty where every file was.
  std::vector<std::string> warnings;
};

struct ResolveOptions {
  // Feature gate confmap.enableMergeAppendOption: lists of service::extensions and of pipelines'
  // receivers and exporters are joined, not replaced.
  bool join_lists = false;
};

// `uris` are paths or `scheme:rest` (`yaml:`, `env:`, `file:`, `http:` ...).
Result<Resolution> resolve(const std::vector<std::string>& uris, const Providers& providers,
                           const ResolveOptions& options = {});

// `processors.batch.timeout=2s` to the `yaml:` URI that does it, to be put behind the others.
Result<std::string> set_to_uri(std::string_view assignment);

}  // namespace sonde::config
