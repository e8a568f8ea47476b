// SPDX-License-Identifier: Apache-2.0
//
// Where the text behind `${scheme:rest}` and behind `--config scheme:rest` comes from. A provider
// is a function, so that everything that reads configurations is pure and tests need no network.
// `http` and `https` need the network room: the app adds them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/yaml.h"

namespace sonde::config {

struct Retrieved {
  std::string text;      // YAML, or just a string.
  bool literal = false;  // The text is a string, whatever it looks like.
  bool shown = false;    // May be shown in messages: it comes from the user's own command line.
  std::string warning;   // What the user should hear about it, if anything.
};

// What messages call a source: a URL loses its user and query, which may be secret.
std::string shown_uri(std::string_view uri);

// `rest` is what stands after the colon.
using Provider = std::function<Result<Retrieved>(std::string_view rest)>;
using Providers = std::map<std::string, Provider, std::less<>>;

inline constexpr size_t kMaxRetrievedBytes = 16 * 1024 * 1024;

// `NAME` or `NAME:-default`. A name that is not set is null, with a warning, as for the Collector.
Provider environment_provider(Environment environment = {});
// A path; what is not a file of at most kMaxRetrievedBytes is an error.
Provider file_provider();
Provider yaml_provider();

// env, file and yaml.
Providers local_providers(Environment environment = {});

}  // namespace sonde::config
