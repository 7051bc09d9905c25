// SPDX-License-Identifier: Apache-2.0
#include "api/field_reader.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tidegate::api {
namespace {

constexpr std::size_t kShownProblems = 3;  // of many; the rest is counted, so that a message stays readable
constexpr std::size_t kShownBytes = 60;

std::string shown(const Json& value) {
  std::string text = json::dump(value);
  if (text.size() > kShownBytes) text = text.substr(0, kShownBytes) + "...";
  return text;
}

const Json& no_fields() {
  static const Json empty = Json::object();
  return empty;
}

std::string plain(double number) {
  return number == std::floor(number) && std::abs(number) < 1e15
             ? std::to_string(static_cast<std::int64_t>(number))
             : shown(Json(number));
}

}  // namespace

std::string to_string(const FieldProblem& problem) {
  if (problem.value.empty()) return problem.path + " is missing: expected " + problem.expectation;
  return problem.path + " is " + problem.value + ": expected " + problem.expectation;
}

std::string to_string(const std::vector<FieldProblem>& problems) {
  std::string out;
  for (std::size_t i = 0; i < problems.size() && i < kShownProblems; ++i) {
    if (i > 0) out += "; ";
    out += to_string(problems[i]);
  }
  if (problems.size() > kShownProblems) {
    out += "; and " + std::to_string(problems.size() - kShownProblems) + " more";
  }
  return out;
}

FieldReader::FieldReader(const Json& object, std::string path, std::vector<FieldProblem>& problems)
    : object_(&object), path_(std::move(path)), problems_(&problems) {
  if (!object.is_object()) {
    problem("", "an object");
    object_ = &no_fields();
  }
}

std::string FieldReader::path_of(std::string_view key) const {
  if (key.empty()) return path_;
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

const Json* FieldReader::raw(std::string_view key) const {
  const auto it = object_->find(key);
  return it == object_->end() || it->is_null() ? nullptr : &*it;
}

bool FieldReader::has(std::string_view key) const { return raw(key) != nullptr; }
bool FieldReader::is_object() const { return object_ != &no_fields(); }

FieldReader FieldReader::child(std::string_view key) const {
  const Json* value = raw(key);
  return {value ? *value : no_fields(), path_of(key), *problems_};
}

std::vector<FieldReader> FieldReader::items(std::string_view key) const {
  std::vector<FieldReader> out;
  const Json* value = raw(key);
  if (!value) return out;
  if (!value->is_array()) {
    problem(key, "a list");
    return out;
  }
  for (std::size_t i = 0; i < value->size(); ++i) {
    out.emplace_back((*value)[i], path_of(key) + "[" + std::to_string(i) + "]", *problems_);
  }
  return out;
}

std::string FieldReader::text(std::string_view key) const {
  const Json* value = raw(key);
  if (!value) return {};
  if (value->is_string()) return value->get<std::string>();
  problem(key, "a string");
  return {};
}

std::vector<std::string> FieldReader::texts(std::string_view key) const {
  std::vector<std::string> out;
  const Json* value = raw(key);
  if (!value) return out;
  if (!value->is_array()) problem(key, "a list of strings");
  for (const auto& item : *value) {
    if (item.is_string()) out.push_back(item.get<std::string>());
  }
  return out;
}

std::optional<bool> FieldReader::flag(std::string_view key) const {
  const Json* value = raw(key);
  if (!value) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  problem(key, "true or false");
  return std::nullopt;
}

std::optional<double> FieldReader::number(std::string_view key, double min, double max) const {
  const Json* value = raw(key);
  if (!value) return std::nullopt;
  if (value->is_number()) {
    const double number = value->get<double>();
    if (number >= min && number <= max) return number;
  }
  problem(key, "a number from " + plain(min) + " to " + plain(max));
  return std::nullopt;
}

std::optional<std::int64_t> FieldReader::integer(std::string_view key, std::int64_t min,
                                                 std::int64_t max) const {
  const Json* value = raw(key);
  if (!value) return std::nullopt;
  if (value->is_number_integer() && !(value->is_number_unsigned() && value->get<std::uint64_t>() >> 63)) {
    const auto number = value->get<std::int64_t>();
    if (number >= min && number <= max) return number;
  }
  problem(key, "an integer from " + std::to_string(min) + " to " + std::to_string(max));
  return std::nullopt;
}

std::optional<Duration> FieldReader::duration(std::string_view key) const {
  const Json* value = raw(key);
  if (!value) return std::nullopt;
  if (value->is_number_integer() || value->is_string()) {
    auto parsed = text::parse_duration(value->is_string() ? value->get<std::string>() : json::dump(*value));
    if (parsed) return *parsed;
  }
  problem(key, "a duration such as \"30s\" or \"5m\", or whole seconds");
  return std::nullopt;
}

std::optional<double> FieldReader::percent(std::string_view key) const {
  const Json* value = raw(key);
  if (!value) return std::nullopt;
  if (value->is_number() && value->get<double>() >= 0) return value->get<double>();
  if (value->is_string()) {
    const std::string text = value->get<std::string>();
    if (text.ends_with('%')) {
      const auto number = text::parse_double(std::string_view(text).substr(0, text.size() - 1));
      if (number && *number >= 0 && std::isfinite(*number)) return *number / 100;
    }
  }
  problem(key, "a percentage such as \"1%\", or a ratio such as 0.01");
  return std::nullopt;
}

void FieldReader::problem(std::string_view key, std::string expectation) const {
  const Json* value = key.empty() ? object_ : raw(key);
  problems_->push_back({path_of(key), value ? shown(*value) : "", std::move(expectation)});
}

void FieldReader::refuse(std::string_view key, std::string expectation) const {
  if (has(key)) problem(key, std::move(expectation));
}

}  // namespace tidegate::api
