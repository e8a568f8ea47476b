// SPDX-License-Identifier: Apache-2.0
//
// Field tables: a component describes its settings once, as a constexpr table beside its struct,
// and the decoder, the JSON schema and the reference page are all made from that table. The table
// is type-erased, so there is one decoder in the binary and no template code per component.
//
//   struct Config { double share = 100; Duration interval = std::chrono::seconds(5);
//                   std::vector<std::string> include; TlsSettings tls; };
//   constexpr auto kFields = fields<Config>(
//       field("share", &Config::share, "Share of traces kept.", {.min = 0, .max = 100, .unit =
//       "%"}), field("interval", &Config::interval, "How often.", {.min = 0.001}),    // seconds
//       field("include", &Config::include, "Paths to include."),
//       field("tls", &Config::tls, kTlsFields, "Encryption."));                // struct
//
// Members may be bool, any integer, double, std::string, Duration, Value (kept undecoded), and
// std::optional, std::vector or std::map<std::string, .> of those; with a nested table, a struct or
// an optional, vector or map of structs. `embed` lays a shared struct's fields flat in the outer
// one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "config/problems.h"
#include "config/value.h"

namespace sonde::config {

class FieldTable;

// What a reader of the table needs to know beyond the type. Bounds of a duration are in seconds.
struct FieldOptions {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::string_view unit = {};  // "By" lets the value be written as 64MiB.
  // "basic|normal|detailed": nothing else is accepted. "|a|b": nor is the empty text refused.
  std::string_view choices = {};
  bool any_case = false;  // The choices may be written in capitals too.
  bool pairs = false;     // A map may be written as a list of `name` and `value`.
  // A null takes an optional section away, and leaves one of `choices` at its default.
  bool null_is_absent = false;
  // An optional section that a null or an unset variable takes away and that has no `enabled`.
  bool pointer = false;
  bool no_enabled = false;   // An optional section that `enabled` does not switch.
  bool unsplit = false;      // A list that is not written as "a,b".
  bool not_null = false;     // A null is refused.
  bool unset_keeps = false;  // An unset variable leaves a section as it is.
  bool secret = false;       // Never printed.
  bool url = false;          // Printed without its user, password and query.
  bool required = false;
  bool extension = false;            // The id of an extension: see named_extensions.h.
  std::string_view alias = {};       // An older name that is still accepted.
  std::string_view deprecated = {};  // What to use instead; a warning when the field is set.
};

enum class Shape { Bool, Integer, Double, String, Duration, Any, Struct, Optional, List, Map };

// How one C++ type is filled in, without naming it.
struct TypeOps {
  Shape shape = Shape::Struct;
  size_t size = 0;        // Of an Integer, in bytes.
  bool is_signed = true;  // Of an Integer.
  const TypeOps* element = nullptr;
  void (*clear)(void*) = nullptr;                          // List, Map, Optional: nothing is left.
  void* (*append)(void*, std::string_view key) = nullptr;  // List, Map, Optional: a fresh element.
  const void* (*peek)(const void*) = nullptr;              // Optional: the value or nullptr.
  bool (*empty)(const void*) = nullptr;                    // List, Map.
  // List, Map: calls back for each element; the key is empty in a list.
  void (*each)(const void*, void* context,
               void (*visit)(void* context, std::string_view key, const void* element)) = nullptr;
};

namespace detail {

template <class T>
struct OpsOf;

template <class T>
inline constexpr TypeOps kOps = OpsOf<std::remove_cv_t<T>>::make();

template <class T>
struct OpsOf {
  static constexpr TypeOps make() {
    if constexpr (std::is_same_v<T, bool>) {
      return {.shape = Shape::Bool};
    } else if constexpr (std::is_integral_v<T>) {
      return {.shape = Shape::Integer, .size = sizeof(T), .is_signed = std::is_signed_v<T>};
    } else if constexpr (std::is_same_v<T, double>) {
      return {.shape = Shape::Double};
    } else if constexpr (std::is_same_v<T, std::string>) {
      return {.shape = Shape::String};
    } else if constexpr (std::is_same_v<T, Duration>) {
      return {.shape = Shape::Duration};
    } else if constexpr (std::is_same_v<T, Value>) {
      return {.shape = Shape::Any};
    } else {
      static_assert(std::is_class_v<T>, "this type cannot be a setting");
      return {.shape = Shape::Struct};
    }
  }
};

template <class T>
struct OpsOf<std::optional<T>> {
  static constexpr TypeOps make() {
    return {.shape = Shape::Optional,
            .element = &kOps<T>,
            .clear = [](void* p) { static_cast<std::optional<T>*>(p)->reset(); },
            .append = [](void* p, std::string_view) -> void* {
              auto& slot = *static_cast<std::optional<T>*>(p);
              if (!slot) slot.emplace();
              return &*slot;
            },
            .peek = [](const void* p) -> const void* {
              const auto& slot = *static_cast<const std::optional<T>*>(p);
              return slot ? &*slot : nullptr;
            }};
  }
};

template <class T>
struct OpsOf<std::vector<T>> {
  static_assert(!std::is_same_v<T, bool>, "a vector of bool has no elements to point at");
  static constexpr TypeOps make() {
    return {
        .shape = Shape::List,
        .element = &kOps<T>,
        .clear = [](void* p) { static_cast<std::vector<T>*>(p)->clear(); },
        .append = [](void* p, std::string_view) -> void* {
          return &static_cast<std::vector<T>*>(p)->emplace_back();
        },
        .empty = [](const void* p) { return static_cast<const std::vector<T>*>(p)->empty(); },
        .each =
            [](const void* p, void* context, void (*visit)(void*, std::string_view, const void*)) {
              for (const T& item : *static_cast<const std::vector<T>*>(p)) {
                visit(context, {}, &item);
              }
            }};
  }
};

template <class T, class Less>
struct OpsOf<std::map<std::string, T, Less>> {
  using Map = std::map<std::string, T, Less>;
  static constexpr TypeOps make() {
    return {
        .shape = Shape::Map,
        .element = &kOps<T>,
        .clear = [](void* p) { static_cast<Map*>(p)->clear(); },
        .append = [](void* p, std::string_view key) -> void* {
          return &(*static_cast<Map*>(p))[std::string(key)];
        },
        .empty = [](const void* p) { return static_cast<const Map*>(p)->empty(); },
        .each =
            [](const void* p, void* context, void (*visit)(void*, std::string_view, const void*)) {
              for (const auto& [key, item] : *static_cast<const Map*>(p)) {
                visit(context, key, &item);
              }
            }};
  }
};

}  // namespace detail

// One row of a table as the decoder and the generators see it.
struct FieldInfo {
  std::string_view name;  // Empty for an embedded struct.
  std::string_view help;
  FieldOptions options;
  const TypeOps* ops = nullptr;
  const FieldTable* nested = nullptr;  // Of the innermost struct, where there is one.
};

// The type-erased face of a table. Tables live in static storage, so pointers to them stay valid.
class FieldTable {
 public:
  virtual size_t size() const = 0;
  virtual FieldInfo info(size_t index) const = 0;
  virtual void* member(size_t index, void* object) const = 0;
  const void* member(size_t index, const void* object) const {
    return member(index, const_cast<void*>(object));
  }
  // Calls back with a fresh default-made object, which holds the defaults shown in the reference.
  virtual void visit_default(void (*visit)(void* context, void* object), void* context) const = 0;

