// SPDX-License-Identifier: Apache-2.0
// Turns paths into route templates of low cardinality: segments that look like identifiers become
// {id}, and a level that shows too many different words becomes {*}. One trie a service. It guesses
// from paths alone; a framework's real route table is not known here.
#ifndef SONDE_PROBE_ROUTE_H
#define SONDE_PROBE_ROUTE_H

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sonde::probe {

struct RouteLimits {
  size_t max_children = 48;
  size_t max_routes = 300;  // A service.
  size_t max_services = 1024;
  size_t max_depth = 12;
  size_t max_length = 240;
};

// Whether a path segment names one thing rather than a kind of thing.
bool looks_like_id(std::string_view segment);

class Routes {
 public:
  explicit Routes(RouteLimits limits = {}) : limits_(limits) {}
  ~Routes();

  // `path` is without its query. A path that was not found (404) may take only half of a level, so
  // that a scanner does not crowd out what exists.
  std::string route(std::string_view service, std::string_view path, bool found = true);
  uint64_t overflowed() const { return overflowed_; }

 private:
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
    bool route = false;
  };
  struct Service {
    Node root;
    size_t routes = 0;
  };

  RouteLimits limits_;
  uint64_t overflowed_ = 0;
  std::map<std::string, std::unique_ptr<Service>, std::less<>> services_;
};

}  // namespace sonde::probe

#endif
