// SPDX-License-Identifier: Apache-2.0
// Reads the fields of an object and collects what is wrong with them, each with field path, value and
// expectation. Total: a field of another type reads as absent and leaves a problem. Thread: none; pure. Owns
// nothing: the document and the list outlive it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace tidegate::api {

struct FieldProblem {
  std::string path;         // spec.strategy.canary.steps[2].setWeight
  std::string value;        // 120; empty: the field is missing
  std::string expectation;  // a number from 0 to 100
  friend bool operator==(const FieldProblem&, const FieldProblem&) = default;
};
std::string to_string(const FieldProblem& problem);
std::string to_string(const std::vector<FieldProblem>& problems);  // "a; b and 3 more"

class FieldReader {
 public:
  FieldReader(const Json& object, std::string path, std::vector<FieldProblem>& problems);

  const std::string& path() const { return path_; }
  bool has(std::string_view key) const;  // present and not null
  bool is_object() const;

  FieldReader child(std::string_view key) const;  // of a missing key: one without fields
  std::vector<FieldReader> items(std::string_view key) const;
  const Json* raw(std::string_view key) const;
  const Json& document() const { return *object_; }

  std::string text(std::string_view key) const;
  std::optional<bool> flag(std::string_view key) const;
  std::optional<double> number(std::string_view key, double min, double max) const;
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max) const;
  std::optional<Duration> duration(std::string_view key) const;  // "30s" or seconds
  std::optional<double> percent(std::string_view key) const;     // "1%" or 0.01, as a ratio
  std::vector<std::string> texts(std::string_view key) const;

  // A problem with the field `key` (empty: with the object itself), whose value is taken from the document.
  void problem(std::string_view key, std::string expectation) const;
  void refuse(std::string_view key, std::string expectation) const;  // a problem if the field is there

 private:
  std::string path_of(std::string_view key) const;
  const Json* object_;
  std::string path_;
  std::vector<FieldProblem>* problems_;
};

}  // namespace tidegate::api
