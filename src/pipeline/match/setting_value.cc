// SPDX-License-Identifier: Apache-2.0
#include "pipeline/match/setting_value.h"

#include <charconv>
#include <cmath>

#include "data/wire.h"

namespace sonde::pipeline {

using config::Value;
namespace any = otlp::any_value;

namespace {

Result<> put(proto::Writer& writer, const Value& value) {
  switch (value.type) {
    case Value::Type::Null:
      return {};
    case Value::Type::Bool:
      writer.varint(any::kBool, value.boolean ? 1 : 0);
      return {};
    case Value::Type::Int:
      writer.varint(any::kInt, static_cast<uint64_t>(value.integer));
      return {};
    case Value::Type::Double:
      writer.float64(any::kDouble, value.number);
      return {};
    case Value::Type::String:
      writer.bytes(any::kString, value.text);
      return {};
    case Value::Type::Time:
      return fail(ErrorKind::Invalid, "\"" + value.text +
                                          "\" is a date, which is no value of an attribute; "
                                          "put it in quotes");
    case Value::Type::List: {
      const size_t mark = writer.begin(any::kArray);
      for (const Value& item : value.items) {
        const size_t inner = writer.begin(otlp::list::kValues);
        TRY(put(writer, item));
        writer.end(inner);
      }
      writer.end(mark);
      return {};
    }
    case Value::Type::Map: {
      const size_t mark = writer.begin(any::kMap);
      for (const config::Entry& entry : value.entries) {
        const size_t pair = writer.begin(otlp::list::kValues);
        writer.bytes(otlp::key_value::kKey, entry.key);
        const size_t inner = writer.begin(otlp::key_value::kValue);
        TRY(put(writer, entry.value));
        writer.end(inner);
        writer.end(pair);
      }
      writer.end(mark);
      return {};
    }
  }
  return {};
}

}  // namespace

Result<std::string> any_value_of(const Value& value) {
  std::string out;
  proto::Writer writer(out);
  TRY(put(writer, value));
  return out;
}

void set_attribute(MessageEdit& message, std::string_view key, const AnyValueView& value,
                   std::string& scratch) {
  using Kind = AnyValueView::Kind;
  const auto nested = [&](uint32_t number) {
    scratch.clear();
    proto::Writer(scratch).bytes(number, value.bytes());
    message.set_any(key, scratch);
  };
  switch (value.kind()) {
    case Kind::Empty:
      return message.set_any(key, {});
    case Kind::String:
      return message.set(key, value.as_string());
    case Kind::Bool:
      return message.set(key, value.as_bool());
    case Kind::Int:
      return message.set(key, value.as_int());
    case Kind::Double:
      return message.set(key, value.as_double());
    case Kind::Array:
      return nested(any::kArray);
    case Kind::Map:
      return nested(any::kMap);
    case Kind::Bytes:
      return nested(any::kBytes);
  }
}

bool same_value(const AnyValueView& a, const AnyValueView& b) {
  using Kind = AnyValueView::Kind;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::Empty:
      return true;
    case Kind::Bool:
      return a.as_bool() == b.as_bool();
    case Kind::Int:
      return a.as_int() == b.as_int();
    case Kind::Double:
      return a.as_double() == b.as_double();
    case Kind::String:
    case Kind::Array:
    case Kind::Map:
    case Kind::Bytes:
      break;
  }
  return a.bytes() == b.bytes();
}

bool scalar_text(const AnyValueView& value, std::string& scratch, std::string_view& out) {
  using Kind = AnyValueView::Kind;
  const auto number = [&](auto content, auto... format) {
    scratch.resize_and_overwrite(400, [&](char* at, size_t size) {
      return static_cast<size_t>(std::to_chars(at, at + size, content, format...).ptr - at);
    });
    out = scratch;
  };
  switch (value.kind()) {
    case Kind::String:
      out = value.as_string();
      return true;
    case Kind::Bool:
      out = value.as_bool() ? "true" : "false";
      return true;
    case Kind::Int:
      number(value.as_int());
      return true;
    case Kind::Double: {
      const double content = value.as_double();
      if (std::isnan(content)) {
        out = "NaN";
      } else if (std::isinf(content)) {
        out = content > 0 ? "+Inf" : "-Inf";
      } else {
        number(content, std::chars_format::fixed);
      }
      return true;
    }
    case Kind::Empty:
    case Kind::Array:
    case Kind::Map:
    case Kind::Bytes:
      break;
  }
  return false;
}

}  // namespace sonde::pipeline
