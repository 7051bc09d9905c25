// SPDX-License-Identifier: Apache-2.0
// Logging: a constant message and key/value pairs, to standard error, as text or JSON lines. The only header
// that knows of the logging library is log.cc. Cores (invariant I1) never log. Thread: any.
//   log::info("gateway programmed", {{"gateway", name}, {"listeners", count}});
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace tidegate::log {

enum class Level { kDebug, kInfo, kWarning, kError };
enum class Format { kText, kJson };

class Field {
 public:
  Field(std::string_view key, std::string_view value) : key_(key), value_(value) {}
  Field(std::string_view key, const std::string& value) : key_(key), value_(value) {}
  Field(std::string_view key, const char* value) : key_(key), value_(value) {}
  Field(std::string_view key, bool value) : key_(key), value_(value ? "true" : "false") {}
  template <typename Number>
  requires(std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool>)
      Field(std::string_view key, Number value)
      : key_(key), value_(std::to_string(value)) {}

  std::string_view key() const { return key_; }
  const std::string& value() const { return value_; }

 private:
  std::string_view key_;
  std::string value_;
};

using Fields = std::initializer_list<Field>;

// Once, before other threads start. The default is Level::kInfo, Format::kText.
void configure(Level level, Format format);

void debug(std::string_view message, Fields fields = {});
void info(std::string_view message, Fields fields = {});
void warning(std::string_view message, Fields fields = {});
void error(std::string_view message, Fields fields = {});

}  // namespace tidegate::log
