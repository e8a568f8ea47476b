// SPDX-License-Identifier: Apache-2.0
#include "pipeline/split_records.h"

#include <algorithm>
#include <string>
#include <utility>

#include "data/wire.h"

namespace sonde::pipeline {
namespace {

// The layout is the same for all signals: groups, each with a resource and scopes, each with
// records.
constexpr uint32_t kGroups = 1;
constexpr uint32_t kResource = 1;
constexpr uint32_t kScopes = 2;
constexpr uint32_t kRecords = 2;
constexpr uint32_t kTraceId = 1;

bool is_message(const proto::Field& field, uint32_t number) {
  return field.number == number && field.type == proto::Type::Bytes;
}

std::string_view resource_of(std::string_view group) {
  proto::Reader reader(group);
  proto::Field field;
  while (reader.next(field)) {
    if (is_message(field, kResource)) return field.bytes;
  }
  return {};
}

// Asks `choose` once a record, in the order of the bytes. False when they do not parse.
bool choices(std::string_view chunk, const ChooseRecord& choose, std::vector<uint32_t>& out) {
  proto::Reader groups(chunk);
  proto::Field group;
  while (groups.next(group)) {
    if (!is_message(group, kGroups)) continue;
    const std::string_view resource = resource_of(group.bytes);
    proto::Reader scopes(group.bytes);
    proto::Field scope;
    while (scopes.next(scope)) {
      if (!is_message(scope, kScopes)) continue;
      proto::Reader records(scope.bytes);
      proto::Field record;
      while (records.next(record)) {
        if (is_message(record, kRecords)) out.push_back(choose(resource, record.bytes));
      }
      if (!records.ok()) return false;
    }
    if (!scopes.ok()) return false;
  }
  return groups.ok();
}

// One part as it is written: closed messages, and the group and scope that are open.
struct Part {
  std::string out, group, scope;
};

// Writes all parts in one walk, for there may be very many. Groups and scopes without a record of a
// part are left out of it.
std::vector<Part> write_parts(std::string_view chunk, uint32_t parts,
                              const std::vector<uint32_t>& chosen) {
  std::vector<Part> all(parts);
  std::vector<uint32_t> in_group, in_scope;  // the parts that have something there
  std::string rest, group_rest, scope_rest;  // what is no group, scope or record
  const auto close = [](std::string& inner, const std::string& beside, std::string& outer,
                        uint32_t number) {
    inner.insert(0, beside);
    proto::Writer(outer).bytes(number, inner);
    inner.clear();
  };
  size_t at = 0;
  proto::Reader groups(chunk);
  proto::Field group;
  while (groups.next(group)) {
    if (!is_message(group, kGroups)) {
      rest.append(group.raw);
      continue;
    }
    group_rest.clear();
    proto::Reader scopes(group.bytes);
    proto::Field scope;
    while (scopes.next(scope)) {
      if (!is_message(scope, kScopes)) {
        group_rest.append(scope.raw);
        continue;
      }
      scope_rest.clear();
      proto::Reader records(scope.bytes);
      proto::Field record;
      while (records.next(record)) {
        if (!is_message(record, kRecords)) {
          scope_rest.append(record.raw);
        } else if (const uint32_t part = chosen[at++]; part < parts) {
          if (all[part].scope.empty()) in_scope.push_back(part);
          all[part].scope.append(record.raw);
        }
      }
      for (const uint32_t part : in_scope) {
        if (all[part].group.empty()) in_group.push_back(part);
        close(all[part].scope, scope_rest, all[part].group, kScopes);
      }
      in_scope.clear();
    }
    for (const uint32_t part : in_group) close(all[part].group, group_rest, all[part].out, kGroups);
    in_group.clear();
  }
  for (Part& part : all) {
    if (!part.out.empty()) part.out.append(rest);
  }
  return all;
}

}  // namespace

std::vector<Bytes> split_records(const Bytes& chunk, uint32_t parts, const ChooseRecord& choose) {
  std::vector<Bytes> out(parts);
  std::vector<uint32_t> chosen;
  if (!choices(chunk.view(), choose, chosen) || chosen.empty()) {
    out[0] = chunk;
    return out;
  }
  if (std::ranges::all_of(chosen, [&](uint32_t part) { return part == chosen[0]; })) {
    if (chosen[0] < parts) out[chosen[0]] = chunk;
    return out;
  }
  std::vector<Part> written = write_parts(chunk.view(), parts, chosen);
  for (uint32_t part = 0; part < parts; ++part) {
    if (!written[part].out.empty()) out[part] = Bytes::take(std::move(written[part].out));
  }
  return out;
}

uint64_t stable_hash(std::string_view bytes) {
  // FNV-1a, then the finaliser of splitmix64: FNV alone leaves the high bits of short keys weak.
  uint64_t hash = 14695981039346656037U;
  for (const char c : bytes) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211U;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9U;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebU;
  return hash ^ (hash >> 31);
}

uint32_t partition_of(Signal signal, std::string_view resource, std::string_view record,
                      uint32_t parts) {
  std::string_view key = resource;
  if (signal == Signal::Traces) {
    proto::Reader reader(record);
    proto::Field field;
    while (reader.next(field)) {
      if (is_message(field, kTraceId)) key = field.bytes;
    }
  }
  return static_cast<uint32_t>(stable_hash(key) % parts);
}

}  // namespace sonde::pipeline
