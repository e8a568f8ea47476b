// SPDX-License-Identifier: Apache-2.0
// A request whose framing is whole and one of whose spans is not.
#pragma once

#include <string>
#include <utility>

#include "data/wire.h"
#include "pipeline/testing/spans.h"

namespace sonde::pipeline {

// So many whole spans, one that does not parse, and whole ones again.
inline Batch spans_around_a_malformed_one(int before, int after, Ack ack = {}) {
  constexpr uint32_t kGroups = otlp::request::kGroups, kScopes = otlp::group::kScopes,
                     kRecords = otlp::scope_group::kRecords;
  std::string body(spans(before).chunks[0].view());
  proto::Writer writer(body);
  writer.nested(kGroups,
                [&] { writer.nested(kScopes, [&] { writer.bytes(kRecords, "\xff\xff"); }); });
  body += spans(after).chunks[0].view();
  return Batch(Signal::Traces, {Bytes::take(std::move(body))}, std::move(ack));
}

}  // namespace sonde::pipeline
