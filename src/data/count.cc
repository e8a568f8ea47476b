// SPDX-License-Identifier: Apache-2.0
#include "data/count.h"

#include "data/hop.h"
#include "data/otlp_fields.h"

namespace sonde {
namespace {

using proto::Field;
using proto::Reader;
using proto::Type;

constexpr size_t kMalformed = SIZE_MAX;

// Adds up what is said of the payload of each field of this number.
template <class Visit>
[[gnu::always_inline]] inline size_t sum(std::string_view body, uint32_t number, Visit visit) {
  size_t total = 0;
  const bool ok = proto::hop(
      body, number,
      [&](std::string_view, std::string_view payload) {
        const size_t count = visit(payload);
        total += count;
        return count != kMalformed;
      },
      [](const Field&) {});
  return ok ? total : kMalformed;
}

size_t points(std::string_view data) {
  return sum(data, otlp::points::kPoints, [](std::string_view) -> size_t { return 1; });
}

// The kinds of a metric are a oneof: pieces of one kind are one message, another kind replaces it.
size_t metric(std::string_view body) {
  namespace f = otlp::metric;
  Reader reader(body);
  Field field;
  uint32_t kind = 0;
  size_t total = 0;
  while (reader.next(field)) {
    if (field.type != Type::Bytes) continue;
    switch (field.number) {
      case f::kGauge:
      case f::kSum:
      case f::kHistogram:
      case f::kExponentialHistogram:
      case f::kSummary: {
        const size_t count = points(field.bytes);
        if (count == kMalformed) return kMalformed;
        total = count + (kind == field.number ? total : 0);
        kind = field.number;
        break;
      }
      default:
        break;
    }
  }
  return reader.ok() ? total : kMalformed;
}

size_t record(Signal signal, std::string_view body) {
  const auto one = [](std::string_view) -> size_t { return 1; };
  return signal == Signal::Metrics    ? metric(body)
         : signal == Signal::Profiles ? sum(body, otlp::profile::kSamples, one)
                                      : 1;
}

size_t scope(Signal signal, std::string_view body) {
  return sum(body, otlp::scope_group::kRecords,
             [signal](std::string_view inner) { return record(signal, inner); });
}

size_t group(Signal signal, std::string_view body) {
  return sum(body, otlp::group::kScopes,
             [signal](std::string_view inner) { return scope(signal, inner); });
}

size_t request(Signal signal, std::string_view body) {
  return sum(body, otlp::request::kGroups,
             [signal](std::string_view inner) { return group(signal, inner); });
}

Result<size_t> result(size_t count) {
  if (count != kMalformed) return count;
  return fail(ErrorKind::Invalid, "malformed OTLP: the sender's encoder is at fault");
}

}  // namespace

Result<size_t> count_items(Signal signal, std::string_view chunk) {
  return result(request(signal, chunk));
}
Result<size_t> count_items_of_group(Signal signal, std::string_view body) {
  return result(group(signal, body));
}
Result<size_t> count_items_of_scope(Signal signal, std::string_view body) {
  return result(scope(signal, body));
}
Result<size_t> count_items_of_record(Signal signal, std::string_view body) {
  return result(record(signal, body));
}

}  // namespace sonde
