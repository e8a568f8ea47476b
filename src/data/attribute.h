// SPDX-License-Identifier: Apache-2.0
// An attribute as producers and editors give it: a key and a plain value, both borrowed for the
// call. It is the writing side only; attribute_view.h reads every shape that a peer may send.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <variant>

namespace sonde {

using AttributeValue = std::variant<std::string_view, int64_t, double, bool>;

struct Attribute {
  std::string_view key;
  AttributeValue value;
};

// A list of attributes: a vector, an array, or {{"k", "v"}, {"n", 1}} on the spot.
class Attributes {
 public:
  Attributes() = default;
  Attributes(std::initializer_list<Attribute> list) : list_(list.begin(), list.size()) {}
  Attributes(std::span<const Attribute> list) : list_(list) {}
  template <class Range>
    requires std::convertible_to<const Range&, std::span<const Attribute>>
  Attributes(const Range& range) : list_(range) {}

  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }
  size_t size() const { return list_.size(); }
  bool empty() const { return list_.empty(); }

 private:
  std::span<const Attribute> list_;
};

}  // namespace sonde
