// SPDX-License-Identifier: Apache-2.0
//
// The one decoder: walks a Value beside a field table and fills the struct in.
#include <algorithm>

#include "base/log.h"
#include "config/internal/slot.h"

namespace sonde::config {
namespace {

Result<> decode_into(const Slot& slot, const Value& value);

// "a,b" where a list is wanted is the list of its parts, as the Collector has it.
Value split_list(const Value& value) {
  Value list = Value::list();
  list.position = value.position;
  std::string_view rest = value.text;
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    Value item = Value::string(rest.substr(0, comma));
    item.position = value.position;
    list.items.push_back(std::move(item));
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
    if (rest.empty()) list.items.push_back(Value::string({}));
  }
  return list;
}

Result<> decode_list(const Slot& slot, const Value& value) {
  if (value.type == Value::Type::String && !slot.options.unsplit)
    return decode_list(slot, split_list(value));
  if (!value.is_list()) return slot.wrong_type(value, "a list");
  slot.ops.clear(slot.out);
  Problems problems;
  for (size_t i = 0; i < value.items.size(); ++i) {
    void* element = slot.ops.append(slot.out, {});
    const Slot inner{*slot.ops.element, slot.options, slot.nested, element,
                     slot.path + "::" + std::to_string(i)};
    problems.ok(decode_into(inner, value.items[i]));
  }
  return problems.result();
}

Result<Value> map_of_pairs(const Slot& slot, const Value& list) {
  Value map = Value::map();
  map.position = list.position;
  for (const Value& pair : list.items) {
    if (!pair.is_map() && !pair.is_null()) {
      return slot.fail(pair, "expected a map of `name` and `value`");
    }
    // What a pair does not say is empty, as for the Collector.
    Entry made{{}, pair.position, Value::string({})};
    for (const Entry& part : pair.entries) {
      if (part.key == "value") {
        made.value = part.value;
      } else if (part.key != "name") {
        return slot.fail(pair, "expected a map of `name` and `value`");
      } else if (part.value.type == Value::Type::String || part.value.expanded) {
        made.key = part.value.text;
        made.position = part.value.position;
      } else if (!part.value.is_null()) {
        return slot.wrong_type(part.value, "a string");
      }
    }
    if (map.find(made.key)) return slot.fail(pair, "a name is there twice");
    map.entries.push_back(std::move(made));
  }
  return map;
}

// A default map keeps the entries that the value does not name.
Result<> decode_map(const Slot& slot, const Value& value) {
  if (value.is_list() && slot.options.pairs) {
    return decode_map(slot, TRY(map_of_pairs(slot, value)));
  }
  if (!value.is_map()) return slot.wrong_type(value, "a map");
  Problems problems;
  for (const Entry& entry : value.entries) {
    void* element = slot.ops.append(slot.out, entry.key);
    const Slot inner{*slot.ops.element, slot.options, slot.nested, element,
                     slot.path + "::" + entry.key};
    problems.ok(decode_into(inner, entry.value));
  }
  return problems.result();
}

bool has_field(const FieldTable& table, std::string_view name) {
  for (size_t i = 0; i < table.size(); ++i) {
    const FieldInfo info = table.info(i);
    if (info.name == name) return true;
    if (info.name.empty() && info.nested && has_field(*info.nested, name)) return true;
  }
  return false;
}

// `protocols: {grpc:}` means the default gRPC settings: a null makes an optional struct, but leaves
// an optional scalar unset. `enabled: false` takes a section away, and what is in it must be right
// all the same.
Result<> decode_optional(const Slot& slot, const Value& value) {
  const bool absent = slot.options.pointer || (slot.options.null_is_absent && !value.expanded);
  if (value.is_null() && (slot.nested == nullptr || absent)) {
    slot.ops.clear(slot.out);
    return {};
  }
  // An unset variable is no reason to make a section's settings zero, nor to take it away: without
  // the file that was to have a certificate, a server would be open to all.
  if (value.is_null() && value.expanded) {
    (void)slot.ops.append(slot.out, {});
    return {};
  }
  const auto inner = [&] {
    return Slot{*slot.ops.element, slot.options, slot.nested, slot.ops.append(slot.out, {}),
                slot.path};
  };
  const bool switchable = !slot.options.pointer && !slot.options.no_enabled &&
                          slot.ops.element->shape == Shape::Struct &&
                          !has_field(*slot.nested, "enabled");
  const Value* enabled = switchable ? value.find("enabled") : nullptr;
  if (!enabled) return decode_into(inner(), value);
  if (enabled->type != Value::Type::Bool) {
    return fail_at(enabled->position, slot.path + "::enabled: expected true or false, got " +
                                          std::string(type_name(enabled->type)));
  }
  const bool keep = enabled->boolean;
  Value rest = value;
  std::erase_if(rest.entries, [](const Entry& entry) { return entry.key == "enabled"; });
  TRY(decode_into(inner(), rest));
  if (!keep) slot.ops.clear(slot.out);
  return {};
}

Result<> clear_members(const FieldTable& table, void* object, const Value& null,
                       const std::string& path);

// A null is the zero of a scalar and leaves a list, a map and a section as they are, as for the
// Collector. An unset variable that stands for a whole section makes zeros of all its settings.
Result<> decode_null(const Slot& slot, const Value& value) {
  Value zero = Value::integer_value(0);
  zero.position = value.position;
  if (slot.options.not_null) return slot.wrong_type(value, "true or false");
  switch (slot.ops.shape) {
    case Shape::Bool:
      *static_cast<bool*>(slot.out) = false;
      return {};
    case Shape::Integer:
    case Shape::Double:
    case Shape::Duration:
      return decode_scalar(slot, zero);
    case Shape::String:
      if (slot.options.null_is_absent) return {};
      if (const std::string_view choices = slot.options.choices; !choices.empty()) {
        if (choices.starts_with('|')) return {};
        return slot.fail(value, "must be one of " + listed(choices) + ", is null");
      }
      static_cast<std::string*>(slot.out)->clear();
      return {};
    case Shape::Struct:
      if (!value.expanded || slot.options.unset_keeps) return {};
      return clear_members(*slot.nested, slot.out, value, slot.path);
    case Shape::Optional:
      return decode_optional(slot, value);
    case Shape::Any:
      *static_cast<Value*>(slot.out) = value;
      return {};
    case Shape::List:
    case Shape::Map:
      return {};
  }
  return {};
}

Result<> decode_into(const Slot& slot, const Value& value) {
  // Where the text of a variable says null, a string is that text.
  const bool word = value.expanded && !value.text.empty() && slot.ops.shape == Shape::String;
  if (value.is_null() && !word) return decode_null(slot, value);
  switch (slot.ops.shape) {
    case Shape::Struct:
      return decode(value, *slot.nested, slot.out, slot.path);
    case Shape::Optional:
      return decode_optional(slot, value);
    case Shape::List:
      return decode_list(slot, value);
    case Shape::Map:
      return decode_map(slot, value);
    default:
      return decode_scalar(slot, value);
  }
}

// A row with the object it belongs to: embedded structs are laid flat.
struct Row {
  FieldInfo info;
  void* out;
};

void flatten(const FieldTable& table, void* object, std::vector<Row>& rows) {
  for (size_t i = 0; i < table.size(); ++i) {
    const FieldInfo info = table.info(i);
    void* member = table.member(i, object);
    if (info.name.empty() && info.nested) {
      flatten(*info.nested, member, rows);
    } else {
      rows.push_back({info, member});
    }
  }
}

Result<> clear_members(const FieldTable& table, void* object, const Value& null,
                       const std::string& path) {
  std::vector<Row> rows;
  flatten(table, object, rows);
  Value nothing;
  nothing.expanded = true;
  nothing.position = null.position;
  Problems problems;
  for (const Row& row : rows) {
    if (row.info.ops->shape == Shape::Optional) {
      row.info.ops->clear(row.out);
      continue;
    }
    problems.ok(decode_into({*row.info.ops, row.info.options, row.info.nested, row.out,
                             path + "::" + std::string(row.info.name)},
                            nothing));
  }
  return problems.result();
}

}  // namespace

