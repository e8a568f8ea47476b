// SPDX-License-Identifier: Apache-2.0
// Which processes and ports are watched. A selector is `kind=glob` with kind executable, port,
// name, container or unit; a bare glob matches the name or the executable. Exclusion wins; an empty
// include list includes everything.
#ifndef SONDE_PROBE_FILTER_H
#define SONDE_PROBE_FILTER_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::probe {

struct Process;

bool glob_matches(std::string_view pattern, std::string_view text);

enum class Verdict : uint8_t {
  Watched,
  Excluded,        // Whatever its ports, and for as long as it runs this program.
  ExcludedForNow,  // By a name that its container's may replace.
};

class Filter {
 public:
  Filter() = default;
  // Returns the first selector that is not understood, or empty.
  static std::string parse(const std::vector<std::string>& include,
                           const std::vector<std::string>& exclude, Filter& out);

  // Of a process whatever its ports; what a port or a name that is not known yet decides is
  // Watched.
  Verdict verdict(const Process& process) const;
  bool watched(const Process& process, uint16_t server_port) const;

 private:
  enum class Kind : uint8_t { Any, Executable, Port, Name, Container, Unit };
  struct Selector {
    Kind kind;
    std::string pattern;
  };
  static bool parse_one(const std::string& text, Selector& out);
  static bool matches(const Selector& selector, const Process& process, int port);

  std::vector<Selector> include_;
  std::vector<Selector> exclude_;
};

}  // namespace sonde::probe

#endif
