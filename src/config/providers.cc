// SPDX-License-Identifier: Apache-2.0
#include "config/providers.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/ascii.h"
#include "base/url_secrets.h"

namespace sonde::config {
namespace {

bool is_name(std::string_view name) {
  const auto allowed = [](char c) { return is_alphanumeric(c) || c == '_'; };
  return !name.empty() && !is_digit(name[0]) && std::ranges::all_of(name, allowed);
}

}  // namespace

std::string shown_uri(std::string_view uri) {
  return uri.find("://") == std::string_view::npos ? std::string(uri) : url_without_secrets(uri);
}

Provider environment_provider(Environment environment) {
  return [environment = std::move(environment)](std::string_view rest) -> Result<Retrieved> {
    const size_t at = rest.find(":-");
    const std::string name(rest.substr(0, at));
    if (!is_name(name)) {
      return fail(ErrorKind::Invalid, "\"" + name +
                                          "\" is not the name of an environment variable: letters, "
                                          "digits and _, with no digit first");
    }
    std::optional<std::string> found;
    if (environment) {
      found = environment(name);
    } else if (const char* value = std::getenv(name.c_str())) {
      found = value;
    }
    if (found) return Retrieved{.text = std::move(*found)};
    if (at == std::string_view::npos) {
      return Retrieved{.warning = "environment variable " + name +
                                  " is not set and counts as empty; set it, or write ${env:" +
                                  name + ":-default}"};
    }
    const std::string_view fallback = rest.substr(at + 2);
    return Retrieved{.text = std::string(fallback), .literal = fallback.empty()};
  };
}

Provider file_provider() {
  return [](std::string_view path) -> Result<Retrieved> {
    const std::string name(path);
    const auto refuse = [&](std::string_view why) {
      return fail(ErrorKind::NotFound, name + " cannot be read: " + std::string(why));
    };
    std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(name.c_str(), "rbe"), &std::fclose);
    if (!file) return refuse(std::strerror(errno));
    Retrieved result{.shown = true};
    char buffer[64 * 1024];
    while (const size_t size = std::fread(buffer, 1, sizeof buffer, file.get())) {
      result.text.append(buffer, size);
      if (result.text.size() > kMaxRetrievedBytes) return refuse("it is larger than 16 MiB");
    }
    if (std::ferror(file.get())) return refuse(std::strerror(errno));
    return result;
  };
}

Provider yaml_provider() {
  return [](std::string_view text) -> Result<Retrieved> {
    return Retrieved{.text = std::string(text), .shown = true};
  };
}

Providers local_providers(Environment environment) {
  Providers providers;
  providers.emplace("env", environment_provider(std::move(environment)));
  providers.emplace("file", file_provider());
  providers.emplace("yaml", yaml_provider());
  return providers;
}

}  // namespace sonde::config
