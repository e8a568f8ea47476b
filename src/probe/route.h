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
#include <vector>

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
  // that a scanner does not crowd out what exists. What is too deep or too long ends in {*}, and is
  // a route like the others; past max_routes the answer is `/{*}`.
  std::string route(std::string_view service, std::string_view path, bool found = true);
  // Paths of which a limit hid a part, or all.
  uint64_t overflowed() const { return overflowed_; }
  // Of all services; at most max_routes * (max_depth + 1) each.
  size_t nodes() const { return nodes_; }

 private:
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
    bool route = false;
  };
  struct Service {
    Node root;
    size_t routes = 0;
  };

  // The template of one path alone; never empty.
  std::vector<std::string_view> segments(std::string_view path) const;

  RouteLimits limits_;
  size_t nodes_ = 0;
  uint64_t overflowed_ = 0;
  std::map<std::string, std::unique_ptr<Service>, std::less<>> services_;
};

}  // namespace sonde::probe

#endif
