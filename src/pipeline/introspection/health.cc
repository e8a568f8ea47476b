// SPDX-License-Identifier: Apache-2.0
#include "pipeline/introspection/health.h"

#include <algorithm>
#include <set>

namespace sonde::pipeline {
namespace {

bool is_error(StatusKind kind) {
  return kind == StatusKind::RecoverableError || kind == StatusKind::PermanentError ||
         kind == StatusKind::FatalError;
}

StatusKind kind_of(const std::map<std::string, Health>& parts, WorseError worse) {
  using enum StatusKind;
  std::set<StatusKind> seen;
  for (const auto& [name, part] : parts) seen.insert(part.status.kind);
  if (seen.size() == 1) return *seen.begin();
  for (const StatusKind kind : {FatalError, Starting, Stopping}) {
    if (seen.contains(kind)) return kind;
  }
  if (seen.contains(Stopped)) return Stopping;  // Not all of them.
  const bool permanent = seen.contains(PermanentError);
  const bool recoverable = seen.contains(RecoverableError);
  if (permanent && (!recoverable || worse == WorseError::Permanent)) return PermanentError;
  return recoverable ? RecoverableError : None;
}

// An error is the one that began first; anything else is as old as the last change.
void sum_up(Health& whole, WorseError worse) {
  if (whole.parts.empty()) return;
  whole.status = {.kind = kind_of(whole.parts, worse)};
  const Health* chosen = nullptr;
  for (const auto& [name, part] : whole.parts) {
    if (!is_error(whole.status.kind)) {
      whole.since_unix_ns = std::max(whole.since_unix_ns, part.since_unix_ns);
    } else if (part.status.kind == whole.status.kind &&
               (!chosen || part.since_unix_ns < chosen->since_unix_ns)) {
      chosen = &part;
    }
  }
  if (!chosen) return;
  whole.status.error = chosen->status.error;
  whole.since_unix_ns = chosen->since_unix_ns;
}

}  // namespace

Health health_of(const Topology& topology, std::span<const ComponentStatus> statuses, bool ready,
                 WorseError worse) {
  const bool stopping = std::ranges::any_of(statuses, [](const ComponentStatus& s) {
    return s.status.kind == StatusKind::Stopping || s.status.kind == StatusKind::Stopped;
  });
  Health all;
  for (const TopologyComponent& component : topology.components) {
    const auto found = std::ranges::find(statuses, component.key, &ComponentStatus::key);
    if (found == statuses.end()) continue;
    Health one{.status = found->status, .since_unix_ns = found->since_unix_ns};
    if (!ready && !stopping && one.status.kind == StatusKind::Ok) {
      one.status.kind = StatusKind::Starting;
    }
    const std::string name = component.kind + ":" + component.id;
    if (component.kind == "extension") all.parts["extensions"].parts[name] = one;
    for (const std::string& pipeline : component.pipelines) {
      all.parts["pipeline:" + pipeline].parts[name] = one;
    }
  }
  for (auto& [name, part] : all.parts) sum_up(part, worse);
  sum_up(all, worse);
  return all;
}

const Health* scope_of(const Health& health, std::string_view name) {
  if (name.empty()) return &health;
  const auto found =
      health.parts.find(name == "extensions" ? std::string(name) : "pipeline:" + std::string(name));
  return found == health.parts.end() ? nullptr : &found->second;
}

bool is_healthy(const Health& health, const HealthRule& rule, int64_t now_unix_ns) {
  switch (health.status.kind) {
    case StatusKind::PermanentError:
      return !rule.permanent;
    case StatusKind::RecoverableError:
      return !rule.recoverable || now_unix_ns < health.since_unix_ns + rule.recovery.count();
    default:
      return health.status.kind != StatusKind::FatalError;
  }
}

}  // namespace sonde::pipeline
