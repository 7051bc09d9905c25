// SPDX-License-Identifier: Apache-2.0
// Prometheus and what speaks its HTTP API: https://prometheus.io/docs/prometheus/latest/querying/api/,
// instant queries. A GET, as some proxies in front of it allow readers nothing else.
#include <nlohmann/json.hpp>

#include "metrics/providers/answers.h"
#include "metrics/providers/limits.h"
#include "metrics/providers/rows.h"

namespace tidegate::metrics::providers {
namespace {

constexpr auto kName = "prometheus";
constexpr Duration kTimeout = std::chrono::seconds(30);

HttpRequest decode(Fields& fields) {
  auto request = common_request(fields, "timeout", kTimeout);
  add_headers_and_authentication(fields, request);
  request.url = fields.address("address") + "/api/v1/query?query=" + url_encode(fields.need_text("query"));
  return request;
}

Result<HttpRequest> request(const Json& spec, TimePoint) {
  Fields fields(spec);
  auto out = decode(fields);
  if (auto error = first_error(kName, fields)) return std::move(*error);
  return out;
}

// [time, "value"]
std::optional<double> sample(const Json& pair) {
  if (!pair.is_array() || pair.size() != 2 || !pair[1].is_string()) return std::nullopt;
  return number_of(pair[1]);
}

// Samples of all series, in the order of the answer; nothing where one is malformed.
std::optional<std::vector<const Json*>> samples(const std::string& type, const Json& result) {
  std::vector<const Json*> out;
  if (type == "scalar") return std::vector<const Json*>{&result};
  if (!result.is_array()) return std::nullopt;
  for (const auto& series : result) {
    const Json* points = json::find(series, type == "vector" ? "value" : "values");
    if (!points || !points->is_array()) return std::nullopt;
    if (type == "vector") out.push_back(points);
    if (type == "matrix") {
      for (const auto& point : *points) out.push_back(&point);
    }
  }
  return out;
}

Result<Reading> read(const Json& spec, const HttpAnswer& answer) {
  const Answer from(kName, spec, json::string_at(spec, "address"), answer);
  const auto document = from.document();
  if (!document) return document.error();
  if (json::string_at(*document, "status") != "success") return from.error("no success");
  const auto type = json::string_at(*document, "data.resultType");
  if (type != "vector" && type != "scalar" && type != "matrix") {
    return from.error("expected a vector, a scalar or a matrix");
  }
  const Json* result = json::find(*document, "data.result");
  const auto points = result ? samples(type, *result) : std::nullopt;
  if (!points) return from.error("expected samples of numbers");
  Reading reading;
  for (const Json* point : *points) {
    const auto value = sample(*point);
    if (!value) return from.error("expected samples of numbers");
    if (!from.add(reading, *value)) return from.too_many();
  }
  for (const auto& warning : json::array_at(*document, "warnings")) {
    if (warning.is_string() && reading.warnings.size() < kMaxWarnings) {
      reading.warnings.push_back(from.shown(warning.get_ref<const std::string&>()));
    }
  }
  return reading;
}

}  // namespace

const Provider kPrometheus = {kName, check_by<decode>, request, read};

}  // namespace tidegate::metrics::providers
