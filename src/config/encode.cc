// SPDX-License-Identifier: Apache-2.0
//
// From a filled struct back to a tree, by its field table.
#include <cstring>

#include "base/url_secrets.h"
#include "config/field.h"

namespace sonde::config {
namespace {

Value encode_member(const FieldInfo& info, const TypeOps& ops, const void* member, bool unredacted);

std::string without_user(std::string_view url) {
  std::string shown = url_without_secrets(url);
  if (shown == url) return shown;
  const size_t scheme = url.find("://");
  return shown.insert(scheme == std::string_view::npos ? 0 : scheme + 3, "[REDACTED]@");
}

struct Walk {
  const FieldInfo& info;
  const TypeOps& element;
  bool unredacted;
  Value out;
};

void visit_element(void* context, std::string_view key, const void* element) {
  auto& walk = *static_cast<Walk*>(context);
  Value value = encode_member(walk.info, walk.element, element, walk.unredacted);
  if (walk.out.is_map()) {
    walk.out.entries.push_back({std::string(key), {}, std::move(value)});
  } else {
    walk.out.items.push_back(std::move(value));
  }
}

Value encode_integer(const TypeOps& ops, const void* member) {
  // Little-endian throughout: the low bytes are the first ones.
  uint64_t bits = 0;
  std::memcpy(&bits, member, ops.size);
  if (ops.is_signed && ops.size < 8) {
    const unsigned shift = 64 - 8 * static_cast<unsigned>(ops.size);
    return Value::integer_value(static_cast<int64_t>(bits << shift) >> shift);
  }
  Value value = Value::integer_value(static_cast<int64_t>(bits));
  if (!ops.is_signed && value.integer < 0) {
    value.above_int64 = true;
    value.number = static_cast<double>(bits);
    value.text = std::to_string(bits);
  }
  return value;
}

Value encode_member(const FieldInfo& info, const TypeOps& ops, const void* member,
                    bool unredacted) {
  const auto secret = [&](std::string_view text) {
    if (info.options.url && !unredacted) return Value::string(without_user(text));
    return Value::string(info.options.secret && !unredacted && !text.empty() ? "[REDACTED]" : text);
  };
  switch (ops.shape) {
    case Shape::Bool:
      return Value::boolean_value(*static_cast<const bool*>(member));
    case Shape::Integer:
      return encode_integer(ops, member);
    case Shape::Double: {
      Value value;
      value.type = Value::Type::Double;
      value.number = *static_cast<const double*>(member);
      return value;
    }
    case Shape::String:
      return secret(*static_cast<const std::string*>(member));
    case Shape::Duration:
      return Value::string(format_duration(*static_cast<const Duration*>(member)));
    case Shape::Any: {
      const auto& value = *static_cast<const Value*>(member);
      return info.options.secret && !unredacted ? secret("?") : value;
    }
    case Shape::Struct:
      return encode(*info.nested, member, unredacted);
    case Shape::Optional: {
      const void* inner = ops.peek(member);
      return inner ? encode_member(info, *ops.element, inner, unredacted) : Value{};
    }
    case Shape::List:
    case Shape::Map: {
      Walk walk{info, *ops.element, unredacted,
                ops.shape == Shape::Map ? Value::map() : Value::list()};
      ops.each(member, &walk, visit_element);
      return std::move(walk.out);
    }
  }
  return {};
}

// Whether an empty text stands for a setting that was not made, and may not be written as one.
bool unset_text(const FieldInfo& info, const void* member) {
  if (info.ops->shape != Shape::String || !static_cast<const std::string*>(member)->empty()) {
    return false;
  }
  const std::string_view choices = info.options.choices;
  return info.options.extension || (!choices.empty() && !choices.starts_with('|'));
}

}  // namespace

Value encode(const FieldTable& table, const void* object, bool unredacted) {
  Value out = Value::map();
  for (size_t i = 0; i < table.size(); ++i) {
    const FieldInfo info = table.info(i);
    const void* member = table.member(i, object);
    if (info.name.empty() && info.nested) {
      Value inner = encode(*info.nested, member, unredacted);
      for (Entry& entry : inner.entries) out.entries.push_back(std::move(entry));
      continue;
    }
    if (info.ops->shape == Shape::Optional && !info.ops->peek(member)) continue;
    if (unset_text(info, member)) continue;
    out.entries.push_back(
        {std::string(info.name), {}, encode_member(info, *info.ops, member, unredacted)});
  }
  return out;
}

Result<Value> effective(const Value& value, const FieldTable& table, std::string_view path,
                        bool unredacted) {
  struct Context {
    const Value& value;
    const FieldTable& table;
    std::string_view path;
    bool unredacted;
    Result<Value> result;
  } context{value, table, path, unredacted, {}};
  table.visit_default(
      [](void* opaque, void* object) {
        auto& c = *static_cast<Context*>(opaque);
        auto decoded = decode(c.value, c.table, object, c.path);
        c.result = decoded ? Result<Value>(encode(c.table, object, c.unredacted))
                           : Result<Value>(std::unexpected(decoded.error()));
      },
      &context);
  return std::move(context.result);
}

}  // namespace sonde::config
