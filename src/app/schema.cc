// SPDX-License-Identifier: Apache-2.0
// Walks field tables. A default is not shown here: the reference page has it.
#include "app/schema.h"

#include <cmath>

#include "base/json_writer.h"

namespace sonde::app {
namespace {

using config::FieldInfo;
using config::FieldTable;
using config::Shape;

void write_fields(JsonWriter& w, const FieldTable& table);

void write_type(JsonWriter& w, const config::TypeOps* ops, const FieldTable* nested) {
  switch (ops->shape) {
    case Shape::Bool:
      w.member("type", "boolean");
      break;
    case Shape::Integer:
      w.member("type", "integer");
      break;
    case Shape::Double:
      w.member("type", "number");
      break;
    case Shape::String:
      w.member("type", "string");
      break;
    case Shape::Duration:
      w.member("type", "string").member("format", "duration");
      break;
    case Shape::Any:
      break;
    case Shape::Struct:
      w.member("type", "object");
      if (nested) {
        w.member("additionalProperties", false).key("properties").object();
        write_fields(w, *nested);
        w.end();
      }
      break;
    case Shape::Optional:
      write_type(w, ops->element, nested);
      break;
    case Shape::List:
      w.member("type", "array").key("items").object();
      write_type(w, ops->element, nested);
      w.end();
      break;
    case Shape::Map:
      w.member("type", "object").key("additionalProperties").object();
      write_type(w, ops->element, nested);
      w.end();
      break;
  }
}

void write_fields(JsonWriter& w, const FieldTable& table) {
  for (size_t i = 0; i < table.size(); i++) {
    FieldInfo f = table.info(i);
    if (f.name.empty()) {
      if (f.nested) write_fields(w, *f.nested);
      continue;
    }
    w.key(f.name).object();
    write_type(w, f.ops, f.nested);
    w.member("description", f.help);
    if (f.ops->shape == Shape::Integer || f.ops->shape == Shape::Double) {
      if (std::isfinite(f.options.min)) w.member("minimum", f.options.min);
      if (std::isfinite(f.options.max)) w.member("maximum", f.options.max);
    }
    if (!f.options.choices.empty()) {
      w.key("enum").array();
      std::string_view rest = f.options.choices;
      while (!rest.empty()) {
        size_t bar = rest.find('|');
        w.value(rest.substr(0, bar));
        rest = bar == std::string_view::npos ? std::string_view() : rest.substr(bar + 1);
      }
      w.end();
    }
    if (f.options.secret) w.member("writeOnly", true);
    if (!f.options.deprecated.empty()) w.member("deprecated", true);
    w.end();
  }
}

}  // namespace

std::string components_schema(std::span<const pipeline::ComponentType* const> types) {
  JsonWriter w;
  w.object()
      .member("$schema", "https://json-schema.org/draft/2020-12/schema")
      .key("$defs")
      .object();
  for (const auto* t : types) {
    w.key(std::string(pipeline::kind_name(t->kind)) + "/" + std::string(t->name)).object();
    w.member("description", t->summary).member("type", "object");
    w.member("additionalProperties", false).key("properties").object();
    if (t->fields) write_fields(w, *t->fields);
    w.end().end();
  }
  w.end().end();
  return w.take();
}

}  // namespace sonde::app
