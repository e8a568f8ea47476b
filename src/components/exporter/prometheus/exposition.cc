// SPDX-License-Identifier: Apache-2.0
// Series to text, of Prometheus or of OpenMetrics:
// https://prometheus.io/docs/instrumenting/exposition_formats/
#include <fmt/format.h>

#include <map>
#include <vector>

#include "components/exporter/prometheus/metric_store.h"
#include "components/exporter/prometheus/naming.h"

namespace sonde {
namespace {

using prometheus::NameOf;

struct Lines {
  std::string& out;
  std::string_view name;
  std::string time;  // After each value; empty: none.

  // A name that is not plain is the first thing in the braces.
  void add(std::string_view suffix, std::string_view labels, std::string_view extra,
           std::string_view value, std::string_view exemplar = {}) {
    const std::string whole = std::string(name).append(suffix);
    const bool plain = prometheus::is_plain_name(whole, NameOf::Metric);
    if (plain) out.append(whole);
    const size_t brace = out.size();
    const auto put = [&](std::string_view part) {
      if (!part.empty()) out.append(out.size() == brace ? "{" : ",").append(part);
    };
    if (!plain) {
      std::string quoted;
      prometheus::append_quoted(quoted, whole);
      put(quoted);
    }
    put(labels);
    put(extra);
    if (out.size() > brace) out.append("}");
    out.append(" ").append(value).append(time).append(exemplar).append("\n");
  }
};

// OpenMetrics counts in seconds, the older format in milliseconds.
std::string timestamp(int64_t unix_ns, const ExpositionOptions& how) {
  if (!how.timestamps || unix_ns <= 0) return {};
  const int64_t ms = unix_ns / 1'000'000;
  return how.open_metrics ? fmt::format(" {}.{:03}", ms / 1000, ms % 1000) : fmt::format(" {}", ms);
}

// On one line, and valid UTF-8 also where it was cut. Only OpenMetrics escapes quotes here.
std::string help_text(std::string_view text, bool open_metrics) {
  std::string quoted;
  prometheus::append_quoted(quoted, text);
  std::string out;
  for (size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] != '\\') {
      out += quoted[i];
      continue;
    }
    if (open_metrics || quoted[i + 1] != '"') out += quoted[i];
    out += quoted[++i];
  }
  return out;
}

}  // namespace

std::string MetricStore::expose(int64_t now, ExpositionOptions how) {
  const int64_t before = now - options_.expiry.count();
  for (auto it = families_.begin(); it != families_.end();) {
    series_ -= std::erase_if(it->second.series, [&](const auto& e) {
      if (e.second.last_ns >= before) return false;
      Cost cost = e.second.cost;
      account(cost, {});
      return true;
    });
    if (it->second.series.empty()) kept_.bytes -= it->first.size();
    it = it->second.series.empty() ? families_.erase(it) : std::next(it);
  }
  std::string out;
  // Names that differ here may be spelled alike there, and a page that tells of a name twice is
  // refused as a whole: one of another type than the first is not shown.
  std::map<std::string, std::vector<const Family*>> spelled;
  for (const auto& [name, family] : families_) {
    auto& alike = spelled[prometheus::escape_name(name, NameOf::Metric, how.escaping)];
    if (alike.empty() || alike.front()->type == family.type) alike.push_back(&family);
  }
  for (const auto& [name, alike] : spelled) expose_families(out, name, alike, how);
  if (how.open_metrics) out += "# EOF\n";
  return out;
}

void MetricStore::expose_families(std::string& out, std::string_view name,
                                  const std::vector<const Family*>& alike,
                                  const ExpositionOptions& how) const {
  const Family& first = *alike.front();
  std::string_view type = first.type;
  // In OpenMetrics a counter's family has no _total, and each of its samples has.
  const bool counter = how.open_metrics && type == "counter" && name.ends_with("_total");
  if (counter) {
    name.remove_suffix(6);
  } else if (how.open_metrics && type == "counter") {
    type = "unknown";
  }
  const auto comment = [&](std::string_view what, std::string_view text) {
    out += fmt::format("# {} ", what);
    prometheus::append_name(out, name, NameOf::Metric);
    out.append(" ").append(text).append("\n");
  };
  if (!first.help.empty()) comment("HELP", help_text(first.help, how.open_metrics));
  comment("TYPE", type);
  for (const Family* family : alike) expose_series(out, name, *family, counter, how);
}

void MetricStore::expose_series(std::string& out, std::string_view name, const Family& family,
                                bool counter, const ExpositionOptions& how) const {
  const auto bound = [&](double value) {
    std::string text = prometheus::number(value);
    const bool whole = text.find_first_not_of("-0123456789") == std::string::npos;
    return how.open_metrics && whole ? text + ".0" : text;
  };
  const bool respell = options_.naming.utf8 && how.escaping != prometheus::Escaping::None;
  for (const auto& [kept, s] : family.series) {
    // What target_info says beside its labels must not repeat one of them either.
    std::string spelled;
    if (respell) {
      spelled = s.info.empty() ? kept : kept + "," + s.info;
      spelled = prometheus::escape_labels(spelled, how.escaping);
    }
    const std::string_view labels = respell ? spelled : kept;
    const std::string_view info = respell ? std::string_view() : s.info;
    const auto exemplar = [&](size_t bucket) -> std::string {
      const auto found = s.shape.exemplars.find(bucket);
      if (!how.open_metrics || found == s.shape.exemplars.end()) return {};
      const auto& [value, unix_ns, ids] = found->second;
      std::string text = fmt::format(" # {{{}}} {}", ids, prometheus::number(value));
      constexpr int64_t kSecond = 1'000'000'000;
      if (unix_ns > 0) text += fmt::format(" {}.{:09}", unix_ns / kSecond, unix_ns % kSecond);
      return text;
    };
    Lines lines{out, name, timestamp(s.point_ns, how)};
    if (family.type == "histogram") {
      uint64_t below = 0;
      for (size_t i = 0; i < s.shape.bounds.size(); i++) {
        below += s.shape.buckets.empty() ? 0 : s.shape.buckets[i];
        lines.add("_bucket", labels, fmt::format("le=\"{}\"", bound(s.shape.bounds[i])),
                  fmt::to_string(below), exemplar(i));
      }
      lines.add("_bucket", labels, "le=\"+Inf\"", fmt::to_string(s.count),
                exemplar(s.shape.bounds.size()));
    } else if (family.type == "summary") {
      for (auto [q, v] : s.shape.quantiles) {
        lines.add("", labels, fmt::format("quantile=\"{}\"", bound(q)), prometheus::number(v));
      }
    } else {
      lines.add(counter ? "_total" : "", labels, info, prometheus::number(s.value),
                counter ? exemplar(0) : "");
      continue;
    }
    lines.add("_sum", labels, "", prometheus::number(s.value));
    lines.add("_count", labels, "", fmt::to_string(s.count));
  }
}

}  // namespace sonde
