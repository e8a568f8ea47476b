// SPDX-License-Identifier: Apache-2.0
// The identifier test and the trie of route.h.
#include "probe/route.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/hex.h"

namespace sonde::probe {
namespace {

constexpr std::string_view kOverflow = "/{*}";
constexpr std::string_view kRest = "{*}";
constexpr std::string_view kId = "{id}";

bool is_version(std::string_view s) {
  return s.size() >= 2 && s.size() <= 6 && (s[0] == 'v' || s[0] == 'V') &&
         std::all_of(s.begin() + 1, s.end(), [](char c) { return is_digit(c) || c == '.'; });
}

}  // namespace

bool looks_like_id(std::string_view s) {
  if (s.empty() || is_version(s)) return false;
  if (s.size() > 40) return true;
  const auto digits = static_cast<size_t>(std::count_if(s.begin(), s.end(), is_digit));
  if (digits == s.size()) return true;
  const bool strange = std::any_of(s.begin(), s.end(), [](char c) {
    return c == '@' || c == '%' || c == '=' || c == ',' || c == ':' ||
           static_cast<signed char>(c) < 0x21;
  });
  if (strange) return true;
  const bool hex =
      std::all_of(s.begin(), s.end(), [](char c) { return hex_digit(c) >= 0 || c == '-'; });
  if (hex && digits > 0 && s.size() >= 8) return true;
  // `oauth2`, `s3` and `log4j` are words; `order42` and `a1b2` are not.
  if (digits == 1 &&
      std::count_if(s.begin(), s.end(), is_letter) + 1 == static_cast<long>(s.size())) {
    return false;
  }
  return digits > 0;
}

Routes::~Routes() = default;

std::vector<std::string_view> Routes::segments(std::string_view path) const {
  std::vector<std::string_view> out;
  size_t length = 0;
  while (!path.empty()) {
    path.remove_prefix(1);
    const size_t end = std::min(path.find('/'), path.size());
    std::string_view segment = path.substr(0, end);
    path.remove_prefix(end);
    if (out.size() >= limits_.max_depth || length + segment.size() + 1 > limits_.max_length) {
      out.push_back(kRest);
      return out;
    }
    if (looks_like_id(segment)) segment = kId;
    length += segment.size() + 1;
    out.push_back(segment);
  }
  return out;
}

std::string Routes::route(std::string_view service, std::string_view path, bool found) {
  if (path.empty() || path.front() != '/') return std::string(path == "*" ? path : kOverflow);
  auto place = services_.find(service);
  if (place == services_.end()) {
    if (services_.size() >= limits_.max_services) {
      ++overflowed_;
      return std::string(kOverflow);
    }
    place = services_.emplace(std::string(service), std::make_unique<Service>()).first;
  }
  Service& known = *place->second;
  std::vector<std::string_view> words = segments(path);
  bool cut = words.back() == kRest;
  const size_t room = found ? limits_.max_children : limits_.max_children / 2;
  // The deepest node that is there, and how many words led to it.
  Node* node = &known.root;
  size_t depth = 0;
  std::string out;
  for (size_t i = 0; i < words.size(); ++i) {
    const bool here = depth == i;
    auto child = here ? node->children.find(words[i]) : node->children.end();
    if (here && child == node->children.end() && node->children.size() >= room && words[i] != kId &&
        words[i] != kRest) {
      cut = true;
      words[i] = kRest;
      child = node->children.find(words[i]);
    }
    if (here && child != node->children.end()) {
      node = child->second.get();
      ++depth;
    }
    out += '/';
    out += words[i];
  }
  const bool taken = depth == words.size() && node->route;
  const bool refused = !taken && known.routes >= limits_.max_routes;
  if (cut || refused) ++overflowed_;
  if (refused) return std::string(kOverflow);
  if (taken) return out;
  // Nodes come only with a route, so routes times depth is the most that a service can have.
  for (; depth < words.size(); ++depth) {
    node = node->children.emplace(std::string(words[depth]), std::make_unique<Node>())
               .first->second.get();
    ++nodes_;
  }
  node->route = true;
  ++known.routes;
  return out;
}

}  // namespace sonde::probe
