// SPDX-License-Identifier: Apache-2.0
#include "config/reference.h"

#include <cmath>
#include <cstring>

#include "base/json_writer.h"
#include "config/internal/slot.h"

namespace sonde::config {
namespace {

// Calls visit(info, member) for each row, with embedded structs laid flat.
template <class F>
void each(const FieldTable& table, const void* object, F&& visit) {
  for (size_t i = 0; i < table.size(); ++i) {
    const FieldInfo info = table.info(i);
    const void* member = table.member(i, object);
    if (info.name.empty() && info.nested) {
      each(*info.nested, member, visit);
    } else {
      visit(info, member);
    }
  }
}

template <class F>
void with_default(const FieldTable& table, F&& visit) {
  table.visit_default([](void* context, void* object) { (*static_cast<F*>(context))(object); },
                      &visit);
}

int64_t read_integer(const TypeOps& ops, const void* member) {
  // Little-endian throughout: the low bytes are the first ones.
  uint64_t bits = 0;
  std::memcpy(&bits, member, ops.size);
  if (ops.is_signed && ops.size < 8) {
    const unsigned shift = 64 - 8 * static_cast<unsigned>(ops.size);
    return static_cast<int64_t>(bits << shift) >> shift;
  }
  return static_cast<int64_t>(bits);
}

// The default as JSON, or an empty string where there is none to show.
std::string default_json(const FieldInfo& info, const TypeOps& ops, const void* member) {
  if (info.options.secret || info.options.required) return {};
  JsonWriter json;
  switch (ops.shape) {
    case Shape::Bool:
      return json.value(*static_cast<const bool*>(member)).take();
    case Shape::Integer:
      return json.value(read_integer(ops, member)).take();
    case Shape::Double:
      return json.value(*static_cast<const double*>(member)).take();
    case Shape::String:
      return json.value(*static_cast<const std::string*>(member)).take();
    case Shape::Duration:
      return json.value(format_duration(*static_cast<const Duration*>(member))).take();
    case Shape::Optional: {
      const void* inner = ops.peek(member);
      return inner && !info.nested ? default_json(info, *ops.element, inner) : std::string();
    }
    case Shape::List:
      return ops.empty(member) ? "[]" : std::string();
    case Shape::Map:
      return ops.empty(member) ? "{}" : std::string();
    case Shape::Struct:
    case Shape::Any:
      return {};
  }
  return {};
}

void schema_of(JsonWriter& json, const FieldTable& table);

void schema_type(JsonWriter& json, const FieldInfo& info, const TypeOps& ops) {
  const FieldOptions& options = info.options;
  switch (ops.shape) {
    case Shape::Bool:
      json.member("type", "boolean");
      break;
    case Shape::Integer:
      if (options.unit == "By") {
        json.key("type").array().value("integer").value("string").end();
      } else {
        json.member("type", "integer");
      }
      break;
    case Shape::Double:
      json.member("type", "number");
      break;
    case Shape::String:
      json.member("type", "string");
      break;
    case Shape::Duration:
      json.member("type", "string").member("format", "duration");
      break;
    case Shape::Any:
      break;
    case Shape::Optional:
      schema_type(json, info, *ops.element);
      break;
    case Shape::Struct:
      schema_of(json, *info.nested);
      break;
    case Shape::List:
      json.member("type", "array").key("items").object();
      schema_type(json, info, *ops.element);
      json.end();
      break;
    case Shape::Map:
      json.member("type", "object").key("additionalProperties").object();
      schema_type(json, info, *ops.element);
      json.end();
      break;
  }
  if (ops.shape == Shape::Integer || ops.shape == Shape::Double) {
    if (std::isfinite(options.min)) json.member("minimum", options.min);
    if (std::isfinite(options.max)) json.member("maximum", options.max);
  }
  if (ops.shape == Shape::String && !options.choices.empty()) {
    json.key("enum").array();
    std::string_view rest = options.choices;
    for (size_t bar = 0; bar != std::string_view::npos; rest.remove_prefix(bar + 1)) {
      bar = rest.find('|');
      json.value(rest.substr(0, bar));
      if (bar == std::string_view::npos) break;
    }
    json.end();
  }
}

// Writes the members of a schema object that the caller has opened.
void schema_of(JsonWriter& json, const FieldTable& table) {
  json.member("type", "object").member("additionalProperties", false).key("properties").object();
  std::string required;
  with_default(table, [&](const void* object) {
    each(table, object, [&](const FieldInfo& info, const void* member) {
      json.key(info.name).object();
      schema_type(json, info, *info.ops);
      json.member("description", info.help);
      if (std::string value = default_json(info, *info.ops, member); !value.empty()) {
        json.key("default").raw(value);
      }
      if (info.options.secret) json.member("writeOnly", true);
      if (!info.options.deprecated.empty()) json.member("deprecated", true);
      json.end();
      if (info.options.required) {
        if (!required.empty()) required += ',';
        append_json_string(required, info.name);
      }
    });
  });
  json.end();
  if (!required.empty()) json.key("required").raw("[" + required + "]");
}

std::string type_text(const FieldInfo& info, const TypeOps& ops) {
  switch (ops.shape) {
    case Shape::Bool:
      return "bool";
    case Shape::Integer:
      return info.options.unit == "By" ? "size" : "int";
    case Shape::Double:
      return "number";
    case Shape::String:
      return info.options.secret ? "secret" : "string";
    case Shape::Duration:
      return "duration";
    case Shape::Any:
      return "any";
    case Shape::Struct:
      return "map";
    case Shape::Optional:
      return type_text(info, *ops.element);
    case Shape::List:
      return "list of " + type_text(info, *ops.element);
    case Shape::Map:
      return "map of " + type_text(info, *ops.element);
  }
  return {};
}

void list_of(const FieldTable& table, const std::string& prefix, std::string& out) {
  with_default(table, [&](const void* object) {
    each(table, object, [&](const FieldInfo& info, const void* member) {
      const std::string path = prefix + std::string(info.name);
      out += "- `" + path + "` (" + type_text(info, *info.ops);
      if (info.options.required) {
        out += ", required";
      } else if (const std::string value = default_json(info, *info.ops, member); !value.empty()) {
        out += ", `" + value + "`";
      }
      out += "): " + std::string(info.help);
      if (!info.options.choices.empty()) out += " One of " + listed(info.options.choices) + ".";
      if (!info.options.deprecated.empty()) {
        out += " Deprecated: " + std::string(info.options.deprecated) + ".";
      }
      out += '\n';
      if (!info.nested) return;
      const bool list = info.ops->shape == Shape::List;
      const bool map = info.ops->shape == Shape::Map;
      list_of(*info.nested, path + (list ? "[]." : map ? ".*." : "."), out);
    });
  });
}

}  // namespace

std::string json_schema(const FieldTable& table) {
  JsonWriter json;
  json.object();
  schema_of(json, table);
  json.end();
  return json.take();
}

std::string reference_list(const FieldTable& table) {
  std::string out;
  list_of(table, "", out);
  return out;
}

}  // namespace sonde::config
