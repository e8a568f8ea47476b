// SPDX-License-Identifier: Apache-2.0
// The program's own log, one line each on stderr: log_info("listening on {}", address). Formatting
// is fmt's; what writes the lines stays out of this header. It is for the operator, never for
// telemetry that passes through.
#pragma once
#include <fmt/core.h>

#include <functional>
#include <string_view>
#include <utility>

namespace sonde {

enum class LogLevel { Debug, Info, Warn, Error, Off };

void set_log_level(LogLevel level);
LogLevel log_level();
// Sends lines to `sink` instead of stderr; an empty function restores stderr. For tests and for the
// page's warnings.
void set_log_sink(std::function<void(LogLevel, std::string_view)> sink);
void log_line(LogLevel level, std::string_view line);

namespace detail {
template <class... Args>
void log_format(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (level >= log_level()) log_line(level, fmt::format(format, std::forward<Args>(args)...));
}
}  // namespace detail

template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  detail::log_format<Args...>(LogLevel::Debug, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  detail::log_format<Args...>(LogLevel::Info, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_warn(fmt::format_string<Args...> format, Args&&... args) {
  detail::log_format<Args...>(LogLevel::Warn, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  detail::log_format<Args...>(LogLevel::Error, format, std::forward<Args>(args)...);
}

}  // namespace sonde
