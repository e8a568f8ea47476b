// SPDX-License-Identifier: Apache-2.0
// Names that Prometheus 3 takes as they are, and older ones do not: quoted where a scraper says
// that it reads them, else in one of the spellings that it may ask for.
// https://prometheus.io/docs/instrumenting/escaping_schemes/
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sonde::prometheus {

enum class Escaping : unsigned char {
  Underscores,  // Each other character is '_'.
  Dots,         // "_dot_" for a dot, "__" for '_' and each other character.
  Values,       // "U__my_2e_name": the code point between '_', and "__" for '_'.
  None,         // As it is, in quotes.
};

enum class NameOf : unsigned char { Metric, Label };  // ':' is plain in names of metrics alone.

// Whether every Prometheus takes the name without quotes: letters, digits and '_'.
bool is_plain_name(std::string_view name, NameOf what);
// The name as it is written for that scraper, without quotes; a plain one stays as it is. Bytes
// that are no UTF-8 are U+FFFD.
std::string escape_name(std::string_view name, NameOf what, Escaping how);
// Each name in a list of labels as append_label() made it; a scraper writes `__name__` itself, so
// it is then `exported___name__`. The values stay. Names that are then alike come once, their
// values joined by ';' where they differ: a page that tells of one twice is refused as a whole.
std::string escape_labels(std::string_view labels, Escaping how);
// Appends it, in quotes where it is not plain.
void append_name(std::string& out, std::string_view name, NameOf what);

// What a scraper asks for with its Accept header (RFC 9110 12.5.1).
struct Exposition {
  bool open_metrics = false;
  bool old_open_metrics = false;  // 0.0.1 instead of 1.0.0.
  Escaping escaping = Escaping::Underscores;
  std::string content_type() const;
};
// The best that is served; OpenMetrics only where it is `offered`. Looks at the first 16 choices.
Exposition negotiate(std::string_view accept, bool open_metrics_offered);

}  // namespace sonde::prometheus
