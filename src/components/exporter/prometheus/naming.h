// SPDX-License-Identifier: Apache-2.0
// OTLP names and values as Prometheus writes them: valid characters, unit words, escaped label
// values. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace sonde::prometheus {

std::string label_name(std::string_view key);
// Appends key="value" with a comma before it where needed. Invalid UTF-8 becomes U+FFFD, because
// one bad byte would make a scraper refuse the whole page.
void append_label(std::string& labels, std::string_view name, std::string_view value);
std::string unit_word(std::string_view unit);
std::string number(double value);

}  // namespace sonde::prometheus
