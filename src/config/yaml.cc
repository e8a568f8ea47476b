// SPDX-License-Identifier: Apache-2.0
#include "config/yaml.h"

#include <yaml.h>

#include <algorithm>
#include <map>

#include "config/expand.h"
#include "config/problems.h"
#include "config/providers.h"
#include "config/scalar.h"

namespace sonde::config {
namespace {

constexpr int kMaxDepth = 100;
// Aliases copy what they name, so this is what keeps a small file from growing without end.
constexpr size_t kMaxValues = 200'000;
constexpr size_t kMaxBytes = size_t{64} << 20;  // Of texts and keys that aliases repeat.

std::string_view view(const yaml_char_t* text, size_t size) {
  return {reinterpret_cast<const char*>(text), size};
}

std::string text_of(const yaml_char_t* text) {
  return text ? std::string(reinterpret_cast<const char*>(text)) : std::string();
}

class Parser {
 public:
  explicit Parser(std::shared_ptr<const Source> source) : source_(std::move(source)) {
    yaml_parser_initialize(&parser_);
    yaml_parser_set_input_string(&parser_,
                                 reinterpret_cast<const unsigned char*>(source_->text.data()),
                                 source_->text.size());
  }
  ~Parser() {
    yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  Result<Value> document(std::vector<std::string>* warnings) {
    TRY(next());  // STREAM-START
    TRY(next());
    if (event_.type == YAML_STREAM_END_EVENT) return Value{};
    TRY(next());
    Value root = TRY(node(0));
    TRY(next());  // DOCUMENT-END
    if (warnings && next() && event_.type != YAML_STREAM_END_EVENT) {
      warnings->push_back(here().to_string() +
                          ": only the first document of a file is read; this one is left out");
    }
    return root;
  }

 private:
  Result<> next() {
    yaml_event_delete(&event_);
    if (yaml_parser_parse(&parser_, &event_)) return {};
    Position position{source_, static_cast<uint32_t>(parser_.problem_mark.line + 1),
                      static_cast<uint32_t>(parser_.problem_mark.column + 1)};
    std::string message = parser_.problem ? parser_.problem : "this is not YAML";
    if (parser_.context) message = std::string(parser_.context) + ": " + message;
    return fail_at(position, message, Show::Masked);
  }

  Position here() const {
    return {source_, static_cast<uint32_t>(event_.start_mark.line + 1),
            static_cast<uint32_t>(event_.start_mark.column + 1)};
  }

  static std::unexpected<Error> exhausted(const Position& position, std::string_view message) {
    return fail(ErrorKind::Exhausted, describe(position, message));
  }

  struct Size {
    size_t values = 0;
    size_t bytes = 0;
  };
  Result<> count(Size size, const Position& position) {
    made_.values += size.values;
    made_.bytes += size.bytes;
    if (made_.values <= kMaxValues && made_.bytes <= kMaxBytes) return {};
    return exhausted(position, "the configuration has too many values; are aliases nested?");
  }

  // Reads the node whose first event is the current one.
  Result<Value> node(int depth) {
    const Position position = here();
    TRY(count({.values = 1}, position));
    if (depth > kMaxDepth) return exhausted(position, "values are nested too deeply");
    Value value;
    std::string anchor;
    switch (event_.type) {
      case YAML_ALIAS_EVENT:
        return alias(position);
      case YAML_SCALAR_EVENT:
        anchor = text_of(event_.data.scalar.anchor);
        value = TRY(scalar(position));
        break;
      case YAML_SEQUENCE_START_EVENT:
        anchor = text_of(event_.data.sequence_start.anchor);
        value = Value::list();
        for (TRY(next()); event_.type != YAML_SEQUENCE_END_EVENT; TRY(next())) {
          value.items.push_back(TRY(node(depth + 1)));
        }
        break;
      case YAML_MAPPING_START_EVENT:
        anchor = text_of(event_.data.mapping_start.anchor);
        value = TRY(mapping(depth));
        break;
      default:
        return fail_at(position, "a value was expected here");
    }
    value.position = position;
    if (!anchor.empty()) {
      TRY(count(size_of(value), position));
      anchors_[anchor] = value;
    }
    return value;
  }

  Result<Value> alias(const Position& position) {
    const std::string name = reinterpret_cast<const char*>(event_.data.alias.anchor);
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) {
      return fail_at(position,
                     "nothing above is anchored with & and this name; a text that begins with * "
                     "needs quotes",
                     Show::Masked);
    }
    TRY(count(size_of(found->second), position));
    return found->second;
  }

  static Size size_of(const Value& value) {
    Size total{1, value.text.size()};
    const auto add = [&](const Value& part) {
      const Size size = size_of(part);
      total.values += size.values;
      total.bytes += size.bytes;
    };
    for (const Value& item : value.items) add(item);
    for (const Entry& entry : value.entries) {
      total.bytes += entry.key.size();
      add(entry.value);
    }
    return total;
  }

  Result<Value> scalar(const Position& position) {
    Value value;
    const auto& data = event_.data.scalar;
    value.text = view(data.value, data.length);
    const std::string tag = text_of(data.tag);
    if (!tag.empty() && tag != "!") {
      if (auto fits = resolve_tagged(value, tag); !fits) {
        return fail_at(position, fits.error().message, Show::Masked);
      }
    } else if (data.style != YAML_PLAIN_SCALAR_STYLE) {
      value.type = Value::Type::String;
    } else {
      resolve_plain(value);
    }
    return value;
  }

