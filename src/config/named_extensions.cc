// SPDX-License-Identifier: Apache-2.0
#include "config/named_extensions.h"

#include <optional>

namespace sonde::config {
namespace {

std::optional<FieldInfo> find_field(const FieldTable& table, std::string_view name) {
  for (size_t i = 0; i < table.size(); ++i) {
    const FieldInfo info = table.info(i);
    if (!info.name.empty() && (info.name == name || info.options.alias == name)) return info;
    if (info.name.empty() && info.nested) {
      if (auto found = find_field(*info.nested, name)) return found;
    }
  }
  return std::nullopt;
}

void look(const Value& value, const FieldTable& table, const std::string& path,
          std::vector<NamedExtension>& found);

void look_at(const Value& value, const FieldInfo& info, const std::string& path,
             std::vector<NamedExtension>& found) {
  if (info.options.extension && value.is_scalar()) {
    if (!value.text.empty()) found.push_back({value.text, path, value.position});
    return;
  }
  if (!info.nested) return;
  const Shape shape = info.ops->shape;
  if (shape == Shape::List) {
    for (size_t i = 0; i < value.items.size(); ++i) {
      look(value.items[i], *info.nested, path + "::" + std::to_string(i), found);
    }
  } else if (shape == Shape::Map) {
    for (const Entry& entry : value.entries) {
      look(entry.value, *info.nested, path + "::" + entry.key, found);
    }
  } else {
    look(value, *info.nested, path, found);
  }
}

void look(const Value& value, const FieldTable& table, const std::string& path,
          std::vector<NamedExtension>& found) {
  for (const Entry& entry : value.entries) {
    if (const auto info = find_field(table, entry.key)) {
      look_at(entry.value, *info, path + "::" + entry.key, found);
    }
  }
}

}  // namespace

std::vector<NamedExtension> named_extensions(const Value& value, const FieldTable& table,
                                             std::string_view path) {
  std::vector<NamedExtension> found;
  look(value, table, std::string(path), found);
  return found;
}

}  // namespace sonde::config
