// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace tidegate::log {
namespace {

constexpr auto kTextPattern = "%Y-%m-%dT%H:%M:%S.%eZ %l %v";
constexpr auto kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";

std::atomic<Format> format_in_use{Format::kText};

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made =
        std::make_shared<spdlog::logger>("tidegate", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern(kTextPattern, spdlog::pattern_time_type::utc);
    return made;
  }();
  return *instance;
}

std::string json_string(std::string_view text) { return json::dump(Json(std::string(text))); }

// Values that would blur where they end, or the line, are quoted: nothing that was sent to us can forge a log
// line.
std::string text_value(const std::string& value) {
  for (const char c : value) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\x7f')
      return json_string(value);
  }
  return value.empty() ? "\"\"" : value;
}

std::string render(std::string_view message, Fields fields) {
  const bool as_json = format_in_use.load(std::memory_order_relaxed) == Format::kJson;
  std::string line = as_json ? "\"message\":" + json_string(message) : std::string(message);
  for (const auto& field : fields) {
    if (as_json) {
      line += "," + json_string(field.key()) + ":" + json_string(field.value());
    } else {
      line += " " + std::string(field.key()) + "=" + text_value(field.value());
    }
  }
  return line;
}

void write(spdlog::level::level_enum level, std::string_view message, Fields fields) {
  if (!logger().should_log(level)) return;
  logger().log(level, render(message, fields));
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void configure(Level level, Format format) {
  format_in_use = format;
  logger().set_level(to_spdlog(level));
  logger().set_pattern(format == Format::kJson ? kJsonPattern : kTextPattern, spdlog::pattern_time_type::utc);
}

void debug(std::string_view message, Fields fields) { write(spdlog::level::debug, message, fields); }
void info(std::string_view message, Fields fields) { write(spdlog::level::info, message, fields); }
void warning(std::string_view message, Fields fields) { write(spdlog::level::warn, message, fields); }
void error(std::string_view message, Fields fields) { write(spdlog::level::err, message, fields); }

}  // namespace tidegate::log