  // A key that is no string is spelt the way Go prints it, as the Collector does below the root.
  static std::string key_text(const Value& key) {
    switch (key.type) {
      case Value::Type::Null:
        return "<nil>";
      case Value::Type::Bool:
        return key.boolean ? "true" : "false";
      case Value::Type::Int:
        return key.above_int64 ? std::to_string(static_cast<uint64_t>(key.integer))
                               : std::to_string(key.integer);
      default:
        return key.text;
    }
  }

  Result<Value> mapping(int depth) {
    Value map = Value::map();
    std::vector<Value> merged;
    // A map with many keys is looked up by this index, so that a long file is not quadratic.
    std::map<std::string, uint32_t, std::less<>> lines;
    bool merge_seen = false;
    for (TRY(next()); event_.type != YAML_MAPPING_END_EVENT; TRY(next())) {
      const Position position = here();
      const bool merges = event_.type == YAML_SCALAR_EVENT &&
                          event_.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                          view(event_.data.scalar.value, event_.data.scalar.length) == "<<";
      const Value key = TRY(node(depth + 1));
      if (!key.is_scalar()) return fail_at(position, "a key must be a word");
      if (depth == 0 && !merges && key.type != Value::Type::String) {
        return fail_at(position, "a key at this level must be a string; put it in quotes");
      }
      TRY(next());
      Value value = TRY(node(depth + 1));
      if (merges) {
        if (std::exchange(merge_seen, true)) return fail_at(position, "duplicate key \"<<\"");
        TRY(collect_merge(std::move(value), position, merged));
        continue;
      }
      std::string name = key_text(key);
      if (const auto [at, fresh] = lines.emplace(name, position.line); !fresh) {
        return fail_at(position, "duplicate key \"" + name + "\", first written on line " +
                                     std::to_string(at->second));
      }
      map.entries.push_back({std::move(name), position, std::move(value)});
    }
    // What is written in the map itself wins, then the merged maps in their order.
    for (Value& source : merged) {
      for (Entry& entry : source.entries) {
        if (lines.emplace(entry.key, 0).second) map.entries.push_back(std::move(entry));
      }
    }
    return map;
  }

  Result<> collect_merge(Value value, const Position& position, std::vector<Value>& merged) {
    if (value.is_map()) {
      merged.push_back(std::move(value));
      return {};
    }
    const bool maps = value.is_list() && std::ranges::all_of(value.items, &Value::is_map);
    if (!maps) return fail_at(position, "\"<<\" merges a map or a list of maps");
    for (Value& item : value.items) merged.push_back(std::move(item));
    return {};
  }

  yaml_parser_t parser_{};
  yaml_event_t event_{};
  std::shared_ptr<const Source> source_;
  std::map<std::string, Value> anchors_;
  Size made_;
};

}  // namespace

Result<Value> read_yaml(std::shared_ptr<const Source> source, std::vector<std::string>* warnings) {
  return Parser(std::move(source)).document(warnings);
}

Result<Value> parse_yaml(std::string_view text, std::string_view file,
                         const Environment& environment) {
  Value root = TRY(read_yaml(
      std::make_shared<const Source>(Source{std::string(file), std::string(text), true})));
  Providers providers;
  providers.emplace("env", environment_provider(environment));
  Expander expander(providers);
  root = split_keys(std::move(root));
  Problems problems;
  expander.expand(root, problems);
  TRY(problems.result());
  return root;
}

Value merge(Value base, Value overlay) {
  if (!base.is_map() || !overlay.is_map()) return overlay;
  for (Entry& entry : overlay.entries) {
    if (Value* old = base.find(entry.key)) {
      *old = merge(std::move(*old), std::move(entry.value));
    } else {
      base.entries.push_back(std::move(entry));
    }
  }
  return base;
}

Value split_keys(Value value) {
  if (!value.is_map()) return value;
  Value out = Value::map();
  out.position = value.position;
  bool split = false;
  for (Entry& entry : value.entries) {
    Value inner = split_keys(std::move(entry.value));
    std::vector<std::string> parts;
    std::string_view rest = entry.key;
    for (size_t at = rest.find("::"); at != std::string_view::npos; at = rest.find("::")) {
      parts.emplace_back(rest.substr(0, at));
      rest.remove_prefix(at + 2);
    }
    std::string key(rest);
    // A key of nothing but colons would make a tree as deep as it is long.
    for (; !parts.empty() && parts.size() <= kMaxDepth; parts.pop_back()) {
      Value outer = Value::map();
      outer.position = entry.position;
      outer.entries.push_back({std::move(key), entry.position, std::move(inner)});
      inner = std::move(outer);
      key = std::move(parts.back());
      split = true;
    }
    out.entries.push_back({std::move(key), entry.position, std::move(inner)});
  }
  if (!split) return out;
  Value joined = Value::map();
  joined.position = out.position;
  for (Entry& entry : out.entries) {
    if (Value* old = joined.find(entry.key)) {
      *old = merge(std::move(*old), std::move(entry.value));
    } else {
      joined.entries.push_back(std::move(entry));
    }
  }
  return joined;
}

}  // namespace sonde::config
