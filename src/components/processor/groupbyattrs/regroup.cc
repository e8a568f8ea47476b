// SPDX-License-Identifier: Apache-2.0
#include "components/processor/groupbyattrs/regroup.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

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

// What a group, a scope of it or a metric takes here, about, with its places in the maps.
constexpr size_t kGroup = 512;
constexpr size_t kScope = 384;
constexpr size_t kMetric = 256;
constexpr size_t kHeader = 6;  // The tag and the length of a message, at most.
// A chunk is closed when it has so much.
constexpr size_t kChunk = size_t{8} << 20;

bool is_key(const std::vector<std::string>& keys, std::string_view attribute) {
  return !keys.empty() && std::ranges::find(keys, KeyValueView::parse(attribute).key) != keys.end();
}

template <class Visit>
void each_attribute(std::string_view resource, Visit visit) {
  Reader reader(resource);
  Field field;
  while (reader.next(field))
    if (field.number == otlp::resource::kAttributes) visit(field);
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

bool Regroup::Base::operator<(const Base& other) const {
  if (hash != other.hash) return hash < other.hash;
  if (schema_url != other.schema_url) return schema_url < other.schema_url;
  if (resource == other.resource) return false;
  const auto sorted = [this](std::string_view of) {
    std::vector<std::string_view> attributes;
    each_attribute(of, [&](const Field& field) {
      if (!is_key(*keys, field.bytes)) attributes.push_back(field.raw);
    });
    std::ranges::sort(attributes);
    return attributes;
  };
  return sorted(resource) < sorted(other.resource);
}

size_t Regroup::Metric::size() const {
  return head->header.size() + proto::bytes_size(head->data_number, data_size());
}

size_t Regroup::Scope::size() const {
  size_t size = records.size();
  if (!head->scope.empty())
    size += proto::bytes_size(otlp::scope_group::kScope, head->scope.size());
  if (!head->schema_url.empty())
    size += proto::bytes_size(otlp::scope_group::kSchemaUrl, head->schema_url.size());
  for (const Metric& metric : metrics)
    size += proto::bytes_size(otlp::scope_group::kRecords, metric.size());
  return size;
}

Result<> Regroup::add(std::string_view chunk) {
  Reader reader(chunk);
  Field group;
  while (reader.next(group)) {
    if (group.number != otlp::request::kGroups || group.type != Type::Bytes) continue;
    Source& source = sources_.emplace_back();
    // The resource may lie behind its scopes.
    Reader inner(group.bytes);
    Field field;
    while (inner.next(field)) {
      if (field.type != Type::Bytes) continue;
      if (field.number == otlp::group::kResource) source.resource = field.bytes;
      if (field.number == otlp::group::kSchemaUrl) source.schema_url = field.bytes;
    }
    if (!inner.ok()) return malformed();
    identify(source);
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
    ScopeHead head;
    Reader header(scope.bytes);
    while (header.next(field)) {
      if (field.type != Type::Bytes) continue;
      if (field.number == otlp::scope_group::kScope) head.scope = field.bytes;
      if (field.number == otlp::scope_group::kSchemaUrl) head.schema_url = field.bytes;
    }
    if (!header.ok()) return malformed();
    source.scope = &*scope_heads_.insert(head).first;
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
  MetricHead head;
  std::string_view data;
  Reader reader(metric);
  Field field;
  while (reader.next(field)) {
    if (field.type == Type::Bytes && point_attributes(field.number) != 0) {
      head.data_number = field.number;
      data = field.bytes;
    } else {
      head.header += field.raw;
    }
  }
  if (!reader.ok()) return malformed();
  Reader fields(data);
  while (fields.next(field))
    if (field.number != otlp::points::kPoints) head.data_header += field.raw;
  if (!fields.ok()) return malformed();
  const uint32_t attributes = point_attributes(head.data_number);
  const MetricHead* const known = &*metric_heads_.insert(std::move(head)).first;
  Reader points(data);
  while (points.next(field)) {
    if (field.number != otlp::points::kPoints || field.type != Type::Bytes) continue;
    std::string_view point;
    Scope* scope = TRY(place(field.bytes, attributes, source, point));
    Metric*& slot = scope->by_metric[known];
    if (!slot) {
      slot = &scope->metrics.emplace_back(Metric{known, {}});
      taken_ += kMetric + known->header.size() + known->data_header.size() + 2 * kHeader;
    }
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
  taken_ += 2 * (out.size() + kHeader);
  Scope& scope = scope_of(group_of(source), source);
  if (taken_ > most_) {
    return fail(ErrorKind::Exhausted,
                fmt::format("grouped it would take more than the {} bytes that there are for it, "
                            "for each group has all of its resource",
                            most_));
  }
  return &scope;
}

// The values of the keys stand apart from the rest, so that the identity of a group is known
// without another look at the resource, which may be large.
void Regroup::identify(Source& source) {
  Base base{source.resource, source.schema_url, 0, &keys_};
  source.identity.resize(1 + keys_.size());
  std::vector<std::pair<size_t, std::string_view>> taken;  // By the number of the key.
  each_attribute(source.resource, [&](const Field& field) {
    const auto key = keys_.empty() ? keys_.end()
                                   : std::ranges::find(keys_, KeyValueView::parse(field.bytes).key);
    if (key != keys_.end()) {
      taken.emplace_back(1 + (key - keys_.begin()), field.raw);
    } else {
      base.hash += std::hash<std::string_view>()(field.raw);  // A sum: the order is no matter.
    }
  });
  std::ranges::sort(taken);
  for (auto at = taken.begin(); at != taken.end();) {
    const auto end = std::find_if(at, taken.end(), [&](auto& of) { return of.first != at->first; });
    std::string_view values = at->second;
    if (end - at > 1) {
      std::string& together = repeated_values_.emplace_back();
      for (auto each = at; each != end; ++each) together += each->second;
      values = together;
    }
    source.identity[at->first] = id_of_value(values);
    at = end;
  }
  source.identity[0] = bases_.try_emplace(base, static_cast<uint32_t>(bases_.size())).first->second;
}

uint32_t Regroup::id_of_value(std::string_view attribute) {
  return value_ids_.try_emplace(attribute, static_cast<uint32_t>(value_ids_.size() + 1))
      .first->second;
}

Regroup::Group& Regroup::group_of(Source& source) {
  const auto [known, is_new] = source.by_values.try_emplace(values_);
  if (!is_new) return *known->second;
  const std::string_view values = known->first;
  Identity identity = source.identity;
  Reader reader(values);
  Field field;
  while (reader.next(field)) {
    const auto key = std::ranges::find(keys_, KeyValueView::parse(field.bytes).key);
    identity[static_cast<size_t>(1 + (key - keys_.begin()))] = id_of_value(field.raw);
  }
  taken_ += kGroup + values.size() + identity.size() * sizeof(uint32_t);
  Group*& group = by_identity_[std::move(identity)];
  if (!group) {
    group = &groups_.emplace_back();
    group->resource = source.resource;
    group->values = values;
    group->schema_url = source.schema_url;
    taken_ += source.resource.size() + values.size() + source.schema_url.size() + 3 * kHeader;
  }
  return *(known->second = group);
}

Regroup::Scope& Regroup::scope_of(Group& group, const Source& source) {
  // Most records come from the scope that the one before them came from.
  if (!group.scopes.empty() && group.scopes.back().head == source.scope) return group.scopes.back();
  Scope*& scope = group.by_scope[source.scope];
  if (!scope) {
    scope = &group.scopes.emplace_back();
    scope->head = source.scope;
    taken_ += kScope + source.scope->scope.size() + source.scope->schema_url.size() + 3 * kHeader;
  }
  return *scope;
}

// What was taken from the items replaces what the resource says.
std::string_view Regroup::resource_of(const Group& group) {
  if (group.values.empty()) return group.resource;
  resource_edit_.open(group.resource, otlp::resource::kAttributes);
  each_attribute(group.values, [&](const Field& field) {
    const KeyValueView pair = KeyValueView::parse(field.bytes);
    pipeline::set_attribute(resource_edit_, pair.key, pair.value, scratch_);
  });
  resource_.resize(resource_edit_.encoded_size());
  resource_edit_.encode(resource_.data());
  return resource_;
}

std::vector<Bytes> Regroup::build() {
  std::vector<Bytes> chunks;
  std::string out;
  const auto begin = [&](uint32_t number, size_t size) {
    proto::Writer writer(out);
    writer.raw_varint(proto::tag_of(number, Type::Bytes));
    writer.raw_varint(size);
  };
  for (Group& group : groups_) {
    const std::string_view resource = resource_of(group);
    size_t size = 0;
    if (!resource.empty()) size += proto::bytes_size(otlp::group::kResource, resource.size());
    if (!group.schema_url.empty())
      size += proto::bytes_size(otlp::group::kSchemaUrl, group.schema_url.size());
    for (const Scope& scope : group.scopes)
      size += proto::bytes_size(otlp::group::kScopes, scope.size());
    if (!out.empty() && out.size() + size > kChunk)
      chunks.push_back(Bytes::take(std::exchange(out, {})));
    proto::Writer writer(out);
    begin(otlp::request::kGroups, size);
    if (!resource.empty()) writer.bytes(otlp::group::kResource, resource);
    for (const Scope& scope : group.scopes) {
      begin(otlp::group::kScopes, scope.size());
      if (!scope.head->scope.empty()) writer.bytes(otlp::scope_group::kScope, scope.head->scope);
      writer.raw(scope.records);
      for (const Metric& metric : scope.metrics) {
        begin(otlp::scope_group::kRecords, metric.size());
        writer.raw(metric.head->header);
        begin(metric.head->data_number, metric.data_size());
        writer.raw(metric.head->data_header);
        writer.raw(metric.points);
      }
      if (!scope.head->schema_url.empty())
        writer.bytes(otlp::scope_group::kSchemaUrl, scope.head->schema_url);
    }
    if (!group.schema_url.empty()) writer.bytes(otlp::group::kSchemaUrl, group.schema_url);
    group.scopes.clear();  // They stand in `out` now.
    group.by_scope.clear();
  }
  if (!out.empty()) chunks.push_back(Bytes::take(std::move(out)));
  return chunks;
}

}  // namespace sonde::groupbyattrs
