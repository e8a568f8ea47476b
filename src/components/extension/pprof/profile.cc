// SPDX-License-Identifier: Apache-2.0
#include "components/extension/pprof/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "data/wire.h"

namespace sonde::pprof {
namespace {

// Field numbers of profile.proto.
namespace field {
constexpr uint32_t kSampleType = 1, kSample = 2, kMapping = 3, kLocation = 4, kFunction = 5,
                   kString = 6, kTime = 9, kDuration = 10, kPeriodType = 11, kPeriod = 12,
                   kComment = 13;
}

class Encoder {
 public:
  Encoder(std::span<const Mapping> mappings, const ReadSymbols& read)
      : mappings_(mappings), read_(read) {
    (void)string("");  // The first string is empty.
  }

  std::string encode(const Samples& samples, int64_t started_unix_ns, Duration took) {
    value_type(field::kSampleType, "samples", "count");
    value_type(field::kSampleType, "cpu", "nanoseconds");
    for (const auto& [stack, count] : join(samples)) sample(stack, count, samples.period);
    mappings();
    writer_.varint(field::kTime, static_cast<uint64_t>(started_unix_ns));
    writer_.varint(field::kDuration, static_cast<uint64_t>(took.count()));
    value_type(field::kPeriodType, "cpu", "nanoseconds");
    writer_.varint(field::kPeriod, static_cast<uint64_t>(samples.period.count()));
    if (samples.lost > 0) {
      writer_.varint(field::kComment,
                     string(fmt::format("{} samples found no room", samples.lost)));
    }
    for (const std::string* text : texts_) writer_.bytes(field::kString, *text);
    return std::move(out_);
  }

 private:
  using Stacks = std::map<std::vector<uint64_t>, uint64_t>;

  // Of a place to return to, the call before it is what took the time.
  static Stacks join(const Samples& samples) {
    Stacks stacks;
    for (size_t at = 0; at < samples.words.size();) {
      const size_t depth = samples.words[at];
      std::vector<uint64_t> stack(samples.words.begin() + static_cast<ptrdiff_t>(at) + 1,
                                  samples.words.begin() + static_cast<ptrdiff_t>(at + 1 + depth));
      for (size_t i = 1; i < stack.size(); ++i) --stack[i];
      ++stacks[std::move(stack)];
      at += depth + 1;
    }
    return stacks;
  }

  uint64_t string(std::string_view text) {
    const auto [at, fresh] = strings_.try_emplace(std::string(text), texts_.size());
    if (fresh) texts_.push_back(&at->first);
    return at->second;
  }

  void value_type(uint32_t number, std::string_view type, std::string_view unit) {
    const uint64_t a = string(type), b = string(unit);
    const size_t body = writer_.begin(number);
    writer_.varint(1, a);
    writer_.varint(2, b);
    writer_.end(body);
  }

  void sample(const std::vector<uint64_t>& stack, uint64_t count, Duration period) {
    std::vector<uint64_t> ids;
    for (const uint64_t address : stack) ids.push_back(location(address));
    const size_t body = writer_.begin(field::kSample);
    for (const uint64_t id : ids) writer_.varint(1, id);
    writer_.varint(2, count);
    writer_.varint(2, count * static_cast<uint64_t>(period.count()));
    writer_.end(body);
  }

  uint64_t location(uint64_t address) {
    const auto [known, fresh] = locations_.try_emplace(address, locations_.size() + 1);
    if (!fresh) return known->second;
    const uint64_t id = known->second;
    const auto mapping = std::ranges::find_if(
        mappings_, [&](const Mapping& m) { return address >= m.start && address < m.limit; });
    uint64_t function_id = 0;
    if (mapping != mappings_.end()) {
      const std::string_view name =
          symbols(mapping->file).name_at(address - mapping->start + mapping->offset);
      if (!name.empty()) function_id = function(name, mapping->file);
    }
    const size_t body = writer_.begin(field::kLocation);
    writer_.varint(1, id);
    if (mapping != mappings_.end()) {
      writer_.varint(2, static_cast<uint64_t>(mapping - mappings_.begin()) + 1);
    }
    writer_.varint(3, address);
    if (function_id != 0) {
      const size_t line = writer_.begin(4);
      writer_.varint(1, function_id);
      writer_.end(line);
    }
    writer_.end(body);
    return id;
  }

  uint64_t function(std::string_view name, const std::string& file) {
    const auto [known, fresh] = functions_.try_emplace(std::string(name), functions_.size() + 1);
    if (!fresh) return known->second;
    const uint64_t plain = string(demangle(name)), mangled = string(name), where = string(file);
    const size_t body = writer_.begin(field::kFunction);
    writer_.varint(1, known->second);
    writer_.varint(2, plain);
    writer_.varint(3, mangled);
    writer_.varint(4, where);
    writer_.end(body);
    return known->second;
  }

  const SymbolTable& symbols(const std::string& file) {
    const auto known = tables_.find(file);
    if (known != tables_.end()) return known->second;
    return tables_.emplace(file, file.starts_with('/') ? read_(file) : SymbolTable()).first->second;
  }

  void mappings() {
    for (size_t i = 0; i < mappings_.size(); ++i) {
      const Mapping& m = mappings_[i];
      const auto table = tables_.find(m.file);
      const uint64_t file = string(m.file);
      const uint64_t build_id = table == tables_.end() ? 0 : string(table->second.build_id());
      const size_t body = writer_.begin(field::kMapping);
      writer_.varint(1, i + 1);
      writer_.varint(2, m.start);
      writer_.varint(3, m.limit);
      writer_.varint(4, m.offset);
      writer_.varint(5, file);
      writer_.varint(6, build_id);
      if (table != tables_.end() && table->second.size() > 0) writer_.varint(7, 1);
      writer_.end(body);
    }
  }

  std::span<const Mapping> mappings_;
  const ReadSymbols& read_;
  std::string out_;
  proto::Writer writer_{out_};
  std::unordered_map<std::string, uint64_t> strings_;
  std::vector<const std::string*> texts_;
  std::unordered_map<uint64_t, uint64_t> locations_;
  std::unordered_map<std::string, uint64_t> functions_;
  std::map<std::string, SymbolTable> tables_;
};

}  // namespace

std::string encode_profile(const Samples& samples, std::span<const Mapping> mappings,
                           const ReadSymbols& read, int64_t started_unix_ns, Duration took) {
  return Encoder(mappings, read).encode(samples, started_unix_ns, took);
}

}  // namespace sonde::pprof
