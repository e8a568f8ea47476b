// SPDX-License-Identifier: Apache-2.0
#include "app/reference.h"

#include <fmt/core.h>

#include <vector>

#include "config/reference.h"

namespace sonde::app {
namespace {

using pipeline::ComponentType;
using pipeline::Kind;
using pipeline::Signals;

constexpr Kind kKinds[] = {Kind::Receiver, Kind::Processor, Kind::Exporter, Kind::Connector,
                           Kind::Extension};

std::string signals(Signals set) {
  std::string out;
  for (const Signal signal : kSignals) {
    if (set.has(signal)) out += fmt::format("{}{}", out.empty() ? "" : ", ", to_string(signal));
  }
  return out;
}

void describe(const ComponentType& type, std::string& out) {
  out += fmt::format("### {} `{}`\n\n{}", pipeline::kind_name(type.kind), type.name, type.summary);
  if (type.in.any()) out += fmt::format(" Takes {}.", signals(type.in));
  if (type.out.any()) out += fmt::format(" Gives {}.", signals(type.out));
  out += fmt::format(" Stability: {}.", type.stability);
  if (!type.aliases.empty()) {
    out += " Older names:";
    for (const std::string_view alias : type.aliases) {
      out += fmt::format("{} `{}`", alias == type.aliases.front() ? "" : ",", alias);
    }
    out += '.';
  }
  const std::string settings = type.fields ? config::reference_list(*type.fields) : std::string();
  out += settings.empty() ? "\n\nIt has no settings.\n" : "\n\n" + settings;
}

}  // namespace

std::string components_reference(std::span<const ComponentType* const> types) {
  std::string out =
      "# Components and their settings\n\nMade by `sonde components --reference`; `sonde "
      "components "
      "NAME` shows one. A setting has its type and its default in parentheses; `a.b` is `b` inside "
      "`a`, `a[].b` is `b` in each entry of the list `a`, `a.*.b` in each value of the map `a`.\n";
  for (const Kind kind : kKinds) {
    std::string name(pipeline::kind_name(kind));
    out += fmt::format("\n## {:c}{}s\n", name[0] - 'a' + 'A', name.substr(1));
    for (const ComponentType* type : types) {
      if (type->kind != kind) continue;
      out += '\n';
      describe(*type, out);
    }
  }
  return out;
}

Result<std::string> component_reference(std::span<const ComponentType* const> types,
                                        std::string_view name) {
  std::string out;
  std::vector<std::string_view> names;
  for (const ComponentType* type : types) {
    names.push_back(type->name);
    if (!type->answers_to(name)) continue;
    if (!out.empty()) out += '\n';
    describe(*type, out);
  }
  if (!out.empty()) return out;
  const std::string_view nearest = config::nearest(name, names);
  return fail(ErrorKind::NotFound,
              fmt::format("there is no component \"{}\"{}", name,
                          nearest.empty() ? "; `sonde components` lists all"
                                          : fmt::format("; did you mean \"{}\"?", nearest)));
}

}  // namespace sonde::app
