// SPDX-License-Identifier: Apache-2.0
#include "components/processor/redaction/redactor.h"

#include <algorithm>

#include "base/digest.h"
#include "data/collector_text.h"
#include "data/otlp_fields.h"
#include "data/wire.h"

namespace sonde::redaction {
namespace {

namespace any = otlp::any_value;
using Kind = AnyValueView::Kind;

// Values nested deeper than this are masked whole: nobody writes them, and a peer may.
constexpr int kMostDepth = 32;

Result<> compile(std::string_view name, const std::vector<std::string>& patterns,
                 std::vector<Regex>& to) {
  for (const std::string& pattern : patterns) {
    auto regex = Regex::compile(pattern);
    if (!regex) return std::unexpected(at(name, std::move(regex.error())));
    to.push_back(std::move(*regex));
  }
  return {};
}

bool any_matches(const std::vector<Regex>& list, std::string_view text) {
  return std::ranges::any_of(list, [&](const Regex& regex) { return regex.matches(text); });
}

// What the processor itself writes, for a second one behind it.
constexpr std::string_view kOwn[] = {"redacted.keys", "redacted.count", "masked.keys",
                                     "masked.count",  "allowed.keys",   "allowed.count",
                                     "ignored.count"};

}  // namespace

void Redactor::Report::clear() {
  redacted.clear();
  masked.clear();
  allowed.clear();
  ignored.clear();
}

Result<Redactor> Redactor::make(const Settings& settings, bool logs) {
  Redactor made;
  made.settings_ = settings;
  made.sanitizers_ = Sanitizers(settings.url, settings.database, logs);
  made.tells_ = settings.summary == "debug" || settings.summary == "info";
  if (settings.hash_function.starts_with("hmac")) {
    const size_t least = settings.hash_function == "hmac-sha512" ? 64 : 32;
    if (settings.hmac_key.size() < least)
      return fail(ErrorKind::Invalid, "hmac_key: " + settings.hash_function +
                                          " needs one of at least " + std::to_string(least) +
                                          " bytes, not " +
                                          std::to_string(settings.hmac_key.size()));
  }
  made.allowed_keys_.insert(settings.allowed_keys.begin(), settings.allowed_keys.end());
  for (const std::string_view own : kOwn) {
    made.allowed_keys_.insert("redaction." + std::string(own));
    made.allowed_keys_.insert("redaction.body." + std::string(own));
  }
  made.ignored_keys_.insert(settings.ignored_keys.begin(), settings.ignored_keys.end());
  TRY(compile("ignored_key_patterns", settings.ignored_key_patterns, made.ignored_patterns_));
  TRY(compile("blocked_key_patterns", settings.blocked_key_patterns, made.blocked_patterns_));
  TRY(compile("blocked_values", settings.blocked_values, made.blocked_values_));
  TRY(compile("allowed_values", settings.allowed_values, made.allowed_values_));
  TRY(compile("", {".*"}, made.whole_));
  return made;
}

Redactor::Fate Redactor::fate(std::string_view key) const {
  if (ignored_keys_.contains(key) || any_matches(ignored_patterns_, key)) return Fate::Ignore;
  if (!settings_.allow_all_keys && !allowed_keys_.contains(key)) return Fate::Redact;
  return any_matches(blocked_patterns_, key) ? Fate::Mask : Fate::Look;
}

bool Redactor::allowed(std::string_view value) const { return any_matches(allowed_values_, value); }

std::string Redactor::mask(std::string_view match) const {
  const std::string& how = settings_.hash_function;
  if (how == "md5") return hex_digest(Digest::Md5, match);
  if (how == "sha1") return hex_digest(Digest::Sha1, match);
  if (how == "sha3") return hex_digest(Digest::Sha3_256, match);
  if (how == "hmac-sha256") return hex_hmac(Digest::Sha256, settings_.hmac_key, match);
  if (how == "hmac-sha512") return hex_hmac(Digest::Sha512, settings_.hmac_key, match);
  return "****";
}

bool Redactor::masked(std::string_view value, std::string& out) const {
  bool changed = false;
  std::string next;
  for (const Regex& regex : blocked_values_) {
    if (!regex.replace_all(
            changed ? std::string_view(out) : value,
            [this](std::string& to, std::string_view match) { to += mask(match); }, next))
      continue;
    out.swap(next);
    changed = true;
  }
  return changed && out != value;
}

bool Redactor::changed(std::string_view key, std::string_view value, std::string_view system,
                       std::string& out) const {
  const bool blocked = masked(value, out);
  if (!sanitizers_.any()) return blocked;
  if (!blocked) out = value;
  out = sanitizers_.attribute(key, out, system);
  return out != value;
}

bool Redactor::changed_in_body(std::string_view value, std::string& out) const {
  const bool blocked = masked(value, out);
  if (!sanitizers_.any()) return blocked;
  out = sanitizers_.body(blocked ? std::move(out) : std::string(value));
  return out != value;
}

void Redactor::span_name(SpanEdit& span) const {
  if (!sanitizers_.any() || allowed(span.name())) return;
  if (const auto name = sanitizers_.span_name(span)) span.set_name(*name);
}

void Redactor::mask_all(std::string_view value, std::string& out) const {
  whole_[0].replace_all(
      value, [this](std::string& to, std::string_view match) { to += mask(match); }, out);
}

std::nullopt_t Redactor::note(std::vector<std::string>& list, std::string_view key) const {
  if (tells_) list.emplace_back(key);
  return std::nullopt;
}

void Redactor::attributes(MessageEdit& message) {
  report_.clear();
  bool erase = false;
  std::string text;
  std::string masked_text;
  const std::string system = sanitizers_.system_of(message);
  message.replace_values([&](const KeyValueView& pair) -> std::optional<AttributeValue> {
    const Fate fate_of_key = fate(pair.key);
    if (fate_of_key == Fate::Ignore) return note(report_.ignored, pair.key);
    if (fate_of_key == Fate::Redact) {
      erase = true;
      return note(report_.redacted, pair.key);
    }
    std::string_view value = pair.value.as_string();
    if (!pair.value.is_string() && settings_.redact_all_types) {
      text = collector_text(pair.value);
      value = text;
    }
    if (allowed(value)) return note(report_.allowed, pair.key);
    if (fate_of_key == Fate::Mask)
      mask_all(value, masked_text);
    else if (!changed(pair.key, value, system, masked_text))
      return std::nullopt;
    note(report_.masked, pair.key);
    return masked_text;
  });
  if (erase) {
    message.erase_if([&](const KeyValueView& pair) { return fate(pair.key) == Fate::Redact; });
  }
  tell(message, "redaction.");
}

void Redactor::tell(MessageEdit& message, std::string_view prefix) {
  const auto name = [&](std::string_view rest) { return std::string(prefix) + std::string(rest); };
  if (!tells_) return;
  tell_one(message, report_.redacted, name("redacted.keys"), name("redacted.count"));
  tell_one(message, report_.masked, name("masked.keys"), name("masked.count"));
  tell_one(message, report_.allowed, name("allowed.keys"), name("allowed.count"));
  tell_one(message, report_.ignored, {}, name("ignored.count"));
}

// What an earlier one told is added to.
void Redactor::tell_one(MessageEdit& message, std::vector<std::string>& keys,
                        const std::string& list, const std::string& count) {
  if (keys.empty()) return;
  auto total = static_cast<int64_t>(keys.size());
  if (settings_.summary == "debug" && !list.empty()) {
    if (const auto before = message.get(list)) {
      std::string_view rest = before->as_string();
      while (!rest.empty()) {
        const size_t end = std::min(rest.find(','), rest.size());
        keys.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
    }
    std::ranges::sort(keys);
    std::string joined;
    for (const std::string& key : keys) joined += (joined.empty() ? "" : ",") + key;
    message.set(list, std::string_view(joined));
  }
  if (const auto before = message.get(count)) total += before->as_int();
  message.set(count, total);
}

void Redactor::body(MessageEdit& log, uint32_t body_field) {
  const std::string_view body = log.bytes_field(body_field);
  report_.clear();
  std::string out;
  if (rewrite_value("", body, 0, out)) log.set_bytes(body_field, out);
  tell(log, "redaction.body.");
}

// Writes the AnyValue as it may stay; false where nothing changes. Keys of nested values are told
// with their path.
bool Redactor::rewrite_value(std::string_view key, std::string_view any_value, int depth,
                             std::string& out) {
  const AnyValueView value(any_value);
  const bool nested = value.kind() == Kind::Array || value.kind() == Kind::Map;
  const auto path = [&](const std::string& part) {
    return key.empty() ? part : std::string(key) + "." + part;
  };
  const auto put_text = [&](std::string_view text) {
    out.clear();
    proto::Writer(out).bytes(any::kString, text);
  };
  if (!nested || depth >= kMostDepth) {
    const std::string spelled = value.is_string() ? std::string() : collector_text(value);
    const std::string_view text = value.is_string() ? value.as_string() : spelled;
    const std::string name = key.empty() ? "body" : std::string(key);
    if (allowed(text)) {
      // The Collector does not tell of a body that is allowed as a whole.
      if (!key.empty()) report_.allowed.push_back(name);
      return false;
    }
    std::string result;
    if (nested)
      mask_all(text, result);
    else if (!changed_in_body(text, result))
      return false;
    report_.masked.push_back(name);
    put_text(result);
    return true;
  }
  bool changed = false;
  std::string inside;
  proto::Writer writer(inside);
  std::string child;
  proto::Reader reader(value.bytes());
  proto::Field field;
  size_t number = 0;
  while (reader.next(field)) {
    if (field.number != otlp::list::kValues || field.type != proto::Type::Bytes) {
      writer.raw(field.raw);
      continue;
    }
    if (value.kind() == Kind::Array) {
      const bool rewritten =
          rewrite_value(path("[" + std::to_string(number++) + "]"), field.bytes, depth + 1, child);
      changed |= rewritten;
      rewritten ? writer.bytes(otlp::list::kValues, child) : writer.raw(field.raw);
      continue;
    }
    proto::Reader pair(field.bytes);
    proto::Field part;
    std::string_view name;
    std::string_view content;
    while (pair.next(part)) {
      if (part.type != proto::Type::Bytes) continue;
      if (part.number == otlp::key_value::kKey) name = part.bytes;
      if (part.number == otlp::key_value::kValue) content = part.bytes;
    }
    const std::string full = path(std::string(name));
    const Fate fate_of_key = fate(name);
    bool rewritten = false;
    if (fate_of_key == Fate::Ignore) {
      report_.ignored.push_back(full);
    } else if (fate_of_key == Fate::Redact) {
      report_.redacted.push_back(full);
      changed = true;
      continue;
    } else if (fate_of_key == Fate::Mask) {
      report_.masked.push_back(full);
      std::string result;
      mask_all(AnyValueView(content).as_string(), result);
      child.clear();
      proto::Writer(child).bytes(any::kString, result);
      rewritten = true;
    } else {
      rewritten = rewrite_value(full, content, depth + 1, child);
    }
    changed |= rewritten;
    if (!rewritten) {
      writer.raw(field.raw);
      continue;
    }
    writer.nested(otlp::list::kValues, [&] {
      writer.bytes(otlp::key_value::kKey, name);
      writer.bytes(otlp::key_value::kValue, child);
    });
  }
  if (!changed) return false;
  out.clear();
  proto::Writer(out).bytes(value.kind() == Kind::Array ? any::kArray : any::kMap, inside);
  return true;
}

}  // namespace sonde::redaction
