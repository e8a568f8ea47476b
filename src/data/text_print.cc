// SPDX-License-Identifier: Apache-2.0
// The printing half of the text form: bytes to lines, guided by the tables of text_schema.h.
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/hex.h"
#include "data/text.h"
#include "data/text_schema.h"
#include "data/text_value.h"
#include "data/walk.h"
#include "data/wire.h"

namespace sonde {
namespace text {
namespace {

using proto::Field;
using proto::Reader;
using proto::Type;

// A field of a known number whose type is not what the table says is an unknown field.
bool matches(const FieldInfo& info, const Field& field) {
  if (info.number != field.number) return false;
  switch (info.kind) {
    case Kind::Varint:
    case Kind::Bool:
    case Kind::Sint32:
    case Kind::Enum:
      return field.type == Type::Varint;
    case Kind::Time:
    case Kind::Fixed64:
    case Kind::Int64:
    case Kind::Double:
      return field.type == Type::Fixed64;
    case Kind::Fixed32:
      return field.type == Type::Fixed32;
    case Kind::PackedFixed64:
    case Kind::PackedDouble:
      return field.type == Type::Bytes || field.type == Type::Fixed64;
    case Kind::PackedVarint:
      return field.type == Type::Bytes || field.type == Type::Varint;
    default:
      return field.type == Type::Bytes;
  }
}

const FieldInfo* find(const Message& message, const Field& field) {
  for (const FieldInfo& info : message.fields)
    if (matches(info, field)) return &info;
  return nullptr;
}

bool valid_packed(const FieldInfo& info, const Field& field) {
  if (field.type != Type::Bytes) return true;
  if (info.kind != Kind::PackedVarint) return field.bytes.size() % 8 == 0;
  const char* at = field.bytes.data();
  const char* end = at + field.bytes.size();
  uint64_t value = 0;
  while (at != nullptr && at < end) at = proto::read_varint(at, end, value);
  return at != nullptr;
}

// The depth is bounded by the tables, which do not recurse, and by valid_value().
bool valid(const Message& message, std::string_view body) {
  Reader reader(body);
  Field field;
  while (reader.next(field)) {
    const FieldInfo* info = find(message, field);
    if (info == nullptr) continue;
    if (info->message != nullptr && !valid(*info->message, field.bytes)) return false;
    if (info->kind == Kind::Attributes && !valid_key_value(field.bytes)) return false;
    if (info->kind == Kind::Value && !valid_value(field.bytes)) return false;
    if (info->kind >= Kind::PackedFixed64 && !valid_packed(*info, field)) return false;
  }
  return reader.ok();
}

class Printer {
 public:
  explicit Printer(std::string& out) : out_(out) {}

  void message(const Message& schema, std::string_view body, int indent,
               std::string_view inline_name = {}) {
    for (const FieldInfo& info : schema.fields) field(info, body, indent);
    // Unknown ones come in the order of their numbers, as the parser writes them.
    std::vector<Field> others;
    Reader reader(body);
    Field field;
    while (reader.next(field))
      if (find(schema, field) == nullptr) others.push_back(field);
    std::ranges::sort(others, {},
                      [](const Field& other) { return std::pair(other.number, other.raw.data()); });
    for (const Field& other : others) unknown(other, indent, inline_name);
  }

 private:
  void field(const FieldInfo& info, std::string_view body, int indent) {
    Reader reader(body);
    Field field;
    Field last;
    bool seen = false;
    Singular singular;
    std::string packed;
    while (reader.next(field)) {
      if (!matches(info, field)) continue;
      seen = true;
      last = field;
      if (info.kind == Kind::Block) {
        line(indent, info.name);
        out_ += '\n';
        message(*info.message, field.bytes, indent + 2);
      } else if (info.kind == Kind::Attributes) {
        attribute(KeyValueView::parse(field.bytes), indent);
      } else if (info.kind == Kind::Strings) {
        line(indent, info.name);
        out_ += ": ";
        put_quoted(out_, field.bytes);
        out_ += '\n';
      } else if (info.kind == Kind::Inline) {
        singular.add(field.bytes);
      }
    }
    if (!seen || info.kind == Kind::Block || info.kind == Kind::Attributes ||
        info.kind == Kind::Strings)
      return;
    if (info.kind == Kind::Inline) {
      message(*info.message, singular.view(), indent, info.name);
    } else if (info.kind >= Kind::PackedFixed64) {
      list(info, body, indent);
    } else {
      scalar(info, last, indent);
    }
  }

