// SPDX-License-Identifier: Apache-2.0
#include "components/exporter/prometheus/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/utf8.h"
#include "components/exporter/prometheus/naming.h"

namespace sonde::prometheus {
namespace {

constexpr size_t kMostChoices = 16;

bool is_plain(char c, bool first, NameOf what) {
  return is_letter(c) || c == '_' || (c == ':' && what == NameOf::Metric) ||
         (is_digit(c) && !first);
}

// Of valid UTF-8.
uint32_t code_point(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes[0]);
  uint32_t code = bytes.size() == 1   ? first
                  : bytes.size() == 2 ? first & 0x1Fu
                  : bytes.size() == 3 ? first & 0x0Fu
                                      : first & 0x07u;
  for (const char c : bytes.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
  return code;
}

// Cuts off what comes before the sign, or everything.
std::string_view take(std::string_view& rest, char sign) {
  const size_t end = std::min(rest.find(sign), rest.size());
  const std::string_view part = trimmed(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

struct Choice {
  std::string_view type, version, escaping;
  double weight = 1;
};

Choice read_choice(std::string_view text) {
  Choice choice;
  choice.type = take(text, ';');
  while (!text.empty()) {
    std::string_view value = take(text, ';');
    const std::string_view name = take(value, '=');
    if (value.size() > 1 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    if (name == "version") choice.version = value;
    if (name == "escaping") choice.escaping = value;
    if (name == "q") std::from_chars(value.data(), value.data() + value.size(), choice.weight);
  }
  return choice;
}

constexpr std::pair<std::string_view, Escaping> kEscapings[] = {
    {"underscores", Escaping::Underscores},
    {"dots", Escaping::Dots},
    {"values", Escaping::Values},
    {"allow-utf-8", Escaping::None}};

}  // namespace

bool is_plain_name(std::string_view name, NameOf what) {
  for (size_t i = 0; i < name.size(); ++i) {
    if (!is_plain(name[i], i == 0, what)) return false;
  }
  return !name.empty();
}

std::string escape_name(std::string_view name, NameOf what, Escaping how) {
  if (is_plain_name(name, what)) return std::string(name);
  std::string out = how == Escaping::Values ? "U__" : "";
  for (bool first = true; !name.empty(); first = false) {
    const size_t size = utf8_sequence(name);
    const std::string_view one = size == 0 ? kReplacementCharacter : name.substr(0, size);
    name.remove_prefix(std::max<size_t>(size, 1));
    const bool stays = one.size() == 1 && is_plain(one[0], first, what);
    const bool doubled = one == "_" && (how == Escaping::Dots || how == Escaping::Values);
    if (doubled) {
      out += "__";
    } else if (stays || how == Escaping::None) {
      out += one;
    } else if (how == Escaping::Underscores) {
      out += '_';
    } else if (how == Escaping::Dots) {
      out += one == "." ? "_dot_" : "__";
    } else {
      out += fmt::format("_{:x}_", code_point(one));
    }
  }
  return out;
}

std::string escape_labels(std::string_view labels, Escaping how) {
  if (how == Escaping::None) return std::string(labels);
  std::vector<std::pair<std::string, std::string>> written;  // Names, and values as ="text".
  std::map<std::string, size_t> places;
  // A backslash takes the next character along.
  const auto end_of_text = [&](size_t begin) {
    size_t end = begin + 1;
    while (end < labels.size() && labels[end] != '"') end += labels[end] == '\\' ? 2 : 1;
    return std::min(end + 1, labels.size());
  };
  for (size_t at = 0; at < labels.size();) {
    if (labels[at] == ',') ++at;
    std::string name;
    if (labels[at] == '"') {
      const size_t end = end_of_text(at);
      for (size_t i = at + 1; i + 1 < end; ++i) {
        const bool escaped = labels[i] == '\\';
        if (escaped) ++i;
        name += escaped && labels[i] == 'n' ? '\n' : labels[i];
      }
      at = end;
    } else {
      const size_t end = std::min(labels.find('=', at), labels.size());
      name = labels.substr(at, end - at);
      at = end;
    }
    const size_t end = at + 1 < labels.size() ? end_of_text(at + 1) : labels.size();
    name = escape_name(name, NameOf::Label, how);
    if (name == "__name__") name.insert(0, "exported_");
    const std::string_view value = labels.substr(at, end - at);
    at = end;
    const auto [place, made] = places.try_emplace(name, written.size());
    if (made) {
      written.emplace_back(std::move(name), value);
    } else if (std::string& first = written[place->second].second;
               first != value && first.ends_with('"') && value.starts_with("=\"")) {
      first.back() = ';';
      first.append(value.substr(2));
    }
  }
  std::string out;
  for (const auto& [name, value] : written) {
    out.append(out.empty() ? "" : ",").append(name).append(value);
  }
  return out;
}

void append_name(std::string& out, std::string_view name, NameOf what) {
  if (is_plain_name(name, what)) {
    out += name;
    return;
  }
  append_quoted(out, name);
}

std::string Exposition::content_type() const {
  const auto* const scheme =
      std::ranges::find(kEscapings, escaping, &std::pair<std::string_view, Escaping>::second);
  return fmt::format("{}; charset=utf-8; escaping={}",
                     !open_metrics      ? "text/plain; version=0.0.4"
                     : old_open_metrics ? "application/openmetrics-text; version=0.0.1"
                                        : "application/openmetrics-text; version=1.0.0",
                     scheme->first);
}

Exposition negotiate(std::string_view accept, bool open_metrics_offered) {
  std::vector<Choice> choices;
  while (!accept.empty() && choices.size() < kMostChoices) {
    choices.push_back(read_choice(take(accept, ',')));
  }
  std::ranges::stable_sort(choices, std::greater(), &Choice::weight);
  Exposition exposition;
  for (const Choice& choice : choices) {
    // As Prometheus' own servers: what a choice says of names holds for those behind it as well.
    for (const auto& [name, escaping] : kEscapings) {
      if (name == choice.escaping) exposition.escaping = escaping;
    }
    if (equals_ignoring_case(choice.type, "text/plain") &&
        (choice.version.empty() || choice.version == "0.0.4")) {
      return exposition;
    }
    if (open_metrics_offered && equals_ignoring_case(choice.type, "application/openmetrics-text") &&
        (choice.version.empty() || choice.version == "0.0.1" || choice.version == "1.0.0")) {
      exposition.open_metrics = true;
      exposition.old_open_metrics = choice.version != "1.0.0";
      return exposition;
    }
  }
  return exposition;
}

}  // namespace sonde::prometheus
