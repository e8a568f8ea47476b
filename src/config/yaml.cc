// SPDX-License-Identifier: Apache-2.0
#include "config/yaml.h"

#include <yaml.h>

#include <algorithm>
#include <map>

#include "config/field.h"
#include "config/scalar.h"

namespace sonde::config {
namespace {

constexpr int kMaxDepth = 100;
// Aliases copy what they name, so this is what keeps a small file from growing without end.
constexpr size_t kMaxValues = 200'000;

std::string_view view(const yaml_char_t* text, size_t size) {
  return {reinterpret_cast<const char*>(text), size};
}

class Parser {
 public:
  Parser(std::string_view text, std::string_view file, const Environment& environment)
      : file_(std::make_shared<const std::string>(file)), environment_(environment) {
    yaml_parser_initialize(&parser_);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  ~Parser() {
    yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  Result<Value> document() {
    TRY(next());  // STREAM-START
    TRY(next());
    if (event_.type == YAML_STREAM_END_EVENT) return Value{};
    TRY(next());
    Value root = TRY(node(0));
    TRY(next());  // DOCUMENT-END
    TRY(next());
    if (event_.type != YAML_STREAM_END_EVENT) {
      return fail_at(here(), "a configuration is one document; there is a second \"---\"");
    }
    return root;
  }

 private:
  Result<> next() {
    yaml_event_delete(&event_);
    if (yaml_parser_parse(&parser_, &event_)) return {};
    Position position{file_, static_cast<uint32_t>(parser_.problem_mark.line + 1),
                      static_cast<uint32_t>(parser_.problem_mark.column + 1)};
    std::string message = parser_.problem ? parser_.problem : "this is not YAML";
    if (parser_.context) message = std::string(parser_.context) + ": " + message;
    return fail_at(position, message);
  }

  Position here() const {
    return {file_, static_cast<uint32_t>(event_.start_mark.line + 1),
            static_cast<uint32_t>(event_.start_mark.column + 1)};
  }

  Result<> count(size_t values, const Position& position) {
    made_ += values;
    if (made_ <= kMaxValues) return {};
    return fail_at(position, "the configuration has too many values; are aliases nested?");
  }

  // Reads the node whose first event is the current one.
  Result<Value> node(int depth) {
    const Position position = here();
    TRY(count(1, position));
    if (depth > kMaxDepth) return fail_at(position, "values are nested too deeply");
    Value value;
    std::string anchor;
    switch (event_.type) {
      case YAML_ALIAS_EVENT:
        return alias(position);
      case YAML_SCALAR_EVENT:
        if (event_.data.scalar.anchor) {
          anchor = reinterpret_cast<const char*>(event_.data.scalar.anchor);
        }
        value = TRY(scalar(position));
        break;
      case YAML_SEQUENCE_START_EVENT:
        if (event_.data.sequence_start.anchor) {
          anchor = reinterpret_cast<const char*>(event_.data.sequence_start.anchor);
        }
        value = Value::list();
        for (TRY(next()); event_.type != YAML_SEQUENCE_END_EVENT; TRY(next())) {
          value.items.push_back(TRY(node(depth + 1)));
        }
        break;
      case YAML_MAPPING_START_EVENT:
        if (event_.data.mapping_start.anchor) {
          anchor = reinterpret_cast<const char*>(event_.data.mapping_start.anchor);
        }
        value = TRY(mapping(depth));
        break;
      default:
        return fail_at(position, "a value was expected here");
    }
    value.position = position;
    if (!anchor.empty()) anchors_[anchor] = value;
    return value;
  }

  Result<Value> alias(const Position& position) {
    const std::string name = reinterpret_cast<const char*>(event_.data.alias.anchor);
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) {
      return fail_at(position, "*" + name + " is not anchored above with &" + name);
    }
    TRY(count(size_of(found->second), position));
    return found->second;
  }

  static size_t size_of(const Value& value) {
    size_t total = 1;
    for (const Value& item : value.items) total += size_of(item);
    for (const Entry& entry : value.entries) total += size_of(entry.value);
    return total;
  }

  Result<Value> scalar(const Position& position) {
    Value value;
    const auto& data = event_.data.scalar;
    bool expanded = false;
    auto text = expand(view(data.value, data.length), environment_, expanded);
    if (!text) return fail_at(position, text.error().message);
    value.text = std::move(*text);
    const std::string_view tag =
        data.tag ? std::string_view(reinterpret_cast<const char*>(data.tag)) : std::string_view();
    if (tag == "tag:yaml.org,2002:str" || data.style != YAML_PLAIN_SCALAR_STYLE) {
      value.type = Value::Type::String;
    } else {
      resolve_plain(value);
    }
    return value;
  }

  Result<Value> mapping(int depth) {
    Value map = Value::map();
    std::vector<Value> merged;
    // A map with many keys is looked up by this index, so that a long file is not quadratic.
    std::map<std::string, uint32_t, std::less<>> lines;
    for (TRY(next()); event_.type != YAML_MAPPING_END_EVENT; TRY(next())) {
      const Position position = here();
      if (event_.type != YAML_SCALAR_EVENT) return fail_at(position, "a key must be a word");
      std::string key(view(event_.data.scalar.value, event_.data.scalar.length));
      const bool plain = event_.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
      TRY(next());
      Value value = TRY(node(depth + 1));
      if (plain && key == "<<") {
        TRY(collect_merge(std::move(value), position, merged));
        continue;
      }
      if (const auto [at, fresh] = lines.emplace(key, position.line); !fresh) {
        return fail_at(position, "duplicate key \"" + key + "\", first written on line " +
                                     std::to_string(at->second));
      }
      map.entries.push_back({std::move(key), position, std::move(value)});
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
  std::shared_ptr<const std::string> file_;
  const Environment& environment_;
  std::map<std::string, Value> anchors_;
  size_t made_ = 0;
};

}  // namespace

Result<Value> parse_yaml(std::string_view text, std::string_view file,
                         const Environment& environment) {
  Parser parser(text, file, environment);
  return parser.document();
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

}  // namespace sonde::config
