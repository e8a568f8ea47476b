// SPDX-License-Identifier: Apache-2.0
// The table of unit words follows the Collector's translator, so that dashboards written for it
// work.
#include "components/exporter/prometheus/naming.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/ascii.h"
#include "base/utf8.h"
#include "components/exporter/prometheus/names.h"

namespace sonde {
namespace prometheus {
namespace {

bool is_word(char c) { return is_alphanumeric(c) || c == '_'; }

struct Unit {
  std::string_view code, word;
};
constexpr Unit kUnits[] = {{"d", "days"},          {"h", "hours"},
                           {"min", "minutes"},     {"s", "seconds"},
                           {"ms", "milliseconds"}, {"us", "microseconds"},
                           {"ns", "nanoseconds"},  {"By", "bytes"},
                           {"TiBy", "tibibytes"},  {"KiBy", "kibibytes"},
                           {"MiBy", "mebibytes"},  {"GiBy", "gibibytes"},
                           {"KBy", "kilobytes"},   {"MBy", "megabytes"},
                           {"GBy", "gigabytes"},   {"TBy", "terabytes"},
                           {"m", "meters"},        {"V", "volts"},
                           {"A", "amperes"},       {"J", "joules"},
                           {"W", "watts"},         {"g", "grams"},
                           {"Cel", "celsius"},     {"Hz", "hertz"},
                           {"%", "percent"},       {"1", ""}};
constexpr Unit kPer[] = {{"s", "second"}, {"m", "minute"}, {"h", "hour"}, {"d", "day"},
                         {"w", "week"},   {"mo", "month"}, {"y", "year"}};

// Curly brackets say what is counted: that is no unit.
template <size_t N>
std::string_view lookup(const Unit (&table)[N], std::string_view code) {
  const size_t first = code.find_first_not_of(" \t");
  if (first == std::string_view::npos || code.find_first_of("{}") != std::string_view::npos) {
    return {};
  }
  code = code.substr(first, code.find_last_not_of(" \t") + 1 - first);
  for (const Unit& u : table) {
    if (u.code == code) return u.word;
  }
  return code;
}

struct UnitWords {
  std::string main, per;  // "bytes", "per_second"; each may be empty.
};
UnitWords words_of(std::string_view unit) {
  const size_t slash = std::min(unit.find('/'), unit.size());
  UnitWords words{std::string(lookup(kUnits, unit.substr(0, slash))), {}};
  const std::string_view per =
      slash == unit.size() ? std::string_view() : lookup(kPer, unit.substr(slash + 1));
  if (!per.empty()) words.per = fmt::format("per_{}", per);
  return words;
}

bool in_metric_name(char c) { return is_word(c) || c == ':'; }

// Runs of other characters, and of '_', become one '_'; none is left in front.
std::string clean_unit(std::string_view word) {
  std::string out;
  for (const char c : word) {
    const char to = in_metric_name(c) ? c : '_';
    if (to != '_' || (!out.empty() && !out.ends_with('_'))) out += to;
  }
  return out;
}

std::vector<std::string> split(std::string_view name, bool at_underscores) {
  std::vector<std::string> parts;
  bool open = false;
  for (const char c : name) {
    const bool stays = in_metric_name(c) && !(at_underscores && c == '_');
    if (stays && !open) parts.emplace_back();
    if (stays) parts.back() += c;
    open = stays;
  }
  return parts;
}

void put_last(std::vector<std::string>& parts, std::string_view word) {
  std::erase(parts, word);
  parts.emplace_back(word);
}

bool has(const std::vector<std::string>& parts, std::string_view word) {
  return std::ranges::find(parts, word) != parts.end();
}

void add_unit(std::vector<std::string>& parts, std::string_view unit) {
  const UnitWords words = words_of(unit);
  std::string main = clean_unit(words.main);
  std::string per = clean_unit(words.per);
  if (per.ends_with('_')) per.pop_back();
  if (per == "per" || has(parts, per)) per.clear();
  if (has(parts, main)) main.clear();
  if (!per.empty() && main.ends_with('_')) main.pop_back();
  if (!main.empty()) parts.push_back(main);
  if (!per.empty()) parts.push_back(per);
}

// With the character before it.
void drop_suffix(std::string& name, std::string_view suffix) {
  if (name.ends_with(suffix) && name.size() > suffix.size() + 1) {
    name.resize(name.size() - suffix.size() - 1);
  }
}

// The name with its suffixes, whatever is in it.
std::string name_as_it_is(const MetricNaming& naming, std::string_view name, std::string_view unit,
                          bool ratio, bool counter) {
  std::string out = naming.prefix.empty() ? "" : naming.prefix + "_";
  out += name;
  if (!naming.suffixes) return out;
  if (ratio) drop_suffix(out, "ratio");
  if (counter) drop_suffix(out, "total");
  const UnitWords words = words_of(unit);
  if (!words.per.empty()) drop_suffix(out, words.per);
  if (!words.main.empty() && !out.ends_with(words.main)) out += "_" + words.main;
  if (!words.per.empty()) out += "_" + words.per;
  if (counter) out += "_total";
  if (ratio) out += "_ratio";
  return out;
}

}  // namespace

std::string label_name(std::string_view key) {
  std::string out;
  while (!key.empty()) {
    const size_t size = std::max<size_t>(utf8_sequence(key), 1);
    out += is_word(key[0]) ? key[0] : '_';
    key.remove_prefix(size);
  }
  if (out.empty()) return "_";
  if (out[0] >= '0' && out[0] <= '9') out.insert(0, "key_");
  return out;
}

void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const size_t size = utf8_sequence(text);
    if (size == 0) {
      out.append(kReplacementCharacter);
      text.remove_prefix(1);
      continue;
    }
    if (text[0] == '\\') {
      out.append("\\\\");
    } else if (text[0] == '"') {
      out.append("\\\"");
    } else if (text[0] == '\n') {
      out.append("\\n");
    } else {
      out.append(text.substr(0, size));
    }
    text.remove_prefix(size);
  }
  out.push_back('"');
}

void append_label(std::string& labels, std::string_view name, std::string_view value) {
  if (!labels.empty()) labels.push_back(',');
  append_name(labels, name, NameOf::Label);
  labels.push_back('=');
  append_quoted(labels, value);
}

std::string number(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", v == std::trunc(v) && std::abs(v) < 1e15 ? fmt::format("{:.0f}", v)
                                                                    : fmt::format("{}", v));
}

std::string metric_name(const MetricNaming& naming, const MetricView& metric) {
  const bool counter = metric.kind == MetricView::Kind::Sum && metric.monotonic;
  const bool ratio = metric.unit == "1" && metric.kind == MetricView::Kind::Gauge;
  if (naming.utf8) return name_as_it_is(naming, metric.name, metric.unit, ratio, counter);
  std::vector<std::string> parts = split(metric.name, naming.suffixes);
  if (naming.suffixes) {
    add_unit(parts, metric.unit);
    if (counter) put_last(parts, "total");
    if (ratio) put_last(parts, "ratio");
  }
  if (!naming.prefix.empty()) parts.insert(parts.begin(), label_name(naming.prefix));
  std::string out;
  for (const std::string& part : parts) out.append(out.empty() ? "" : "_").append(part);
  if (out.empty()) return out;
  if (out[0] >= '0' && out[0] <= '9') out.insert(0, "_");
  return out;
}

}  // namespace prometheus
}  // namespace sonde
