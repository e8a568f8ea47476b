// SPDX-License-Identifier: Apache-2.0
// What the processor redaction decides of one key and one value: settings that were prepared, and
// lists of what it did, for the attributes that say so. The lists keep their memory.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/regex.h"
#include "base/result.h"
#include "components/processor/redaction/sanitizers.h"
#include "data/message_edit.h"

namespace sonde::redaction {

struct Settings {
  bool allow_all_keys = false;
  std::vector<std::string> allowed_keys;
  std::vector<std::string> ignored_keys;
  std::vector<std::string> ignored_key_patterns;
  std::vector<std::string> blocked_key_patterns;
  std::vector<std::string> blocked_values;
  std::vector<std::string> allowed_values;
  std::string hash_function;
  std::string hmac_key;
  bool redact_all_types = false;
  std::string summary;
  UrlSettings url;
  DatabaseSettings database;
};

class Redactor {
 public:
  // `logs`: whether it is given log records, which seldom say of which database they speak.
  static Result<Redactor> make(const Settings& settings, bool logs = false);
  // Takes keys away, masks values, and adds the attributes that tell of it.
  void attributes(MessageEdit& message);
  // The body of a log record, of any shape; `attributes` gets what tells of it.
  void body(MessageEdit& log, uint32_t body_field);
  // The name of a span whose attributes were done.
  void span_name(SpanEdit& span) const;

 private:
  enum class Fate : uint8_t { Ignore, Redact, Mask, Look };
  struct Told {
    std::vector<std::string> keys;  // With summary: debug only.
    int64_t count = 0;
  };
  struct Report {
    Told redacted, masked, allowed, ignored;
    size_t room = 0;  // How many bytes of keys are told yet.
    void begin(size_t most_bytes);
  };

  Fate fate(std::string_view key) const;
  bool allowed(std::string_view value) const;
  // The value with what is blocked masked; false where nothing is.
  bool masked(std::string_view value, std::string& out) const;
  // The same, and without what the sanitizers hide of it.
  bool changed(std::string_view key, std::string_view value, std::string_view system,
               std::string& out) const;
  bool changed_in_body(std::string_view value, std::string& out) const;
  void mask_all(std::string_view value, std::string& out) const;
  std::string mask(std::string_view match) const;
  // Returns what leaves a value as it is.
  std::nullopt_t note(Told& told, std::string_view key);
  void tell(MessageEdit& message, std::string_view prefix);
  void tell_one(MessageEdit& message, Told& told, const std::string& list,
                const std::string& count);
  // Lengthens path_; returns the size to shorten it to again.
  size_t enter(std::string_view part);
  bool rewrite_value(std::string_view any_value, int depth, std::string& out);
  bool rewrite_text(const AnyValueView& value, bool nested, std::string& out);
  bool rewrite_pair(const proto::Field& field, int depth, proto::Writer& writer,
                    std::string& child);

  Settings settings_;
  Sanitizers sanitizers_;
  bool tells_ = false;  // Whether attributes say what was done.
  std::set<std::string, std::less<>> allowed_keys_;
  std::set<std::string, std::less<>> ignored_keys_;
  std::vector<Regex> ignored_patterns_;
  std::vector<Regex> blocked_patterns_;
  std::vector<Regex> blocked_values_;
  std::vector<Regex> allowed_values_;
  std::vector<Regex> whole_;  // ".*", for whole values.
  Report report_;
  std::string path_;  // Of the value of a body that is in hand: keys, and places like [0].
};

}  // namespace sonde::redaction
