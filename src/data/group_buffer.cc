// SPDX-License-Identifier: Apache-2.0
#include "data/group_buffer.h"

#include "data/otlp_fields.h"
#include "data/wire.h"

namespace sonde {
namespace attribute_wire {

void append(std::string& out, uint32_t field, Attributes attributes) {
  for (const Attribute& attribute : attributes) {
    const size_t size = key_value_size(attribute);
    char* at = proto::extend(out, proto::bytes_size(field, size));
    put_key_value(proto::put_header(at, field, size), attribute, size);
  }
}

}  // namespace attribute_wire

void GroupBuffer::resource(Attributes attributes) {
  const size_t begin = headers_.size();
  attribute_wire::append(headers_, otlp::resource::kAttributes, attributes);
  resources_.push_back({begin, headers_.size(), records_.size(), 0});
}

void GroupBuffer::scope(std::string_view name, std::string_view version) {
  if (resources_.empty()) resource({});
  const size_t begin = headers_.size();
  proto::Writer writer(headers_);
  if (!name.empty()) writer.bytes(otlp::scope::kName, name);
  if (!version.empty()) writer.bytes(otlp::scope::kVersion, version);
  scopes_.push_back({begin, headers_.size(), records_.size(), resources_.size() - 1});
}

void GroupBuffer::open() {
  if (resources_.empty() || scopes_.empty() || scopes_.back().resource != resources_.size() - 1)
    scope({}, {});
}

Bytes GroupBuffer::build() {
  using proto::bytes_size;
  // Bottom up, the sizes: a scope, then the resource it lies in. Empty ones are left out.
  std::vector<size_t> scope_sizes(scopes_.size());
  std::vector<size_t> group_sizes(resources_.size());
  size_t total = 0;
  const auto records_of = [&](size_t scope) {
    const size_t begin = scopes_[scope].records_begin;
    const size_t end =
        scope + 1 < scopes_.size() ? scopes_[scope + 1].records_begin : records_.size();
    return std::string_view(records_).substr(begin, end - begin);
  };
  const auto header = [&](const Mark& mark) {
    return std::string_view(headers_).substr(mark.header_begin,
                                             mark.header_end - mark.header_begin);
  };
  for (size_t i = 0; i < scopes_.size(); ++i) {
    const size_t records = records_of(i).size();
    if (records == 0) continue;
    const size_t name = header(scopes_[i]).size();
    scope_sizes[i] = records + (name > 0 ? bytes_size(otlp::scope_group::kScope, name) : 0);
    group_sizes[scopes_[i].resource] += bytes_size(otlp::group::kScopes, scope_sizes[i]);
  }
  for (size_t i = 0; i < resources_.size(); ++i) {
    if (group_sizes[i] == 0) continue;
    const size_t attributes = header(resources_[i]).size();
    if (attributes > 0) group_sizes[i] += bytes_size(otlp::group::kResource, attributes);
    total += bytes_size(otlp::request::kGroups, group_sizes[i]);
  }

  std::string out;
  char* at = proto::extend(out, total);
  size_t opened = SIZE_MAX;
  for (size_t i = 0; i < scopes_.size(); ++i) {
    if (scope_sizes[i] == 0) continue;
    if (const size_t resource = scopes_[i].resource; resource != opened) {
      opened = resource;
      at = proto::put_header(at, otlp::request::kGroups, group_sizes[resource]);
      if (const auto attributes = header(resources_[resource]); !attributes.empty())
        at = proto::put_bytes(at, otlp::group::kResource, attributes);
    }
    at = proto::put_header(at, otlp::group::kScopes, scope_sizes[i]);
    if (const auto name = header(scopes_[i]); !name.empty())
      at = proto::put_bytes(at, otlp::scope_group::kScope, name);
    const auto records = records_of(i);
    std::memcpy(at, records.data(), records.size());
    at += records.size();
  }
  records_.clear();
  headers_.clear();
  resources_.clear();
  scopes_.clear();
  return Bytes::take(std::move(out));
}

}  // namespace sonde
