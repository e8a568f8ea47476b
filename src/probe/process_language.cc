// SPDX-License-Identifier: Apache-2.0
// Which language a process runs: by the name of its executable, by the runtime libraries it maps,
// and for compiled programs by what their compiler leaves in the file. Kept apart from the names,
// because it alone reads executables.
#include <elf.h>

#include <algorithm>
#include <cstring>

#include "base/ascii.h"
#include "probe/process_names.h"

namespace sonde::probe::names {
namespace {

constexpr size_t kMaxImage = size_t{4} << 20;

bool named(std::string_view executable, std::string_view name) {
  if (!executable.starts_with(name)) return false;
  // python3.11 and php8.2 are python and php; pythonia is not.
  const std::string_view rest = executable.substr(name.size());
  return std::all_of(rest.begin(), rest.end(),
                     [](char c) { return is_digit(c) || c == '.' || c == '-'; });
}

// Whether a note segment holds a note of Go's linker. The text alone proves nothing: this file has
// it.
bool has_go_note(const std::string& image) {
  Elf64_Ehdr header;
  if (image.size() < sizeof header) return false;
  std::memcpy(&header, image.data(), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64) {
    return false;
  }
  for (unsigned i = 0; i < header.e_phnum && i < 64; ++i) {
    const uint64_t at = header.e_phoff + uint64_t{i} * sizeof(Elf64_Phdr);
    Elf64_Phdr segment;
    if (at > image.size() || image.size() - at < sizeof segment) return false;
    std::memcpy(&segment, image.data() + at, sizeof segment);
    if (segment.p_type != PT_NOTE || segment.p_offset > image.size()) continue;
    const std::string_view notes = std::string_view(image).substr(
        segment.p_offset, std::min<uint64_t>(segment.p_filesz, 4096));
    if (notes.find(std::string_view("Go\0\0", 4)) != std::string_view::npos) return true;
  }
  return false;
}

std::string compiled(const std::string& image, std::string_view maps) {
  if (has_go_note(image)) return "go";
  if (maps.find("libstdc++") != std::string_view::npos ||
      maps.find("libc++") != std::string_view::npos) {
    return "cpp";
  }
  // Rust's panic messages name the sources of its library.
  if (image.find("/rustc/") != std::string::npos) return "rust";
  return image.find("St9exception") != std::string::npos ? "cpp" : "unknown";
}

}  // namespace

std::string language_of(std::string_view executable, std::string_view path, std::string_view maps,
                        const std::string& proc_root, uint32_t tgid) {
  struct Known {
    std::string_view name;
    std::string_view language;
  };
  constexpr Known kExecutables[] = {
      {"python", "python"}, {"pypy", "python"},      {"node", "nodejs"},
      {"nodejs", "nodejs"}, {"bun", "nodejs"},       {"deno", "nodejs"},
      {"java", "java"},     {"php", "php"},          {"php-fpm", "php"},
      {"php-cgi", "php"},   {"ruby", "ruby"},        {"perl", "perl"},
      {"nginx", "nginx"},   {"haproxy", "haproxy"},  {"apache2", "apache"},
      {"httpd", "apache"},  {"beam.smp", "erlang"},  {"dotnet", "dotnet"},
      {"mono", "dotnet"},   {"mono-sgen", "dotnet"}, {"envoy", "envoy"},
      {"caddy", "go"},      {"lua", "lua"}};
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
