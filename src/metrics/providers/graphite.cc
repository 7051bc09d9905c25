// SPDX-License-Identifier: Apache-2.0
// Graphite: https://graphite.readthedocs.io/en/latest/render_api.html, the latest value of each series.
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "metrics/providers/answers.h"
#include "metrics/providers/rows.h"

namespace tidegate::metrics::providers {
namespace {

constexpr auto kName = "graphite";
constexpr Duration kTimeout = std::chrono::seconds(10);

// Of "target=f(a.b, '5min')&from=-5min": what a url cannot hold is encoded, what is encoded already stays.
std::string encoded(std::string_view query) {
  std::string out;
  for (const char c : text::trim(query)) {
    const bool kept = c == '&' || c == '=' || c == '%';
    if (c == '\n' || c == '\r') continue;  // of a query written over several lines
    out += kept ? std::string(1, c) : url_encode({&c, 1});
  }
  return out;
}

HttpRequest decode(Fields& fields) {
  auto request = common_request(fields, "timeout", kTimeout);
  add_headers_and_authentication(fields, request);
  const auto address = fields.address("address"), query = fields.need_text("query");
  const bool later = query.find("{{") != std::string::npos;
  if (!query.empty() && !later && query.find("target=") == std::string::npos) {
    fields.complain("query", "parameters of /render, such as target=stats.shop.errors&from=-5min");
  }
  request.url = address + "/render?" + encoded(query) + "&format=json";
  return request;
}

Result<HttpRequest> request(const Json& spec, TimePoint) {
  Fields fields(spec);
  auto out = decode(fields);
  if (auto error = first_error(kName, fields)) return std::move(*error);
  return out;
}

Result<Reading> read(const Json& spec, const HttpAnswer& answer) {
  const Answer from(kName, spec, json::string_at(spec, "address"), answer);
  const auto document = from.document();
  if (!document) return document.error();
  if (!document->is_array()) return from.error("expected a list of series");
  Reading reading;
  for (const auto& series : *document) {
    const Json* points = json::find(series, "datapoints");
    const auto last = points ? last_value(*points, 0) : std::nullopt;
    if (!last) return from.error("expected points of value and time");
    if (!from.add(reading, *last)) return from.too_many();
  }
  return reading;
}

}  // namespace

const Provider kGraphite = {kName, check_by<decode>, request, read};

}  // namespace tidegate::metrics::providers