  void attribute(const KeyValueView& pair, int indent) {
    line(indent, {});
    put_key(out_, pair.key);
    out_ += " = ";
    put_value(out_, pair.value);
    out_ += '\n';
  }

  void scalar(const FieldInfo& info, const Field& field, int indent) {
    const bool empty = field.type == Type::Bytes ? field.bytes.empty() : field.value == 0;
    if (empty && !info.presence && info.kind != Kind::Value) return;
    line(indent, info.name);
    out_ += ": ";
    switch (info.kind) {
      case Kind::Value:
        put_value(out_, AnyValueView(field.bytes));
        break;
      case Kind::String:
        put_quoted(out_, field.bytes);
        break;
      case Kind::Hex:
        append_hex(out_, field.bytes);
        break;
      case Kind::Bool:
        out_ += "true";
        break;
      case Kind::Time:
        put_time(out_, field.value);
        break;
      case Kind::Double:
        put_double(out_, field.as_double());
        break;
      case Kind::Sint32:
        format(field.as_sint32());
        break;
      case Kind::Int64:
        format(field.as_int64());
        break;
      case Kind::Enum:
        if (field.value < info.names.size())
          out_ += info.names[field.value];
        else
          format(field.value);
        break;
      default:
        format(field.value);
    }
    out_ += '\n';
  }

  void list(const FieldInfo& info, std::string_view body, int indent) {
    const std::string_view name = info.name;
    line(indent, name);
    out_ += ": [";
    const char* separator = "";
    const auto put = [&](uint64_t bits) {
      out_ += std::exchange(separator, ", ");
      if (info.kind == Kind::PackedDouble)
        put_double(out_, std::bit_cast<double>(bits));
      else
        format(bits);
    };
    Reader reader(body);
    Field field;
    while (reader.next(field)) {
      if (!matches(info, field)) continue;
      if (field.type != Type::Bytes) {
        put(field.value);
        continue;
      }
      const char* at = field.bytes.data();
      const char* end = at + field.bytes.size();
      while (at < end) {
        uint64_t bits = 0;
        if (info.kind == Kind::PackedVarint) {
          at = proto::read_varint(at, end, bits);
        } else {
          std::memcpy(&bits, at, 8);
          at += 8;
        }
        put(bits);
      }
    }
    out_ += "]\n";
  }

  void unknown(const Field& field, int indent, std::string_view inline_name) {
    line(indent, "?");
    if (!inline_name.empty()) out_ += std::string(inline_name) + ".";
    format(field.number);
    switch (field.type) {
      case Type::Varint:
        out_ += ": varint ";
        break;
      case Type::Fixed64:
        out_ += ": fixed64 ";
        break;
      case Type::Fixed32:
        out_ += ": fixed32 ";
        break;
      case Type::Group:
        out_ += ": group ";
        break;
      default:
        out_ += ": bytes ";
    }
    if (field.type == Type::Bytes || field.type == Type::Group)
      put_quoted(out_, field.bytes);
    else
      format(field.value);
    out_ += '\n';
  }

  void line(int indent, std::string_view word) {
    out_.append(static_cast<size_t>(indent), ' ');
    out_ += word;
  }
  template <class T>
  void format(T value) {
    fmt::format_to(std::back_inserter(out_), "{}", value);
  }

  std::string& out_;
};

void put_chunk(std::string& out, std::string& broken, Signal signal, std::string_view chunk) {
  const Message& schema = request_schema(signal);
  if (valid(schema, chunk)) {
    Printer(out).message(schema, chunk, 2);
    return;
  }
  broken += "  malformed: ";
  put_quoted(broken, chunk);
  broken += '\n';
}

}  // namespace
}  // namespace text

std::string to_text(Signal signal, std::string_view chunk) {
  std::string out = std::string(to_string(signal)) + "\n";
  std::string broken;
  text::put_chunk(out, broken, signal, chunk);
  return out + broken;
}

std::string to_text(const Batch& batch) {
  std::string out = std::string(to_string(batch.signal)) + "\n";
  std::string broken;
  for (const Bytes& chunk : batch.chunks) text::put_chunk(out, broken, batch.signal, chunk.view());
  return out + broken;
}

}  // namespace sonde
