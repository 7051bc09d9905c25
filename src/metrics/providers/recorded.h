// SPDX-License-Identifier: Apache-2.0
// For tests of providers: what they make of specs and of recorded answers, as text to compare. Thread: none.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/text.h"
#include "base/yaml.h"
#include "metrics/providers/provider.h"

namespace tidegate::metrics::providers {

inline const TimePoint kNow = *text::parse_time("2026-01-02T03:04:05Z");

inline Json spec_of(std::string_view yaml) { return yaml::parse_all(yaml)->front().value; }

// "field=value: expectation" a line.
inline std::string complaints_of(const char* provider, std::string_view yaml) {
  std::string out;
  for (const auto& wrong : find_provider(provider)->check(spec_of(yaml))) {
    out += wrong.field + "=" + wrong.value + ": " + wrong.expectation + "\n";
  }
  return out;
}

// Request line, headers, an empty line, body; "error: " and the detail.
inline std::string request_of(const char* provider, std::string_view yaml) {
  const auto request = find_provider(provider)->request(spec_of(yaml), kNow);
  if (!request) return "error: " + request.error().detail;
  std::string out = request->method + " " + request->url + "\n";
  for (const auto& [name, value] : request->headers) out += name + ": " + value + "\n";
  return out + "\n" + request->body;
}

// "1 2.5 nan", then "; " and each warning; "error: " and the detail.
inline std::string reading_of(const char* provider, std::string_view yaml, int status, std::string body) {
  const auto reading = find_provider(provider)->read(spec_of(yaml), {status, std::move(body)});
  if (!reading) return "error: " + reading.error().detail;
  std::string out;
  for (const double value : reading->values) {
    char number[32];
    std::snprintf(number, sizeof number, "%s%.10g", out.empty() ? "" : " ", value);
    out += number;
  }
  for (const auto& warning : reading->warnings) out += "; " + warning;
  return out;
}

struct RecordedAnswer {
  const char* name;
  int status;
  const char* body;
  const char* expected;  // as reading_of() gives it
};

}  // namespace tidegate::metrics::providers
