// SPDX-License-Identifier: Apache-2.0
#include "data/valid.h"

#include <string>

#include "data/otlp_fields.h"
#include "data/short_pair.h"
#include "data/text_value.h"
#include "data/valid_schema.h"
#include "data/wire.h"

namespace sonde {
namespace {

using valid::Rule;
using valid::Schema;

class Walk {
 public:
  bool request(Signal signal, std::string_view body) {
    const size_t which = valid::table().requests[signal];
    return walk(which, body.data(), body.data() + body.size(), 0);
  }
  Error error() const {
    Error error{ErrorKind::Invalid,
                "malformed OTLP: the sender's encoder is at fault: field " +
                    std::to_string(field_) + " of " + std::string(where_) + ": " + why_,
                {}};
    error.peer_code = 3;  // INVALID_ARGUMENT, 400 over HTTP: as the back end would answer.
    return error;
  }

 private:
  // `values` is how many AnyValues this message lies in: what nests does so through them alone, so
  // they bound the recursion.
  bool walk(size_t which, const char* at, const char* const end, int values) {
    const Schema& schema = schemas_[which];
    while (at < end) {
      uint64_t tag = static_cast<uint8_t>(*at);
      Rule rule{};
      if (tag < 128) {
        rule = schema.rules[tag];
        if (rule == kPairs) {
          const char* const next = short_pairs(at, end, static_cast<uint32_t>(tag), values);
          if (next != at) {
            at = next;
            continue;
          }
        }
        ++at;
      } else {
        at = proto::read_varint(at, end, tag);
        if (at == nullptr || tag > UINT32_MAX) return fail(schema, 0, "its tag is no tag");
        rule = valid::rule_of(schema, static_cast<uint32_t>(tag));
      }
      uint64_t number = 0;
      switch (rule) {
        case Rule::Wrong:
          return fail(schema, tag, "its wire type is none that it can have");
        case Rule::Varint:
          at = proto::read_varint(at, end, number);
          if (at == nullptr) return fail(schema, tag, "its number does not end");
          continue;
        case Rule::Fixed64:
          if (end - at < 8) return fail(schema, tag, "it is cut off");
          at += 8;
          continue;
        case Rule::Fixed32:
          if (end - at < 4) return fail(schema, tag, "it is cut off");
          at += 4;
          continue;
        default:
          break;
      }
      at = proto::read_varint(at, end, number);
      if (at == nullptr || number > static_cast<uint64_t>(end - at))
        return fail(schema, tag, "it is longer than what holds it");
      const char* const payload = at;
      at += number;
      if (rule == Rule::Any) continue;
      if (rule >= Rule::Nested) {
        const size_t inner = rule - Rule::Nested;
        const int deeper = values + (inner == valid::kAnyValue ? 1 : 0);
        // The outermost value is at depth 0.
        if (deeper > text::kMaxDepth + 1) return fail(schema, tag, "it nests too deep");
        if (!walk(inner, payload, at, deeper)) return false;
      } else if (!scalars(rule, payload, at)) {
        return fail(schema, tag,
                    rule == Rule::TraceId  ? "its length is neither 0 nor 16"
                    : rule == Rule::SpanId ? "its length is neither 0 nor 8"
                                           : "it holds a number that is cut off");
      }
    }
    return true;
  }

  // The first place from `at` on where no attribute follows that has the usual shape, whose value
  // is a scalar, and that is right.
  static const char* short_pairs(const char* at, const char* end, uint32_t tag, int values) {
    // The value of each is one AnyValue deeper.
    if (values > text::kMaxDepth) return at;
    while (end - at >= 6) {
      const ShortPair pair = ShortPair::read(at, end, tag);
      const char* const next = at + pair.size();
      if (pair.head == 0 || !short_scalar(at + pair.value_begin(), next)) break;
      at = next;
    }
    return at;
  }

  // Whether an AnyValue of less than 128 bytes is one scalar that fills it, or nothing.
  static bool short_scalar(const char* at, const char* end) {
    if (at == end) return true;
    const size_t size = static_cast<size_t>(end - at) - 1;  // Without the tag.
    switch (static_cast<uint8_t>(*at)) {
      case proto::tag_of(otlp::any_value::kString, proto::Type::Bytes):
        return size >= 1 && static_cast<uint8_t>(at[1]) == size - 1;
      case proto::tag_of(otlp::any_value::kBool, proto::Type::Varint):
      case proto::tag_of(otlp::any_value::kInt, proto::Type::Varint): {
        uint64_t number = 0;
        return proto::read_varint(at + 1, end, number) == end;
      }
      case proto::tag_of(otlp::any_value::kDouble, proto::Type::Fixed64):
        return size == 8;
      default:
        return false;
    }
  }

  static bool scalars(Rule rule, const char* at, const char* end) {
    const auto size = static_cast<size_t>(end - at);
    switch (rule) {
      case Rule::TraceId:
        return size == 16 || size == 0;
      case Rule::SpanId:
        return size == 8 || size == 0;
      case Rule::Fixed64s:
        return size % 8 == 0;
      default: {
        uint64_t number = 0;
        while (at != nullptr && at < end) at = proto::read_varint(at, end, number);
        return at != nullptr;
      }
    }
  }

  [[gnu::cold]] bool fail(const Schema& schema, uint64_t tag, const char* why) {
    where_ = schema.name;
    field_ = tag >> 3;
    why_ = why;
    return false;
  }

  static constexpr size_t kPairs = valid::Rule::Nested + valid::kKeyValue;

  const Schema* const schemas_ = valid::table().schemas.data();
  std::string_view where_;
  uint64_t field_ = 0;
  const char* why_ = "";
};

}  // namespace

Result<> validate(Signal signal, std::string_view chunk) {
  Walk walk;
  if (walk.request(signal, chunk)) return {};
  return std::unexpected(walk.error());
}

Result<> validate(const Batch& batch) {
  for (const Bytes& chunk : batch.chunks)
    if (auto checked = validate(batch.signal, chunk.view()); !checked) return checked;
  return {};
}

}  // namespace sonde
