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
// How many bytes of paths a body is told of beside some times its size; the rest is counted.
constexpr size_t kMostToldOfBody = 4096;

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

void Redactor::Report::begin(size_t most_bytes) {
  for (Told* told : {&redacted, &masked, &allowed, &ignored}) {
    told->keys.clear();
    told->count = 0;
  }
  room = most_bytes;
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

std::nullopt_t Redactor::note(Told& told, std::string_view key) {
  ++told.count;
  if (settings_.summary == "debug" && key.size() <= report_.room) {
    report_.room -= key.size();
    told.keys.emplace_back(key);
  }
  return std::nullopt;
}

void Redactor::attributes(MessageEdit& message) {
  report_.begin(SIZE_MAX);  // Each key is told once.
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
void Redactor::tell_one(MessageEdit& message, Told& told, const std::string& list,
                        const std::string& count) {
  if (told.count == 0) return;
  std::vector<std::string>& keys = told.keys;
  int64_t total = told.count;
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
  // A path is told for each value, and a peer may put a long key over many of them.
  report_.begin(kMostToldOfBody + 4 * body.size());
  path_.clear();
  std::string out;
  if (rewrite_value(body, 0, out)) log.set_bytes(body_field, out);
  tell(log, "redaction.body.");
}

size_t Redactor::enter(std::string_view part) {
  const size_t before = path_.size();
  if (!path_.empty()) path_ += '.';
  path_ += part;
  return before;
}

// Writes the AnyValue, which is at path_, as it may stay; false where nothing changes.
bool Redactor::rewrite_value(std::string_view any_value, int depth, std::string& out) {
  const AnyValueView value(any_value);
  const bool nested = value.kind() == Kind::Array || value.kind() == Kind::Map;
  if (!nested || depth >= kMostDepth) return rewrite_text(value, nested, out);
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
    if (value.kind() == Kind::Map) {
      changed |= rewrite_pair(field, depth, writer, child);
      continue;
    }
    const size_t outside = enter("[" + std::to_string(number++) + "]");
    const bool rewritten = rewrite_value(field.bytes, depth + 1, child);
    path_.resize(outside);
    changed |= rewritten;
    rewritten ? writer.bytes(otlp::list::kValues, child) : writer.raw(field.raw);
  }
  if (!changed) return false;
  out.clear();
  proto::Writer(out).bytes(value.kind() == Kind::Array ? any::kArray : any::kMap, inside);
  return true;
}

// A value that is matched as a text: all but arrays and maps, and those that lie too deep, which
// are masked whole.
bool Redactor::rewrite_text(const AnyValueView& value, bool nested, std::string& out) {
  const std::string spelled = value.is_string() ? std::string() : collector_text(value);
  const std::string_view text = value.is_string() ? value.as_string() : spelled;
  if (allowed(text)) {
    // The Collector does not tell of a body that is allowed as a whole.
    if (!path_.empty()) note(report_.allowed, path_);
    return false;
  }
  std::string result;
  if (nested)
    mask_all(text, result);
  else if (!changed_in_body(text, result))
    return false;
  note(report_.masked, path_.empty() ? "body" : std::string_view(path_));
  out.clear();
  proto::Writer(out).bytes(any::kString, result);
  return true;
}

// Writes a pair of a map as it may stay, if it may; false where nothing changes.
bool Redactor::rewrite_pair(const proto::Field& field, int depth, proto::Writer& writer,
                            std::string& child) {
  proto::Reader pair(field.bytes);
  proto::Field part;
  std::string_view name;
  std::string_view content;
  while (pair.next(part)) {
    if (part.type != proto::Type::Bytes) continue;
    if (part.number == otlp::key_value::kKey) name = part.bytes;
    if (part.number == otlp::key_value::kValue) content = part.bytes;
  }
  const size_t outside = enter(name);
  const Fate fate_of_key = fate(name);
  bool rewritten = false;
  if (fate_of_key == Fate::Ignore) {
    note(report_.ignored, path_);
  } else if (fate_of_key == Fate::Redact) {
    note(report_.redacted, path_);
  } else if (fate_of_key == Fate::Mask) {
    note(report_.masked, path_);
    std::string result;
    mask_all(AnyValueView(content).as_string(), result);
    child.clear();
    proto::Writer(child).bytes(any::kString, result);
    rewritten = true;
  } else {
    rewritten = rewrite_value(content, depth + 1, child);
  }
  path_.resize(outside);
  if (fate_of_key == Fate::Redact) return true;
  if (!rewritten) {
    writer.raw(field.raw);
    return false;
  }
  writer.nested(otlp::list::kValues, [&] {
    writer.bytes(otlp::key_value::kKey, name);
    writer.bytes(otlp::key_value::kValue, child);
  });
  return true;
}

}  // namespace sonde::redaction
