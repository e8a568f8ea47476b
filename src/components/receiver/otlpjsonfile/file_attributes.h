// SPDX-License-Identifier: Apache-2.0
// What is said of the file that a line came from, on each span, log record and metric of it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "components/receiver/otlpjsonfile/settings.h"
#include "data/edit.h"

namespace sonde::otlpjsonfile {

using FileAttributes = std::vector<std::pair<std::string, std::string>>;

// What `settings` ask for; what the system does not know of the file is left out.
FileAttributes attributes_of(const std::string& path, const Settings& settings);

// Sets them, in place of attributes that have their names. Of a metric it is the metadata, as in
// the Collector.
class AttributeSetter final : public Editor {
 public:
  explicit AttributeSetter(const FileAttributes& attributes) : attributes_(attributes) {}
  bool span(SpanEdit& span, Owners&) override { return set(span.attributes()); }
  bool log(LogEdit& log, Owners&) override { return set(log.attributes()); }
  bool metric(MetricEdit& metric, Owners&) override { return set(metric.metadata()); }

 private:
  bool set(MessageEdit& message) {
    for (const auto& [key, value] : attributes_) message.set(key, std::string_view(value));
    return true;
  }
  const FileAttributes& attributes_;
};

}  // namespace sonde::otlpjsonfile
