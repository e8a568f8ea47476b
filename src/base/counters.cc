// SPDX-License-Identifier: Apache-2.0
// The registry: a map under a mutex that is only held to look up and to print.
#include "base/counters.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

#include "base/check.h"

namespace sonde {
namespace {

struct Family {
  std::string help;
  bool is_counter = true;
  std::map<CounterLabels, std::unique_ptr<Counter>> counters;
  std::map<CounterLabels, std::unique_ptr<Gauge>> gauges;
  std::map<CounterLabels, std::function<double()>> sampled;
};

struct Registry {
  std::mutex mutex;
  std::map<std::string, Family, std::less<>> families;
};

// Never destroyed: counters are touched by threads and destructors that outlive main's statics.
Registry& registry() {
  static Registry& instance = *new Registry;
  return instance;
}

Family& family(Registry& r, std::string_view name, std::string_view help, bool is_counter) {
  auto found = r.families.find(name);
  if (found == r.families.end()) {
    found = r.families.emplace(std::string(name), Family{}).first;
    found->second.help = help;
    found->second.is_counter = is_counter;
  }
  CHECK(found->second.is_counter == is_counter, "one name is used for a counter and a gauge");
  return found->second;
}

template <class Value>
Value& entry(std::map<CounterLabels, std::unique_ptr<Value>>& entries, CounterLabels labels) {
  std::sort(labels.begin(), labels.end());
  auto& slot = entries[std::move(labels)];
  if (!slot) slot = std::make_unique<Value>();
  return *slot;
}

std::string escape(std::string_view text, bool quote) {
  std::string out;
  for (char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quote) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

void append_labels(std::string& out, const CounterLabels& labels) {
  if (labels.empty()) return;
  char separator = '{';
  for (const auto& [key, value] : labels) {
    out += fmt::format("{}{}=\"{}\"", separator, key, escape(value, true));
    separator = ',';
  }
  out += '}';
}

}  // namespace

Counter& counter(std::string_view name, std::string_view help, const CounterLabels& labels) {
  Registry& r = registry();
  std::lock_guard lock(r.mutex);
  return entry(family(r, name, help, true).counters, labels);
}

Gauge& gauge(std::string_view name, std::string_view help, const CounterLabels& labels) {
  Registry& r = registry();
  std::lock_guard lock(r.mutex);
  return entry(family(r, name, help, false).gauges, labels);
}

void sampled_gauge(std::string_view name, std::string_view help, const CounterLabels& labels,
                   std::function<double()> read) {
  Registry& r = registry();
  std::lock_guard lock(r.mutex);
  CounterLabels ordered = labels;
  std::sort(ordered.begin(), ordered.end());
  family(r, name, help, false).sampled.insert_or_assign(std::move(ordered), std::move(read));
}

std::string Counters::exposition() {
  Registry& r = registry();
  std::lock_guard lock(r.mutex);
  std::string out;
  for (const auto& [name, f] : r.families) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escape(f.help, false), name,
                       f.is_counter ? "counter" : "gauge");
    for (const auto& [labels, value] : f.counters) {
      out += name;
      append_labels(out, labels);
      out += fmt::format(" {}\n", value->value());
    }
    for (const auto& [labels, value] : f.gauges) {
      out += name;
      append_labels(out, labels);
      out += fmt::format(" {}\n", value->value());
    }
    for (const auto& [labels, read] : f.sampled) {
      out += name;
      append_labels(out, labels);
      out += fmt::format(" {}\n", read());
    }
  }
  return out;
}

double Counters::sum(std::string_view name) {
  double total = 0;
  for (const CounterSample& sample : samples(name)) total += sample.value;
  return total;
}

std::vector<CounterSample> Counters::samples(std::string_view name) {
  Registry& r = registry();
  std::lock_guard lock(r.mutex);
  std::vector<CounterSample> out;
  const auto found = r.families.find(name);
  if (found == r.families.end()) return out;
  for (const auto& [labels, value] : found->second.counters) {
    out.push_back({labels, static_cast<double>(value->value())});
  }
  for (const auto& [labels, value] : found->second.gauges) out.push_back({labels, value->value()});
  for (const auto& [labels, read] : found->second.sampled) out.push_back({labels, read()});
  return out;
}

}  // namespace sonde
