// SPDX-License-Identifier: Apache-2.0
// The table of unit words follows the Collector's translator, so that dashboards written for it
// work.
#include "components/exporter/prometheus/naming.h"

#include <fmt/format.h>

#include <cmath>

#include "components/exporter/prometheus/metric_store.h"

namespace sonde {
namespace prometheus {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

struct Unit {
  std::string_view code, word;
};
constexpr Unit kUnits[] = {
    {"d", "days"},          {"h", "hours"},         {"min", "minutes"},    {"s", "seconds"},
    {"ms", "milliseconds"}, {"us", "microseconds"}, {"ns", "nanoseconds"}, {"By", "bytes"},
    {"KiBy", "kibibytes"},  {"MiBy", "mebibytes"},  {"GiBy", "gibibytes"}, {"KBy", "kilobytes"},
    {"MBy", "megabytes"},   {"GBy", "gigabytes"},   {"m", "meters"},       {"V", "volts"},
    {"A", "amperes"},       {"J", "joules"},        {"W", "watts"},        {"g", "grams"},
    {"Cel", "celsius"},     {"Hz", "hertz"},        {"%", "percent"},      {"1", ""}};
constexpr Unit kPer[] = {{"s", "second"}, {"m", "minute"}, {"min", "minute"}, {"h", "hour"},
                         {"d", "day"},    {"w", "week"},   {"mo", "month"},   {"y", "year"}};

template <size_t N>
std::string lookup(const Unit (&table)[N], std::string_view code) {
  if (code.starts_with('{')) return "";
  for (const Unit& u : table) {
    if (u.code == code) return std::string(u.word);
  }
  return code.empty() ? "" : label_name(code);
}

// Length of the valid UTF-8 sequence at the front, 0 when there is none.
size_t sequence(std::string_view s) {
  auto b = [&](size_t i) { return static_cast<unsigned char>(s[i]); };
  size_t n = b(0) < 0x80                     ? 1
             : (b(0) >= 0xC2 && b(0) < 0xE0) ? 2
             : (b(0) >= 0xE0 && b(0) < 0xF0) ? 3
             : (b(0) >= 0xF0 && b(0) < 0xF5) ? 4
                                             : 0;
  if (n == 0 || n > s.size()) return 0;
  for (size_t i = 1; i < n; i++) {
    if ((b(i) & 0xC0) != 0x80) return 0;
  }
  if (n == 3 && ((b(0) == 0xE0 && b(1) < 0xA0) || (b(0) == 0xED && b(1) >= 0xA0))) return 0;
  if (n == 4 && ((b(0) == 0xF0 && b(1) < 0x90) || (b(0) == 0xF4 && b(1) >= 0x90))) return 0;
  return n;
}

}  // namespace

std::string label_name(std::string_view key) {
  std::string out;
  for (char c : key) {
    char to = is_word(c) ? c : '_';
    if (to == '_' && out.ends_with('_') && c != '_') continue;
    out.push_back(to);
  }
  if (out.empty()) return "_";
  if (out[0] >= '0' && out[0] <= '9') out.insert(0, "key_");
  return out;
}

void append_label(std::string& labels, std::string_view name, std::string_view value) {
  if (!labels.empty()) labels.push_back(',');
  labels.append(name).append("=\"");
  while (!value.empty()) {
    size_t n = sequence(value);
    if (n == 0) {
      labels.append("\xEF\xBF\xBD");
      value.remove_prefix(1);
      continue;
    }
    if (value[0] == '\\') {
      labels.append("\\\\");
    } else if (value[0] == '"') {
      labels.append("\\\"");
    } else if (value[0] == '\n') {
      labels.append("\\n");
    } else {
      labels.append(value.substr(0, n));
    }
    value.remove_prefix(n);
  }
  labels.push_back('"');
}

std::string unit_word(std::string_view unit) {
  size_t slash = unit.find('/');
  std::string word = lookup(kUnits, unit.substr(0, slash));
  if (slash == std::string_view::npos) return word;
  std::string per = lookup(kPer, unit.substr(slash + 1));
  if (per.empty()) return word;
  return (word.empty() ? "" : word + "_") + "per_" + per;
}

std::string number(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", v == std::trunc(v) && std::abs(v) < 1e15 ? fmt::format("{:.0f}", v)
                                                                    : fmt::format("{}", v));
}

}  // namespace prometheus

std::string prometheus_name(std::string_view name, std::string_view unit, MetricView::Kind kind,
                            bool monotonic, bool suffixes) {
  std::string out;
  for (char c : prometheus::label_name(name)) {
    if (c == '_' && out.ends_with('_')) continue;
    out.push_back(c);
  }
  if (!suffixes) return out;
  while (out.ends_with('_')) out.pop_back();
  const bool counter = kind == MetricView::Kind::Sum && monotonic;
  if (counter && out.ends_with("_total")) out.resize(out.size() - 6);
  std::string word = prometheus::unit_word(unit);
  if (!word.empty() && !out.ends_with(word)) out += "_" + word;
  if (unit == "1" && kind == MetricView::Kind::Gauge && !out.ends_with("_ratio")) out += "_ratio";
  if (counter) out += "_total";
  return out;
}

}  // namespace sonde
