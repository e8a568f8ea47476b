// SPDX-License-Identifier: Apache-2.0
// The log behind spdlog, which is slow to compile and therefore seen by no other file.
#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <mutex>

namespace sonde {
namespace {

std::atomic<LogLevel> current_level{LogLevel::Info};
std::mutex sink_mutex;
std::function<void(LogLevel, std::string_view)> replacement;

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>(
        "sonde", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return spdlog::level::debug;
    case LogLevel::Info:
      return spdlog::level::info;
    case LogLevel::Warn:
      return spdlog::level::warn;
    default:
      return spdlog::level::err;
  }
}

}  // namespace

void set_log_level(LogLevel level) { current_level.store(level, std::memory_order_relaxed); }
LogLevel log_level() { return current_level.load(std::memory_order_relaxed); }

void set_log_sink(std::function<void(LogLevel, std::string_view)> sink) {
  std::lock_guard lock(sink_mutex);
  replacement = std::move(sink);
}

void log_line(LogLevel level, std::string_view line) {
  if (level < log_level()) return;
  std::lock_guard lock(sink_mutex);
  if (replacement) {
    replacement(level, line);
  } else {
    logger().log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
  }
}

}  // namespace sonde
