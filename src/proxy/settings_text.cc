// SPDX-License-Identifier: Apache-2.0
// Settings as text: how values are written, and the file that holds them.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "base/text.h"
#include "base/yaml.h"
#include "proxy/settings.h"

namespace tidegate::proxy {
namespace {

constexpr double kKi = 1024, kMi = kKi * kKi;

const char* what(Unit unit) {
  switch (unit) {
    case Unit::kCount:
      return "whole number";
    case Unit::kBytes:
      return "number of bytes such as 65536, 64Ki or 1Mi";
    case Unit::kDuration:
      return "duration such as 10s";
    case Unit::kPercent:
      return "percentage without its sign";
    case Unit::kPerSecond:
      return "number a second";
  }
  return "";
}

std::optional<double> bytes(const std::string& text) {
  const auto scale = text.ends_with("Ki") ? kKi : text.ends_with("Mi") ? kMi : 0;
  if (scale == 0) return std::nullopt;
  const auto number = text::parse_int(std::string_view(text).substr(0, text.size() - 2));
  return number ? std::optional(static_cast<double>(*number) * scale) : std::nullopt;
}

std::optional<double> parse(Unit unit, const Json& value) {
  if (unit == Unit::kDuration) {
    if (!value.is_string()) return std::nullopt;
    const auto duration = text::parse_duration(value.get_ref<const std::string&>());
    if (!duration) return std::nullopt;
    return std::chrono::duration<double>(*duration).count();
  }
  if (unit == Unit::kBytes && value.is_string()) return bytes(value.get_ref<const std::string&>());
  if (unit == Unit::kPerSecond && value.is_number_float()) return value.get<double>();
  return value.is_number_integer() ? std::optional(value.get<double>()) : std::nullopt;
}

std::string range(const Setting& setting) {
  return "from " + to_text(setting.unit, setting.least) + " to " + to_text(setting.unit, setting.most);
}

Result<void> apply(const Setting& setting, const Json& value, Settings& settings) {
  const auto number = parse(setting.unit, value);
  if (!number || !(*number >= setting.least && *number <= setting.most)) {
    return Error{ErrorCode::kInvalid,
                 setting.name + ": " + value.dump() + " is no " + what(setting.unit) + ", " + range(setting)};
  }
  setting.set(settings, *number);
  return {};
}

Result<void> apply_all(const Json& object, const std::string& prefix, Settings& settings) {
  for (const auto& [key, value] : object.items()) {
    const std::string name = prefix + key;
    const auto& all = all_settings();
    const auto setting =
        std::find_if(all.begin(), all.end(), [&](const Setting& one) { return one.name == name; });
    const bool section = std::any_of(all.begin(), all.end(),
                                     [&](const Setting& one) { return one.name.starts_with(name + "."); });
    if (setting == all.end() && !section) {
      return Error{ErrorCode::kInvalid, name + ": there is no such setting; `tidegate limits` prints all"};
    }
    if (section && !value.is_object()) {
      return Error{ErrorCode::kInvalid, name + ": " + value.dump() + " is no map of settings"};
    }
    auto applied = section ? apply_all(value, name + ".", settings) : apply(*setting, value, settings);
    if (!applied) return applied;
  }
  return {};
}

// The lines of sections that `name` is in and `previous` was not, then its own indentation.
std::string open_sections(const std::string& name, const std::string& previous) {
  std::string out;
  std::size_t begin = 0, depth = 0;
  for (std::size_t dot; (dot = name.find('.', begin)) != std::string::npos; begin = dot + 1, ++depth) {
    if (previous.starts_with(name.substr(0, dot + 1))) continue;
    out += std::string(2 * depth, ' ') + name.substr(begin, dot - begin) + ":\n";
  }
  return out + std::string(2 * depth, ' ');
}

}  // namespace

std::string to_text(Unit unit, double value) {
  if (unit == Unit::kDuration)
    return text::format_duration(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value)));
  if (unit == Unit::kBytes && value >= kMi && std::fmod(value, kMi) == 0)
    return to_text(Unit::kCount, value / kMi) + "Mi";
  if (unit == Unit::kBytes && value >= kKi && std::fmod(value, kKi) == 0)
    return to_text(Unit::kCount, value / kKi) + "Ki";
  std::ostringstream out;
  out.precision(10);
  out << value;
  return out.str();
}

Result<void> apply_settings(std::string_view yaml, const std::string& file, Settings& settings) {
  const auto documents = yaml::parse_all(yaml);
  if (!documents) return context(file, documents.error());
  Settings changed = settings;
  for (const auto& document : *documents) {
    if (!document.value.is_object())
      return Error{ErrorCode::kInvalid, file + ": is no map of settings; `tidegate limits` prints one"};
    if (auto applied = apply_all(document.value, "", changed); !applied)
      return context(file, applied.error());
  }
  settings = changed;
  return {};
}

std::string to_yaml(const Settings& settings) {
  std::string out, previous;
  for (const Setting& setting : all_settings()) {
    out += open_sections(setting.name, previous);
    out += setting.name.substr(setting.name.rfind('.') + 1) + ": " +
           to_text(setting.unit, setting.get(settings)) + "  # " + std::string(setting.meaning) + "; " +
           range(setting) + "\n";
    previous = setting.name;
  }
  return out;
}

}  // namespace tidegate::proxy
