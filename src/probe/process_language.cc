// SPDX-License-Identifier: Apache-2.0
// Which language a process runs: by the name of its executable, by the runtime libraries it maps,
// and for compiled programs by what their compiler leaves in the file. Kept apart from the names,
// because it alone reads executables.
#include <algorithm>
#include <cstring>

#include <elf.h>

#include "probe/process_names.h"

namespace sonde::probe::names {
namespace {

constexpr size_t kMaxImage = size_t{4} << 20;

bool named(std::string_view executable, std::string_view name) {
  if (!executable.starts_with(name)) return false;
  // python3.11 and php8.2 are python and php; pythonia is not.
  const std::string_view rest = executable.substr(name.size());
  return std::all_of(rest.begin(), rest.end(),
                     [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-'; });
}

std::string compiled(const std::string& image, std::string_view maps) {
  if (image.size() >= sizeof(Elf64_Ehdr) && image.starts_with("\x7f" "ELF")) {
    // The build id note of Go lies at the very start; Rust's panic messages name its sources.
    const std::string_view head = std::string_view(image).substr(0, 65536);
    if (head.find("Go build ID: \"") != std::string_view::npos ||
        head.find(std::string_view("Go\0\0", 4)) != std::string_view::npos ||
        image.find("\xff Go buildinf:") != std::string::npos) {
      return "go";
    }
    if (image.find("/rustc/") != std::string::npos) return "rust";
  }
  if (maps.find("libstdc++") != std::string_view::npos || maps.find("libc++") != std::string_view::npos) {
    return "cpp";
  }
  if (image.find("St9exception") != std::string::npos) return "cpp";
  return "unknown";
}

}  // namespace

std::string language_of(std::string_view executable, std::string_view path, std::string_view maps,
                        const std::string& proc_root, uint32_t tgid) {
  struct Known {
    std::string_view name;
    std::string_view language;
  };
  constexpr Known kExecutables[] = {
      {"python", "python"}, {"pypy", "python"},    {"node", "nodejs"},      {"nodejs", "nodejs"},
      {"bun", "nodejs"},    {"deno", "nodejs"},    {"java", "java"},        {"php", "php"},
      {"php-fpm", "php"},   {"php-cgi", "php"},    {"ruby", "ruby"},        {"perl", "perl"},
      {"nginx", "nginx"},   {"haproxy", "haproxy"}, {"apache2", "apache"},  {"httpd", "apache"},
      {"beam.smp", "erlang"}, {"dotnet", "dotnet"}, {"mono", "dotnet"},     {"mono-sgen", "dotnet"},
      {"envoy", "envoy"},   {"caddy", "go"},       {"lua", "lua"}};
  for (const Known& known : kExecutables) {
    if (named(executable, known.name)) return std::string(known.language);
  }
  constexpr Known kLibraries[] = {{"/libjvm.so", "java"},       {"/libpython", "python"},
                                  {"/libnode.so", "nodejs"},    {"/libruby", "ruby"},
                                  {"/libcoreclr.so", "dotnet"}, {"/libphp", "php"},
                                  {"/libperl.so", "perl"}};
  const bool server_with_modules = path.find("/postgres") != std::string_view::npos;
  for (const Known& known : kLibraries) {
    if (!server_with_modules && maps.find(known.name) != std::string_view::npos) {
      return std::string(known.language);
    }
  }
  return compiled(read_file(proc_root + "/" + std::to_string(tgid) + "/exe", kMaxImage), maps);
}

}  // namespace sonde::probe::names
