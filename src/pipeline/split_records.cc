// SPDX-License-Identifier: Apache-2.0
#include "pipeline/split_records.h"

#include <string>

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

// Writes what belongs to one part. Groups and scopes without a record of that part are left out.
std::string part_of(std::string_view chunk, uint32_t part, const std::vector<uint32_t>& chosen) {
  std::string out;
  size_t at = 0;
  proto::Reader groups(chunk);
  proto::Field group;
  while (groups.next(group)) {
    if (!is_message(group, kGroups)) {
      out.append(group.raw);
      continue;
    }
    std::string group_body;
    bool group_used = false;
    proto::Reader scopes(group.bytes);
    proto::Field scope;
    while (scopes.next(scope)) {
      if (!is_message(scope, kScopes)) {
        group_body.append(scope.raw);
        continue;
      }
      std::string scope_body;
      bool scope_used = false;
      proto::Reader records(scope.bytes);
      proto::Field record;
      while (records.next(record)) {
        if (!is_message(record, kRecords)) {
          scope_body.append(record.raw);
        } else if (chosen[at++] == part) {
          scope_body.append(record.raw);
          scope_used = true;
        }
      }
      if (!scope_used) continue;
      group_used = true;
      proto::Writer(group_body).bytes(kScopes, scope_body);
    }
    if (group_used) proto::Writer(out).bytes(kGroups, group_body);
  }
  return out;
}

}  // namespace

std::vector<Bytes> split_records(const Bytes& chunk, uint32_t parts, const ChooseRecord& choose) {
  std::vector<Bytes> out(parts);
  std::vector<uint32_t> chosen;
  if (!choices(chunk.view(), choose, chosen) || chosen.empty()) {
    out[0] = chunk;
    return out;
  }
  std::vector<bool> used(parts);
  bool same = true;
  for (const uint32_t part : chosen) {
    same &= part == chosen[0];
    if (part < parts) used[part] = true;
  }
  for (uint32_t part = 0; part < parts; ++part) {
    if (used[part]) out[part] = same ? chunk : Bytes::take(part_of(chunk.view(), part, chosen));
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
