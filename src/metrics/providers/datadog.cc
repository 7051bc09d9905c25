// SPDX-License-Identifier: Apache-2.0
// Datadog: https://docs.datadoghq.com/api/latest/metrics/, "Query timeseries points" (v1: the latest value of
// each series) and "Query scalar data across multiple products" (v2: what the aggregator makes of each).
#include <nlohmann/json.hpp>

#include "metrics/providers/answers.h"
#include "metrics/providers/rows.h"

namespace tidegate::metrics::providers {
namespace {

constexpr auto kName = "datadog";
constexpr auto kAddress = "https://api.datadoghq.com";
constexpr Duration kTimeout = std::chrono::seconds(10);
constexpr Duration kInterval = std::chrono::minutes(5);

struct Datadog {
  HttpRequest request;
  bool v2 = false;
  Duration interval{};
  Json queries = Json::object();  // by name
  std::string formula, aggregator;
};

void decode_queries(Fields& fields, Datadog& out) {
  if (fields.has("query") == fields.has("queries")) fields.complain("query", "query or, in v2, queries");
  if (fields.has("query")) out.queries["query"] = fields.need_text("query");
  if (const Json* named = fields.raw("queries")) {
    auto queries = fields.child("queries");
    if (named->is_object()) {
      for (const auto& [name, query] : named->items()) out.queries[name] = queries.need_text(name);
    }
    if (out.queries.empty()) fields.complain("queries", "queries by name");
  }
  out.formula = fields.text("formula");
  if (out.formula.empty() && out.queries.size() > 1)
    fields.complain("formula", "what to make of several queries");
  if (out.formula.empty() && out.queries.size() == 1) out.formula = out.queries.begin().key();
}

Datadog decode(Fields& fields) {
  Datadog out;
  out.request = common_request(fields, "timeout", kTimeout);
  out.v2 = fields.one_of("apiVersion", {"v1", "v2"}) == "v2";
  out.interval = fields.duration("interval", kInterval, std::chrono::seconds(1), std::chrono::hours(24));
  decode_queries(fields, out);
  out.aggregator = fields.one_of(
      "aggregator", {"last", "avg", "min", "max", "sum", "percentile", "mean", "l2norm", "area"});
  for (const auto* only_v2 : {"queries", "formula", "aggregator"}) {
    if (!out.v2 && fields.has(only_v2)) fields.complain(only_v2, "apiVersion: v2 with it");
  }
  if (!fields.has("secretRef")) fields.complain("secretRef", "the name of a Secret with api-key and app-key");
  return out;
}

std::string address_of(const Json& spec) {
  auto address = json::string_at(spec, "secret.address", kAddress);
  while (address.ends_with('/')) address.pop_back();
  return address;
}

std::int64_t seconds(TimePoint time) { return time.time_since_epoch().count() / 1000; }

std::string scalar_query(const Datadog& asked, TimePoint now) {
  Json queries = Json::array();
  for (const auto& [name, query] : asked.queries.items()) {
    queries.push_back(
        {{"aggregator", asked.aggregator}, {"data_source", "metrics"}, {"name", name}, {"query", query}});
  }
  const Json attributes = {{"from", (now - asked.interval).time_since_epoch().count()},
                           {"to", now.time_since_epoch().count()},
                           {"formulas", Json::array({{{"formula", asked.formula}}})},
                           {"queries", queries}};
  return json::dump({{"data", {{"type", "scalar_request"}, {"attributes", attributes}}}});
}

Result<HttpRequest> request(const Json& spec, TimePoint now) {
  Fields fields(spec);
  auto asked = decode(fields);
  if (auto error = first_error(kName, fields)) return std::move(*error);
  const auto api_key = secret_text(kName, spec, "api-key"), app_key = secret_text(kName, spec, "app-key");
  if (!api_key) return api_key.error();
  if (!app_key) return app_key.error();
  auto& out = asked.request;
  out.headers = {{"DD-API-KEY", *api_key}, {"DD-APPLICATION-KEY", *app_key}};
  if (!asked.v2) {
    out.url = address_of(spec) + "/api/v1/query?from=" + std::to_string(seconds(now - asked.interval)) +
              "&to=" + std::to_string(seconds(now)) +
              "&query=" + url_encode(asked.queries.front().get_ref<const std::string&>());
    return std::move(out);
  }
  out.method = "POST";
  out.url = address_of(spec) + "/api/v2/query/scalar";
  out.headers.emplace_back("Content-Type", "application/json");
  out.body = scalar_query(asked, now);
  return std::move(out);
}

Result<Reading> read_series(const Answer& from, const Json& document) {
  const Json* series = json::find(document, "series");
  if (json::string_at(document, "status") == "error" || !series || !series->is_array()) {
    return from.error("expected series");
  }
  Reading reading;
  for (const auto& one : *series) {
    const Json* points = json::find(one, "pointlist");
    const auto last = points ? last_value(*points, 1) : std::nullopt;
    if (!last) return from.error("expected points of time and value");
    if (!from.add(reading, *last)) return from.too_many();
  }
  return reading;
}

Result<Reading> read_scalars(const Answer& from, const Json& document) {
  const Json* columns = json::find(document, "data.attributes.columns");
  if (!json::string_at(document, "errors").empty() || !columns || !columns->is_array()) {
    return from.error("expected columns");
  }
  Reading reading;
  for (const auto& column : *columns) {
    if (json::string_at(column, "type") != "number") continue;  // the tags of a grouping
    for (const auto& value : json::array_at(column, "values")) {
      const auto number = number_of(value);
      if (!number) return from.error("expected numbers");
      if (!from.add(reading, *number)) return from.too_many();
    }
  }
  return reading;
}

Result<Reading> read(const Json& spec, const HttpAnswer& answer) {
  const Answer from(kName, spec, address_of(spec), answer);
  const auto document = from.document();
  if (!document) return document.error();
  return json::string_at(spec, "apiVersion") == "v2" ? read_scalars(from, *document)
                                                     : read_series(from, *document);
}

}  // namespace

const Provider kDatadog = {kName, check_by<decode>, request, read};

}  // namespace tidegate::metrics::providers
