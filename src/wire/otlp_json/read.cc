// SPDX-License-Identifier: Apache-2.0
// Bodies of JSON as requests and answers of OTLP, and the memory that reading them takes.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/buffer.h"
#include "wire/otlp_json/json_reader.h"
#include "wire/otlp_json/schema.h"

namespace sonde::wire {
namespace {

constexpr size_t kKeptParser = size_t{1} << 20;  // A parser grown over this is not kept.

bool is_null(std::string_view json) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t at = std::min(json.find_first_not_of(kSpace), json.size());
  json.remove_prefix(at);
  return json.starts_with("null") && json.find_first_not_of(kSpace, 4) == json.npos;
}

// Gives the object that the text is, unless it is null, to `take`, which is false where its reader
// has an error.
template <class Take>
Result<> walk(std::string_view json, JsonReader& reader, const Take& take) {
  if (is_null(json)) return {};
  thread_local od::parser parser;
  const bool large = json.size() > kKeptParser;
  od::parser once;
  od::parser& used = large ? once : parser;
  // simdjson reads past the end, though it looks at nothing there.
  Buffer padded(json.size() + simdjson::SIMDJSON_PADDING);
  padded.append(json);
  std::memset(padded.data() + json.size(), 0, simdjson::SIMDJSON_PADDING);
  od::document document;
  const auto failed = [&](simdjson::error_code code) {
    reader.broken(code);
    return std::unexpected(reader.error());
  };
  if (const auto error =
          used.iterate(padded.data(), json.size(), json.size() + simdjson::SIMDJSON_PADDING)
              .get(document)) {
    return failed(error);
  }
  od::object object;
  if (const auto error = document.get_object().get(object)) return failed(error);
  TRY(take(object));
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    reader.wrong("something follows its end");
    return std::unexpected(reader.error());
  }
  return {};
}

// How many places simdjson remembers of a text: brackets, commas, colons, quotes, and where a word
// or number begins. Those within strings are counted, too.
size_t places_in(std::string_view json) {
  enum : uint8_t { kWord, kSpace, kMark };
  static constexpr auto kClasses = [] {
    std::array<uint8_t, 256> classes{};
    for (const char c : std::string_view(" \t\r\n")) classes[static_cast<uint8_t>(c)] = kSpace;
    for (const char c : std::string_view("{}[]:,\"")) classes[static_cast<uint8_t>(c)] = kMark;
    return classes;
  }();
  size_t places = 0;
  uint8_t before = kSpace;
  for (const char c : json) {
    const uint8_t now = kClasses[static_cast<uint8_t>(c)];
    places += static_cast<size_t>(now == kMark || (now == kWord && before != kWord));
    before = now;
  }
  return places;
}

Result<Bytes> take_bounded(std::string out, size_t max_size) {
  if (out.size() > max_size) {
    return fail(ErrorKind::Exhausted,
                fmt::format("the message is over the limit of {} bytes", max_size));
  }
  return Bytes::take(std::move(out));
}

}  // namespace

size_t json_reading_need(std::string_view json, size_t max_size) {
  constexpr size_t kSmall = size_t{64} << 10;  // Not worth the counting.
  const size_t size = json.size();
  const size_t places = size <= kSmall ? size : places_in(json);
  // A number of one digit may become eight bytes; while it grows, what comes out lies there twice.
  const size_t most = max_size < SIZE_MAX / 2 ? 2 * max_size : SIZE_MAX;
  const size_t out = std::min(size / 2 + 8 * places, most);
  return Buffer::block_size(size + simdjson::SIMDJSON_PADDING) + sizeof(uint32_t) * places + size +
         out;
}

Result<Bytes> otlp_from_json(Signal signal, OtlpBody body, std::string_view json, size_t max_size) {
  std::string out;
  out.reserve(std::min(json.size(), max_size) / 2);
  JsonReader reader(out, max_size);
  TRY(walk(json, reader, [&](od::object object) -> Result<> {
    if (reader.message(schema_of(signal, body), object, 0)) return {};
    return std::unexpected(reader.error());
  }));
  return take_bounded(std::move(out), max_size);
}

Result<std::vector<SignalRequest>> otlp_requests_from_json(std::string_view json,
                                                           std::span<const Signal> wanted,
                                                           size_t max_size) {
  struct Part {
    Part(Signal of, size_t most)
        : schema(schema_of(of, OtlpBody::Request)), signal(of), reader(out, most) {}
    Part(const Part&) = delete;  // Its reader writes to its text.
    Part& operator=(const Part&) = delete;
    const Message& schema;
    Signal signal;
    std::string out;
    JsonReader reader;
    bool there = false;
  };
  std::array<Part, 3> parts{Part(Signal::Traces, max_size), Part(Signal::Metrics, max_size),
                            Part(Signal::Logs, max_size)};
  const auto take = [&](Part& part, const FieldInfo& info, auto& entry) {
    if (!std::exchange(part.there, true)) part.out.reserve(std::min(json.size(), max_size) / 2);
    return part.reader.field(info, entry, 0);
  };
  JsonReader& whole = parts[0].reader;
  TRY(walk(json, whole, [&](od::object object) -> Result<> {
    for (auto entry : object) {
      std::string_view key;
      if (!whole.key_of(entry, key)) return std::unexpected(whole.error());
      for (Part& part : parts) {
        const FieldInfo* const info = JsonReader::field_of(part.schema, key);
        if (info == nullptr) continue;
        if (std::ranges::find(wanted, part.signal) == wanted.end()) {
          part.there = true;
        } else if (!take(part, *info, entry)) {
          return std::unexpected(part.reader.error());
        }
        break;
      }
    }
    return {};
  }));
  std::vector<SignalRequest> requests;
  for (Part& part : parts) {
    if (!part.there) continue;
    requests.push_back({part.signal, TRY(take_bounded(std::move(part.out), max_size))});
  }
  return requests;
}

}  // namespace sonde::wire
