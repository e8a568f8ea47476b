// SPDX-License-Identifier: Apache-2.0
// One schema for a whole configuration file: each section's keys are component ids, and the type in
// front of the slash says which settings there are.
#include "app/schema.h"

#include "base/json_writer.h"
#include "config/graph.h"
#include "config/reference.h"

namespace sonde::app {
namespace {

using config::Section;
using pipeline::ComponentType;
using pipeline::Kind;

struct Part {
  Section section;
  Kind kind;
};

constexpr Part kParts[] = {{Section::Receivers, Kind::Receiver},
                           {Section::Processors, Kind::Processor},
                           {Section::Exporters, Kind::Exporter},
                           {Section::Connectors, Kind::Connector},
                           {Section::Extensions, Kind::Extension}};

std::string definition(const ComponentType& type) {
  // No slash: it would be a path in a reference.
  return std::string(pipeline::kind_name(type.kind)) + "." + std::string(type.name);
}

void ids(JsonWriter& json, std::string_view name) {
  json.key(name).object().member("type", "array").key("items").object().member("type", "string");
  json.end().end();
}

void write_service(JsonWriter& json) {
  json.key("service").object().member("type", "object").member("additionalProperties", false);
  json.key("properties").object();
  ids(json, "extensions");
  json.key("telemetry").object().member("type", "object").end();
  json.key("pipelines").object().member("type", "object").member("additionalProperties", false);
  json.key("patternProperties").object();
  json.key("^(traces|metrics|logs)(/.+)?$").object().member("type", "object");
  json.member("additionalProperties", false).key("properties").object();
  for (const std::string_view name : {"receivers", "processors", "exporters"}) ids(json, name);
  json.end().end().end().end().end().end();
}

}  // namespace

std::string components_schema(std::span<const ComponentType* const> types) {
  JsonWriter json;
  json.object().member("$schema", "https://json-schema.org/draft/2020-12/schema");
  json.member("type", "object").member("additionalProperties", false).key("properties").object();
  for (const Part& part : kParts) {
    json.key(config::section_name(part.section)).object();
    json.key("type").array().value("object").value("null").end();
    json.member("additionalProperties", false).key("patternProperties").object();
    for (const ComponentType* type : types) {
      if (type->kind != part.kind) continue;
      std::string names(type->name);
      for (const std::string_view alias : type->aliases) names += "|" + std::string(alias);
      json.key("^(" + names + ")(/.+)?$").object().key("anyOf").array();
      json.object().member("type", "null").end();
      json.object().member("$ref", "#/$defs/" + definition(*type)).end();
      json.end().end();
    }
    json.end().end();
  }
  write_service(json);
  json.end().key("$defs").object();
  for (const ComponentType* type : types) {
    json.key(definition(*type)).object().member("title", type->name);
    json.member("description", type->summary).key("allOf").array();
    json.raw(type->fields ? config::json_schema(*type->fields) : "{}").end().end();
  }
  json.end().end();
  return json.take();
}

}  // namespace sonde::app