Result<> decode(const Value& value, const FieldTable& table, void* out, std::string_view path) {
  std::vector<Row> rows;
  flatten(table, out, rows);
  if (!value.is_map() && !value.is_null()) {
    return fail_at(value.position, std::string(path) + ": expected a map of settings, got " +
                                       std::string(type_name(value.type)));
  }
  Problems problems;
  std::vector<bool> seen(rows.size());
  for (const Entry& entry : value.entries) {
    const auto row = std::ranges::find_if(rows, [&](const Row& r) {
      return r.info.name == entry.key ||
             (!r.info.options.alias.empty() && r.info.options.alias == entry.key);
    });
    if (row == rows.end()) {
      std::vector<std::string_view> names;
      for (const Row& r : rows) names.push_back(r.info.name);
      std::string message = std::string(path) + ": unknown key " + quoted(entry.key);
      problems.add(entry.position, message + suggestion(entry.key, names));
      continue;
    }
    const std::string field_path = std::string(path) + "::" + entry.key;
    const size_t index = static_cast<size_t>(row - rows.begin());
    if (seen[index]) {
      problems.add(entry.position, field_path + ": " + quoted(row->info.name) +
                                       " is set twice, once by its older name");
      continue;
    }
    seen[index] = true;
    if (!row->info.options.deprecated.empty()) {
      log_warn("{}: {} is deprecated: {}", entry.position.to_string(), field_path,
               row->info.options.deprecated);
    }
    const Slot slot{*row->info.ops, row->info.options, row->info.nested, row->out, field_path};
    problems.ok(decode_into(slot, entry.value));
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].info.options.required && !seen[i]) {
      problems.add(value.position, std::string(path) + ": " + quoted(rows[i].info.name) +
                                       " is required: " + std::string(rows[i].info.help));
    }
  }
  return problems.result();
}

}  // namespace sonde::config
