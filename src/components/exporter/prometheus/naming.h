// SPDX-License-Identifier: Apache-2.0
// OTLP names and values as Prometheus writes them: valid characters, unit words, escaped label
// values. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "data/metric_view.h"

namespace sonde::prometheus {

// https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
struct MetricNaming {
  std::string prefix{};  // Before each name, with a '_' behind it.
  bool suffixes = true;  // Units, _total and _ratio.
  bool utf8 = false;     // Every character stays: see names.h.
};

// "http.server.request.duration", "s" -> "http_server_request_duration_seconds", or without the
// unit where no suffixes are wanted, or "http.server.request.duration_seconds". Empty where nothing
// of the name can be shown.
std::string metric_name(const MetricNaming& naming, const MetricView& metric);
// Each character that every Prometheus takes in a label; '_' stands for others.
std::string label_name(std::string_view key);
// Appends key="value" with a comma before it where needed, the key in quotes where it is not plain.
// Invalid UTF-8 becomes U+FFFD, because one bad byte would make a scraper refuse the whole page.
void append_label(std::string& labels, std::string_view name, std::string_view value);
// The text in quotes, with the escapes of the format, for names and values.
void append_quoted(std::string& out, std::string_view text);
std::string number(double value);

}  // namespace sonde::prometheus
