// SPDX-License-Identifier: Apache-2.0
#include "data/walk.h"

namespace sonde {
namespace {

using proto::Field;
using proto::Reader;
using proto::Type;

std::unexpected<Error> malformed(std::string_view what) {
  return fail(ErrorKind::Invalid, "malformed OTLP: " + std::string(what) +
                                      " does not parse; the sender's encoder is at fault");
}

bool parse_scope(std::string_view message, ScopeView& out) {
  out.message = message;
  Reader reader(message);
  Field field;
  while (reader.next(field)) {
    if (field.type != Type::Bytes) continue;
    if (field.number == otlp::scope::kName) out.name = field.bytes;
    if (field.number == otlp::scope::kVersion) out.version = field.bytes;
  }
  return reader.ok();
}

Result<> walk_scope(const ResourceView& resource, std::string_view body, RecordVisitor visit) {
  Singular message;
  ScopeView scope;
  Field field;
  Reader first(body);
  // What describes the records usually precedes them, but need not: so there are two passes. The
  // first only hops from length to length.
  while (first.next(field)) {
    if (field.type != Type::Bytes) continue;
    if (field.number == otlp::scope_group::kScope) message.add(field.bytes);
    if (field.number == otlp::scope_group::kSchemaUrl) scope.schema_url = field.bytes;
  }
  if (!parse_scope(message.view(), scope)) return malformed("a scope");
  Reader second(body);
  while (second.next(field)) {
    if (field.type != Type::Bytes || field.number != otlp::scope_group::kRecords) continue;
    if (!visit(resource, scope, field.bytes)) return malformed("a record");
  }
  if (!second.ok()) return malformed("a scope group");
  return {};
}

Result<> walk_group(std::string_view body, size_t group, RecordVisitor visit) {
  Singular message;
  ResourceView resource;
  Field field;
  Reader first(body);
  while (first.next(field)) {
    if (field.type != Type::Bytes) continue;
    if (field.number == otlp::group::kResource) message.add(field.bytes);
    if (field.number == otlp::group::kSchemaUrl) resource.schema_url = field.bytes;
  }
  resource.message = message.view();
  resource.group = group;
  Reader second(body);
  while (second.next(field)) {
    if (field.type == Type::Bytes && field.number == otlp::group::kScopes)
      TRY(walk_scope(resource, field.bytes, visit));
  }
  if (!second.ok()) return malformed("a resource group");
  return {};
}

}  // namespace

Result<> for_each_record(std::string_view chunk, RecordVisitor visit) {
  Reader reader(chunk);
  Field field;
  for (size_t group = 0; reader.next(field);) {
    if (field.type == Type::Bytes && field.number == otlp::request::kGroups)
      TRY(walk_group(field.bytes, group++, visit));
  }
  if (!reader.ok()) return malformed("the request");
  return {};
}

}  // namespace sonde
