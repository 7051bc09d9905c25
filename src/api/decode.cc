// SPDX-License-Identifier: Apache-2.0
#include "api/decode.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tidegate::api {

Labels decode_labels(const Json& value, std::string_view path) {
  Labels out;
  for (const auto& [key, item] : json::object_at(value, path).items()) {
    if (item.is_string()) out.emplace(key, item.get<std::string>());
  }
  return out;
}

std::vector<std::string> decode_strings(const Json& value, std::string_view path) {
  std::vector<std::string> out;
  for (const auto& item : json::array_at(value, path)) {
    if (item.is_string()) out.push_back(item.get<std::string>());
  }
  return out;
}

std::int32_t int32_at(const Json& value, std::string_view path, std::int32_t fallback) {
  const std::int64_t wide = json::int_at(value, path, fallback);
  if (wide < std::numeric_limits<std::int32_t>::min() || wide > std::numeric_limits<std::int32_t>::max())
    return fallback;
  return static_cast<std::int32_t>(wide);
}

std::string int_or_string_at(const Json& value, std::string_view path) {
  const Json* at = json::find(value, path);
  if (at && at->is_number_integer()) return json::dump(*at);
  return at && at->is_string() ? at->get<std::string>() : std::string();
}

std::optional<TimePoint> time_at(const Json& value, std::string_view path) {
  return text::parse_time(json::string_at(value, path));
}
void put(Json& out, const char* key, const std::optional<TimePoint>& time) {
  if (time) out[key] = text::format_micro_time(*time);
}
void put(Json& out, const char* key, const std::string& text) {
  if (!text.empty()) out[key] = text;
}
void put(Json& out, const char* key, std::int64_t number) {
  if (number != 0) out[key] = number;
}

}  // namespace tidegate::api
