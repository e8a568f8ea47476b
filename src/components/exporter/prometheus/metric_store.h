// SPDX-License-Identifier: Apache-2.0
// The latest value of every series, ready to be shown as Prometheus text: OTLP names and labels
// translated as the OpenTelemetry specification says (unit suffixes, _total, job and instance,
// target_info). Cumulative points replace, delta points add up. It is bounded in series and forgets
// those that stopped; it keeps no history.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/batch.h"
#include "data/metric_view.h"

namespace sonde {

struct MetricStoreOptions {
  size_t max_series = 100000;
  std::chrono::nanoseconds expiry = std::chrono::minutes(5);
  std::string name_prefix{};
};

class MetricStore {
 public:
  explicit MetricStore(MetricStoreOptions options) : options_(std::move(options)) {}

  void add(const Batch& batch, int64_t now_unix_ns);
  std::string expose(int64_t now_unix_ns);  // Forgets what expired first.
  size_t series() const { return series_; }
  uint64_t refused() const { return refused_; }  // Points of series past the cap.

 private:
  struct Series {
    double value = 0;
    uint64_t count = 0;
    std::vector<double> bounds{};
    std::vector<uint64_t> buckets{};  // Not cumulative.
    std::vector<std::pair<double, double>> quantiles{};
    std::string info{};  // Labels that are no part of the identity: target_info's.
    int64_t start_ns = 0, last_ns = 0;
  };
  struct Family {
    std::string_view type;
    std::string help;
    std::map<std::string, Series> series;  // By label text, without braces.
  };
  struct ResourceLabels {
    std::string series;  // Labels that every series of the resource carries.
    std::string target;  // What target_info says beside them.
  };

  static ResourceLabels labels_of(const ResourceView& resource);
  void add_metric(const ResourceLabels& labels, const MetricView& m, int64_t now);
  Series* at(Family& family, std::string labels, int64_t now);

  MetricStoreOptions options_;
  std::map<std::string, Family> families_;
  size_t series_ = 0;
  uint64_t refused_ = 0;
};

// "http.server.request.duration", "s" -> "http_server_request_duration_seconds".
std::string prometheus_name(std::string_view name, std::string_view unit, MetricView::Kind kind,
                            bool monotonic);

}  // namespace sonde
