// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/formats.h"

#include <arpa/inet.h>
#include <re2/re2.h>

#include <cmath>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "apiserver/schema/limits.h"
#include "base/text.h"

namespace tidegate::apiserver::schema {
namespace {

const RE2& compiled(std::string_view pattern) {
  thread_local std::unordered_map<std::string, std::unique_ptr<RE2>> cache;
  const std::string key(pattern);
  if (const auto found = cache.find(key); found != cache.end()) return *found->second;
  if (cache.size() >= kMaxCompiledPatterns) cache.clear();
  RE2::Options options;
  options.set_log_errors(false);
  return *cache.emplace(key, std::make_unique<RE2>(key, options)).first->second;
}

bool is_whole(double number) { return std::isfinite(number) && std::floor(number) == number; }

bool is_address(int family, std::string_view text) {
  in6_addr address;
  return inet_pton(family, std::string(text).c_str(), &address) == 1;
}

bool is_cidr(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const auto bits = text::parse_int(text.substr(slash + 1));
  const auto host = text.substr(0, slash);
  if (!bits || *bits < 0) return false;
  return (is_address(AF_INET, host) && *bits <= 32) || (is_address(AF_INET6, host) && *bits <= 128);
}

bool fits_int32(const Json& value) {
  if (!value.is_number_integer()) return !value.is_number_float() || is_whole(value.get<double>());
  if (value.is_number_unsigned()) return value.get<std::uint64_t>() <= 0x7fffffffU;
  const auto number = value.get<std::int64_t>();
  return number >= std::numeric_limits<std::int32_t>::min() &&
         number <= std::numeric_limits<std::int32_t>::max();
}

bool text_has_format(std::string_view text, std::string_view format) {
  if (format == "date-time") return text::parse_time(text).has_value();
  if (format == "date") return matches_pattern(text, R"(^\d{4}-\d{2}-\d{2}$)");
  if (format == "byte") return text::base64_decode(text).has_value();
  if (format == "ipv4") return is_address(AF_INET, text);
  if (format == "ipv6") return is_address(AF_INET6, text);
  if (format == "ip") return is_address(AF_INET, text) || is_address(AF_INET6, text);
  if (format == "cidr") return is_cidr(text);
  if (format == "hostname") return matches_pattern(text, R"(^([a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?\.?)+$)");
  if (format == "uuid") {
    return matches_pattern(text, "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$");
  }
  if (format == "uri") return matches_pattern(text, "^([a-zA-Z][-+.a-zA-Z0-9]*:|/)");
  return true;
}

}  // namespace

std::string_view type_name(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
    case Json::value_t::discarded:
      return "null";
    case Json::value_t::object:
      return "object";
    case Json::value_t::array:
      return "array";
    case Json::value_t::string:
      return "string";
    case Json::value_t::boolean:
      return "boolean";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return "integer";
    case Json::value_t::number_float:
      return "number";
    case Json::value_t::binary:
      return "binary";
  }
  return "null";
}

bool has_type(const Json& value, std::string_view type) {
  if (type == "number") return value.is_number();
  if (type == "integer")
    return value.is_number_integer() || (value.is_number() && is_whole(value.get<double>()));
  return type_name(value) == type;
}

bool has_format(const Json& value, std::string_view format) {
  if (value.is_number()) return format != "int32" || fits_int32(value);
  return !value.is_string() || text_has_format(value.get_ref<const std::string&>(), format);
}

bool is_pattern(std::string_view pattern) { return compiled(pattern).ok(); }

bool matches_pattern(std::string_view text, std::string_view pattern) {
  const RE2& expression = compiled(pattern);
  return expression.ok() && RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), expression);
}

std::size_t utf8_length(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  return count;
}

}  // namespace tidegate::apiserver::schema