 protected:
  constexpr FieldTable() = default;
  constexpr ~FieldTable() = default;
};

template <class C, class M>
struct Field {
  std::string_view name;
  M C::* member;
  std::string_view help;
  FieldOptions options;
  const FieldTable* nested;
};

template <class C, class M>
constexpr Field<C, M> field(std::string_view name, M C::* member, std::string_view help,
                            FieldOptions options = {}) {
  return {name, member, help, options, nullptr};
}

template <class C, class M>
constexpr Field<C, M> field(std::string_view name, M C::* member, const FieldTable& nested,
                            std::string_view help, FieldOptions options = {}) {
  return {name, member, help, options, &nested};
}

// The members of a shared struct, written at the same level as the outer struct's own.
template <class C, class M>
constexpr Field<C, M> embed(M C::* member, const FieldTable& nested) {
  return {{}, member, {}, {}, &nested};
}

template <class C, class Bases, class... Ms>
class Fields;

// Bs are the classes that declare the members: C itself or a base of it.
template <class C, class... Bs, class... Ms>
class Fields<C, std::tuple<Bs...>, Ms...> final : public FieldTable {
 public:
  constexpr explicit Fields(Field<Bs, Ms>... rows) : rows_(rows...) {}

  constexpr const FieldTable& table() const { return *this; }

  size_t size() const override { return sizeof...(Ms); }

  FieldInfo info(size_t index) const override {
    FieldInfo result;
    with_row(index, [&](const auto& row) {
      using Member = std::remove_cvref_t<decltype(std::declval<C&>().*row.member)>;
      result = {row.name, row.help, row.options, &detail::kOps<Member>, row.nested};
    });
    return result;
  }

  void* member(size_t index, void* object) const override {
    void* result = nullptr;
    with_row(index, [&](const auto& row) { result = &(static_cast<C*>(object)->*row.member); });
    return result;
  }

  void visit_default(void (*visit)(void* context, void* object), void* context) const override {
    C object{};
    visit(context, &object);
  }

 private:
  template <class F>
  void with_row(size_t index, F&& visit) const {
    [&]<size_t... I>(std::index_sequence<I...>) {
      (void)((I == index ? (visit(std::get<I>(rows_)), true) : false) || ...);
    }(std::index_sequence_for<Ms...>{});
  }

  std::tuple<Field<Bs, Ms>...> rows_;
};

template <class C, class... Bs, class... Ms>
constexpr auto fields(Field<Bs, Ms>... rows) {
  return Fields<C, std::tuple<Bs...>, Ms...>(rows...);
}

// Fills `out`, which holds the defaults, from `value`. An absent value leaves the default; what a
// null does depends on the type.
// `path` names the place in messages: `receivers::ebpf`. The error has every mistake, one a line.
// Types are the Collector's: a string setting takes strings, and the original text of a value that
// was expanded; a number takes numbers; a list of strings takes "a,b"; a bare integer is
// nanoseconds for a duration. An optional section takes `enabled: false` where it has no such field
// itself.
Result<> decode(const Value& value, const FieldTable& table, void* out, std::string_view path);

// The way back, with every default: what print-config shows. Secrets become "[REDACTED]" unless
// `unredacted`; an optional section that is not there is left out.
Value encode(const FieldTable& table, const void* object, bool unredacted);
// decode over the defaults of the table, then encode.
Result<Value> effective(const Value& value, const FieldTable& table, std::string_view path,
                        bool unredacted);

// "5s", "200ms", "1h30m", "-1.5h", "0", as Go: ns, us, ms, s, m, h.
Result<Duration> parse_duration(std::string_view text);
std::string format_duration(Duration duration);
// "64MiB", "512KB", "1024".
Result<uint64_t> parse_bytes(std::string_view text);

// The candidate that is fewest edits away, or an empty view when none is close.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace sonde::config
