// SPDX-License-Identifier: Apache-2.0
// New Relic: an NRQL query by way of NerdGraph,
// https://docs.newrelic.com/docs/apis/nerdgraph/examples/nerdgraph-nrql-tutorial/.
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "metrics/providers/answers.h"
#include "metrics/providers/rows.h"

namespace tidegate::metrics::providers {
namespace {

constexpr auto kName = "newRelic";
constexpr Duration kTimeout = std::chrono::seconds(10);
constexpr auto kQuery =
    "query($account: Int!, $nrql: Nrql!) { actor { account(id: $account) { nrql(query: $nrql) { results } } "
    "} }";

struct NewRelic {
  HttpRequest request;
  std::string query;
};

NewRelic decode(Fields& fields) {
  NewRelic out;
  out.request = common_request(fields, "timeout", kTimeout);
  out.query = fields.need_text("query");
  const bool named = !fields.text("profile").empty();
  if (named == fields.has("secretRef")) {
    fields.complain("profile", "the name of a Secret with personal-api-key and account-id");
  }
  return out;
}

std::string address_of(const Json& spec) {
  const auto address = json::string_at(spec, "secret.base-url-nerdgraph");
  if (!address.empty()) return address;
  const bool europe = text::iequals(text::trim(json::string_at(spec, "secret.region")), "eu");
  return europe ? "https://api.eu.newrelic.com/graphql" : "https://api.newrelic.com/graphql";
}

Result<HttpRequest> request(const Json& spec, TimePoint) {
  Fields fields(spec);
  auto asked = decode(fields);
  if (auto error = first_error(kName, fields)) return std::move(*error);
  const auto key = secret_text(kName, spec, "personal-api-key"),
             account = secret_text(kName, spec, "account-id");
  if (!key) return key.error();
  if (!account) return account.error();
  const auto number = text::parse_int(*account);
  if (!number) return Error{ErrorCode::kInvalid, "newRelic: account-id in the Secret: expected a number"};
  auto& out = asked.request;
  out.method = "POST";
  out.url = address_of(spec);
  out.headers = {{"API-Key", *key}, {"Content-Type", "application/json"}};
  out.body = json::dump({{"query", kQuery}, {"variables", {{"account", *number}, {"nrql", asked.query}}}});
  return std::move(out);
}

// The numbers of a result, in the order of its members' names; percentiles are objects of their own. Times
// and the names of facets are none of them.
bool add_numbers(const Answer& from, const Json& result, Reading& reading) {
  static const std::set<std::string, std::less<>> kNoFigures{"beginTimeSeconds", "endTimeSeconds",
                                                             "timestamp", "facet", "comparison"};
  for (const auto& [name, value] : result.items()) {
    if (kNoFigures.contains(name) || value.is_string()) continue;
    if (value.is_object() && !add_numbers(from, value, reading)) return false;
    const auto number = number_of(value);
    if (number && !from.add(reading, *number)) return false;
  }
  return true;
}

Result<Reading> read(const Json& spec, const HttpAnswer& answer) {
  const Answer from(kName, spec, address_of(spec), answer);
  const auto document = from.document();
  if (!document) return document.error();
  const Json* results = json::find(*document, "data.actor.account.nrql.results");
  if (!json::array_at(*document, "errors").empty() || !results || !results->is_array()) {
    return from.error("expected results");
  }
  Reading reading;
  for (const auto& result : *results) {
    if (!result.is_object()) return from.error("expected results that are objects");
    if (!add_numbers(from, result, reading)) return from.too_many();
  }
  if (reading.values.empty() && !results->empty()) return from.error("expected numbers among the results");
  return reading;
}

}  // namespace

const Provider kNewRelic = {kName, check_by<decode>, request, read};

}  // namespace tidegate::metrics::providers
