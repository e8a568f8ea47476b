// SPDX-License-Identifier: Apache-2.0
#include "components/processor/groupbyattrs/regroup.h"

#include <algorithm>

#include "data/otlp_fields.h"
#include "data/wire.h"
#include "pipeline/match/setting_value.h"

namespace sonde::groupbyattrs {
namespace {

using proto::Field;
using proto::Reader;
using proto::Type;

std::unexpected<Error> malformed() {
  return fail(ErrorKind::Invalid, "malformed OTLP; the sender's encoder is at fault");
}

// Resources are equal whose attributes are, in whatever order they came.
std::string identity(std::string_view resource, std::string_view schema_url) {
  std::vector<std::string_view> attributes;
  Reader reader(resource);
  Field field;
  while (reader.next(field))
    if (field.number == otlp::resource::kAttributes) attributes.push_back(field.raw);
  std::ranges::sort(attributes);
  std::string out(schema_url);
  out += '\0';
  for (const std::string_view attribute : attributes) out += attribute;
  return out;
}

// The attributes of points by the kind of the metric, and 0 for what is no data.
uint32_t point_attributes(uint32_t number) {
  using namespace otlp;
  switch (number) {
    case metric::kGauge:
    case metric::kSum:
      return number_point::kAttributes;
    case metric::kHistogram:
      return histogram_point::kAttributes;
    case metric::kExponentialHistogram:
      return exponential_point::kAttributes;
    case metric::kSummary:
      return summary_point::kAttributes;
    default:
      return 0;
  }
}

}  // namespace

Result<> Regroup::add(std::string_view chunk) {
  Reader reader(chunk);
  Field group;
  while (reader.next(group)) {
    if (group.number != otlp::request::kGroups || group.type != Type::Bytes) continue;
    Source source;
    // The resource may lie behind its scopes.
    Reader inner(group.bytes);
    Field field;
    while (inner.next(field)) {
      if (field.type != Type::Bytes) continue;
      if (field.number == otlp::group::kResource) source.resource = field.bytes;
      if (field.number == otlp::group::kSchemaUrl) source.schema_url = field.bytes;
    }
    if (!inner.ok()) return malformed();
    TRY(add_scopes(group.bytes, source));
  }
  if (!reader.ok()) return malformed();
  return {};
}

Result<> Regroup::add_scopes(std::string_view group, Source& source) {
  Reader reader(group);
  Field scope;
  Field field;
  while (reader.next(scope)) {
    if (scope.number != otlp::group::kScopes || scope.type != Type::Bytes) continue;
    source.scope = source.scope_schema_url = {};
    Reader header(scope.bytes);
    while (header.next(field)) {
      if (field.type != Type::Bytes) continue;
      if (field.number == otlp::scope_group::kScope) source.scope = field.bytes;
      if (field.number == otlp::scope_group::kSchemaUrl) source.scope_schema_url = field.bytes;
    }
    if (!header.ok()) return malformed();
    Reader records(scope.bytes);
    while (records.next(field)) {
      if (field.number != otlp::scope_group::kRecords || field.type != Type::Bytes) continue;
      TRY(signal_ == Signal::Metrics ? add_metric(field.bytes, source)
                                     : add_record(field.bytes, source));
    }
  }
  return {};
}

Result<> Regroup::add_record(std::string_view record, Source& source) {
  const uint32_t attributes =
      signal_ == Signal::Traces ? otlp::span::kAttributes : otlp::log::kAttributes;
  std::string_view item;
  Scope* scope = TRY(place(record, attributes, source, item));
  proto::Writer(scope->records).bytes(otlp::scope_group::kRecords, item);
  return {};
}

Result<> Regroup::add_metric(std::string_view metric, Source& source) {
  std::string header;
  uint32_t number = 0;
  std::string_view data;
  Reader reader(metric);
  Field field;
  while (reader.next(field)) {
    if (field.type == Type::Bytes && point_attributes(field.number) != 0) {
      number = field.number;
      data = field.bytes;
    } else {
      header += field.raw;
    }
  }
  if (!reader.ok()) return malformed();
  std::string data_header;
  Reader fields(data);
  while (fields.next(field))
    if (field.number != otlp::points::kPoints) data_header += field.raw;
  if (!fields.ok()) return malformed();
  const std::string name =
      std::to_string(header.size()) + ':' + header + std::to_string(number) + data_header;
  Reader points(data);
  while (points.next(field)) {
    if (field.number != otlp::points::kPoints || field.type != Type::Bytes) continue;
    std::string_view point;
    Scope* scope = TRY(place(field.bytes, point_attributes(number), source, point));
    Metric*& slot = scope->by_metric[name];
    if (!slot) slot = &scope->metrics.emplace_back(Metric{header, number, data_header, {}});
    proto::Writer(slot->points).bytes(otlp::points::kPoints, point);
  }
  return {};
}

Result<Regroup::Scope*> Regroup::place(std::string_view item, uint32_t attribute_field,
                                       Source& source, std::string_view& out) {
  values_.clear();
  out = item;
  if (!keys_.empty()) {
    resource_edit_.open({}, otlp::resource::kAttributes);
    edit_.open(item, attribute_field);
    for (const std::string& key : keys_) {
      const auto value = edit_.get(key);
      if (!value) continue;
      pipeline::set_attribute(resource_edit_, key, *value, scratch_);
      edit_.erase(key);
    }
    if (!edit_.valid()) return malformed();
    if (edit_.changed()) {
      values_.resize(resource_edit_.encoded_size());
      resource_edit_.encode(values_.data());
      item_.resize(edit_.encoded_size());
      edit_.encode(item_.data());
      out = item_;
    }
  }
  ++(values_.empty() ? ungrouped : grouped);
  return &scope_of(group_of(source), source);
}

Regroup::Group& Regroup::group_of(Source& source) {
  const auto known = source.by_values.find(values_);
  if (known != source.by_values.end()) return *known->second;
  // What is taken from the item replaces what the resource says.
  resource_edit_.open(source.resource, otlp::resource::kAttributes);
  Reader reader(values_);
  Field field;
  while (reader.next(field)) {
    const KeyValueView pair = KeyValueView::parse(field.bytes);
    pipeline::set_attribute(resource_edit_, pair.key, pair.value, scratch_);
  }
  std::string resource(resource_edit_.encoded_size(), '\0');
  resource_edit_.encode(resource.data());
  Group*& group = by_resource_[identity(resource, source.schema_url)];
  if (!group) {
    group = &groups_.emplace_back();
    group->resource = std::move(resource);
    group->schema_url = source.schema_url;
  }
  source.by_values.emplace(values_, group);
  return *group;
}

Regroup::Scope& Regroup::scope_of(Group& group, const Source& source) {
  // Most records come from the scope that the one before them came from.
  if (!group.scopes.empty() && group.scopes.back().scope == source.scope &&
      group.scopes.back().schema_url == source.scope_schema_url)
    return group.scopes.back();
  std::string name(source.scope_schema_url);
  name += '\0';
  name += source.scope;
  Scope*& scope = group.by_scope[name];
  if (!scope) {
    scope = &group.scopes.emplace_back();
    scope->scope = source.scope;
    scope->schema_url = source.scope_schema_url;
  }
  return *scope;
}

Bytes Regroup::build() const {
  std::string out;
  std::string body;
  std::string records;
  for (const Group& group : groups_) {
    body.clear();
    proto::Writer writer(body);
    if (!group.resource.empty()) writer.bytes(otlp::group::kResource, group.resource);
    for (const Scope& scope : group.scopes) {
      records.clear();
      proto::Writer inner(records);
      if (!scope.scope.empty()) inner.bytes(otlp::scope_group::kScope, scope.scope);
      inner.raw(scope.records);
      for (const Metric& metric : scope.metrics) {
        std::string made = metric.header;
        proto::Writer(made).bytes(metric.data_number, metric.data_header + metric.points);
        inner.bytes(otlp::scope_group::kRecords, made);
      }
      if (!scope.schema_url.empty()) inner.bytes(otlp::scope_group::kSchemaUrl, scope.schema_url);
      writer.bytes(otlp::group::kScopes, records);
    }
    if (!group.schema_url.empty()) writer.bytes(otlp::group::kSchemaUrl, group.schema_url);
    proto::Writer(out).bytes(otlp::request::kGroups, body);
  }
  return Bytes::take(std::move(out));
}

}  // namespace sonde::groupbyattrs
