// SPDX-License-Identifier: Apache-2.0
//
// Component types for tests of configurations: `t` has a setting of every kind, the others none.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/component.h"

namespace sonde::pipeline {

struct TypedInner {
  int64_t x = 0;
  std::string y;
};
inline constexpr auto kTypedInner = config::fields<TypedInner>(
    config::field("x", &TypedInner::x, "X."), config::field("y", &TypedInner::y, "Y."));

struct TypedInnerDefault {
  int64_t x = 3;
  std::string y = "dy";
};
inline constexpr auto kTypedInnerDefault =
    config::fields<TypedInnerDefault>(config::field("x", &TypedInnerDefault::x, "X."),
                                      config::field("y", &TypedInnerDefault::y, "Y."));

struct TypedConfig {
  std::string s = "def";
  int64_t i = 7;
  uint8_t u8 = 0;
  uint64_t u = 0;
  double f = 1.5;
  bool b = false;
  Duration d = std::chrono::seconds(1);
  std::vector<std::string> l = {"d1", "d2"};
  std::vector<int64_t> li;
  std::map<std::string, std::string> m = {{"dk", "dv"}};
  config::Value a;
  TypedInner n = {1, "ny"};
  std::optional<TypedInnerDefault> od;
  std::vector<TypedInner> ln;
  std::string k;
  std::map<std::string, std::string> mk;
};
inline constexpr auto kTyped = config::fields<TypedConfig>(
    config::field("s", &TypedConfig::s, "S."), config::field("i", &TypedConfig::i, "I."),
    config::field("u8", &TypedConfig::u8, "U8."), config::field("u", &TypedConfig::u, "U."),
    config::field("f", &TypedConfig::f, "F."), config::field("b", &TypedConfig::b, "B."),
    config::field("d", &TypedConfig::d, "D."), config::field("l", &TypedConfig::l, "L."),
    config::field("li", &TypedConfig::li, "Li."), config::field("m", &TypedConfig::m, "M."),
    config::field("a", &TypedConfig::a, "A."),
    config::field("n", &TypedConfig::n, kTypedInner, "N."),
    config::field("od", &TypedConfig::od, kTypedInnerDefault, "Od."),
    config::field("ln", &TypedConfig::ln, kTypedInner, "Ln."),
    config::field("k", &TypedConfig::k, "K.", {.secret = true}),
    config::field("mk", &TypedConfig::mk, "Mk.", {.secret = true}));

inline const config::FieldTable& typed_table() { return kTyped.table(); }

struct EmptyConfig {};
inline constexpr auto kEmpty = config::fields<EmptyConfig>();

class IdleComponent final : public Component {
 public:
  IdleComponent(const EmptyConfig&, std::string_view, Outputs) {}
  IdleComponent(const TypedConfig&, std::string_view, Outputs) {}
};

inline std::span<const ComponentType* const> typed_components() {
  static const ComponentType t = make_type<IdleComponent, TypedConfig>(
      {.kind = Kind::Receiver, .name = "t", .out = kTraces | kMetrics}, kTyped.table());
  static const ComponentType batch = make_type<IdleComponent, EmptyConfig>(
      {.kind = Kind::Processor, .name = "batch", .in = kAllSignals, .out = kAllSignals},
      kEmpty.table());
  static const ComponentType nop = make_type<IdleComponent, EmptyConfig>(
      {.kind = Kind::Exporter, .name = "nop", .in = kAllSignals}, kEmpty.table());
  static const ComponentType debug = make_type<IdleComponent, EmptyConfig>(
      {.kind = Kind::Exporter, .name = "debug", .in = kAllSignals}, kEmpty.table());
  static const ComponentType forward =
      make_type<IdleComponent, EmptyConfig>({.kind = Kind::Connector,
                                             .name = "forward",
                                             .in = kAllSignals,
                                             .out = kAllSignals,
                                             .same_signal = true},
                                            kEmpty.table());
  static const ComponentType zpages = make_type<IdleComponent, EmptyConfig>(
      {.kind = Kind::Extension, .name = "zpages"}, kEmpty.table());
  static const ComponentType* const all[] = {&t, &batch, &nop, &debug, &forward, &zpages};
  return all;
}

}  // namespace sonde::pipeline
