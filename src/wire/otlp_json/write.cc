// SPDX-License-Identifier: Apache-2.0
// Protobuf bytes to JSON. A message may lie in several pieces, as protobuf lets messages be joined:
// its fields are collected from all of them first.
#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "base/base64.h"
#include "base/hex.h"
#include "base/json_writer.h"
#include "data/otlp_fields.h"
#include "wire/otlp_json/schema.h"

namespace sonde::wire {
namespace {

using proto::Field;
using proto::Reader;

struct Found {
  const FieldInfo* info;
  Field field;
  uint32_t choice;  // of a oneof: how often it had been chosen anew
};
// The fields of a message. A oneof's may be chosen anew with each field: nothing is taken out
// again, as that would read all of them each time.
struct Fields {
  std::vector<Found> all;
  const FieldInfo* chosen = nullptr;  // of its oneof, as no message has two
  uint32_t choice = 0;

  // Not replaced by another of its oneof, nor said before the one that replaced it.
  bool counts(const Found& one) const {
    return one.info->rule != Rule::Oneof || one.choice == choice;
  }
};

bool is_packed(const FieldInfo& info, const Field& field) {
  return info.rule == Rule::Repeated && field.type == proto::Type::Bytes &&
         wire_type(info.kind) != proto::Type::Bytes;
}

class Printer {
 public:
  bool message(const Message& schema, std::span<const std::string_view> pieces, int depth) {
    if (depth > kMaxDepth) return false;
    Fields found;
    for (const std::string_view piece : pieces) {
      Reader reader(piece);
      Field field;
      while (reader.next(field)) take(schema, field, found);
      if (reader.ok()) continue;
      if (depth == 0) return false;
      ++changes_.damaged;
    }
    if (&schema == &otlp::any_value_schema() && too_deep(found, depth)) {
      fold(pieces);
      return true;
    }
    json_.object();
    for (const FieldInfo& info : schema.fields) {
      if (!print(info, found, depth)) return false;
    }
    json_.end();
    return true;
  }
  std::string text() { return json_.take(); }
  const JsonChanges& changes() const { return changes_; }

 private:
  // An AnyValue whose own values would be deeper than anything may be.
  static bool too_deep(const Fields& found, int depth) {
    if (found.chosen == nullptr) return false;
    // Values of an array are two messages down, those of a map three.
    const uint32_t number = found.chosen->number;
    return (number == otlp::any_value::kArray && depth + 2 > kMaxDepth) ||
           (number == otlp::any_value::kMap && depth + 3 > kMaxDepth);
  }
  // Its protobuf, which is valid in several pieces, too.
  void fold(std::span<const std::string_view> pieces) {
    std::string bytes;
    for (const std::string_view piece : pieces) bytes += piece;
    json_.object().member("bytesValue", encode_base64(bytes)).end();
    ++changes_.folded;
  }

  static void take(const Message& schema, const Field& field, Fields& found) {
    for (const FieldInfo& info : schema.fields) {
      if (info.number != field.number) continue;
      if (info.name.empty()) return;
      if (field.type != wire_type(info.kind) && !is_packed(info, field)) return;
      // Of a oneof the last one counts.
      if (info.rule == Rule::Oneof && found.chosen != &info) {
        found.chosen = &info;
        ++found.choice;
      }
      found.all.push_back({&info, field, found.choice});
      return;
    }
  }

  bool print(const FieldInfo& info, const Fields& found, int depth) {
    const Field* last = nullptr;
    std::vector<std::string_view> pieces;
    for (const Found& one : found.all) {
      if (one.info != &info || !found.counts(one)) continue;
      last = &one.field;
      if (info.kind == Kind::Message) pieces.push_back(one.field.bytes);
    }
    if (last == nullptr) return true;
    if (info.rule == Rule::Repeated) return list(info, found, pieces, depth);
    if (info.kind == Kind::Message) {
      json_.key(info.name);
      return message(*info.message, pieces, depth + 1);
    }
    const bool zero = last->type == proto::Type::Bytes ? last->bytes.empty() : last->value == 0;
    if (zero && info.rule == Rule::Plain) return true;
    if (const size_t size = otlp::id_size(info.kind); size != 0 && last->bytes.size() != size) {
      ++changes_.damaged;
      return true;
    }
    json_.key(info.name);
    scalar(info.kind, *last);
    return true;
  }

  bool list(const FieldInfo& info, const Fields& found, const std::vector<std::string_view>& pieces,
            int depth) {
    json_.key(info.name).array();
    for (const std::string_view& piece : pieces) {
      if (!message(*info.message, std::span(&piece, 1), depth + 1)) return false;
    }
    for (const Found& one : found.all) {
      if (one.info != &info || info.kind == Kind::Message) continue;
      if (!is_packed(info, one.field)) {
        scalar(info.kind, one.field);
      } else if (!packed(info.kind, one.field.bytes)) {
        ++changes_.damaged;
      }
    }
    json_.end();
    return true;
  }

  bool packed(Kind kind, std::string_view bytes) {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    const size_t width = wire_type(kind) == proto::Type::Fixed64   ? 8
                         : wire_type(kind) == proto::Type::Fixed32 ? 4
                                                                   : 0;
    while (at < end) {
      Field field;
      if (width == 0) {
        at = proto::read_varint(at, end, field.value);
        if (at == nullptr) return false;
      } else {
        if (static_cast<size_t>(end - at) < width) return false;
        std::memcpy(&field.value, at, width);
        at += width;
      }
      scalar(kind, field);
    }
    return true;
  }

  void scalar(Kind kind, const Field& field) {
    switch (kind) {
      case Kind::Message:
        break;
      case Kind::String:
        json_.value(field.bytes);
        break;
      case Kind::TraceId:
      case Kind::SpanId:
        json_.value(to_hex(field.bytes));
        break;
      case Kind::Base64:
        json_.value(encode_base64(field.bytes));
        break;
      case Kind::Bool:
        json_.value(field.value != 0);
        break;
      case Kind::Enum:
        json_.value(static_cast<int32_t>(field.value));
        break;
      case Kind::Sint32:
        json_.value(field.as_sint32());
        break;
      case Kind::Uint32:
      case Kind::Fixed32:
        json_.value(static_cast<uint32_t>(field.value));
        break;
      case Kind::Int64:
      case Kind::Sfixed64:
        json_.value(std::to_string(field.as_int64()));
        break;
      case Kind::Uint64:
      case Kind::Fixed64:
        json_.value(std::to_string(field.value));
        break;
      case Kind::Double:
        real(field.as_double());
        break;
    }
  }

  void real(double number) {
    if (std::isfinite(number)) {
      json_.value(number);
    } else {
      json_.value(std::isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
    }
  }

  JsonWriter json_;
  JsonChanges changes_;
};

}  // namespace

Result<std::string> otlp_to_json(Signal signal, OtlpBody body, std::span<const Bytes> chunks,
                                 JsonChanges* changes) {
  std::vector<std::string_view> pieces;
  for (const Bytes& chunk : chunks) pieces.push_back(chunk.view());
  Printer printer;
  if (!printer.message(schema_of(signal, body), pieces, 0)) {
    return fail(ErrorKind::Invalid,
                fmt::format("the bytes are no OTLP {} of {}",
                            body == OtlpBody::Request ? "request" : "response", to_string(signal)));
  }
  if (changes) *changes = printer.changes();
  return printer.text();
}

std::string rpc_status_to_json(int code, std::string_view message) {
  JsonWriter json;
  json.object().member("code", code).member("message", message).end();
  return json.take();
}

}  // namespace sonde::wire
