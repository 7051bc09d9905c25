// SPDX-License-Identifier: Apache-2.0
// InfluxDB 2: a Flux query, https://docs.influxdata.com/influxdb/v2/api/, answered as annotated CSV,
// https://docs.influxdata.com/influxdb/v2/reference/syntax/annotated-csv/.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "metrics/providers/answers.h"
#include "metrics/providers/csv.h"
#include "metrics/providers/rows.h"

namespace tidegate::metrics::providers {
namespace {

constexpr auto kName = "influxdb";
constexpr Duration kTimeout = std::chrono::seconds(30);
constexpr std::size_t kNone = std::string::npos;

struct Influxdb {
  HttpRequest request;
  std::string query;
};

Influxdb decode(Fields& fields) {
  Influxdb out;
  out.request = common_request(fields, "timeout", kTimeout);
  out.query = fields.need_text("query");
  const bool named = !fields.text("profile").empty();
  if (named == fields.has("secretRef")) {
    fields.complain("profile", "the name of a Secret with address, authToken and org");
  }
  return out;
}

Result<HttpRequest> request(const Json& spec, TimePoint) {
  Fields fields(spec);
  auto asked = decode(fields);
  if (auto error = first_error(kName, fields)) return std::move(*error);
  auto address = secret_text(kName, spec, "address");
  const auto token = secret_text(kName, spec, "authToken"), org = secret_text(kName, spec, "org");
  if (!address) return address.error();
  if (!token) return token.error();
  if (!org) return org.error();
  while (address->ends_with('/')) address->pop_back();
  auto& out = asked.request;
  out.method = "POST";
  out.url = *address + "/api/v2/query?org=" + url_encode(*org);
  out.headers = {{"Authorization", "Token " + *token},
                 {"Content-Type", "application/vnd.flux"},
                 {"Accept", "application/csv"}};
  out.body = asked.query;
  return std::move(out);
}

bool is_empty(const CsvRow& row) { return row.size() == 1 && row[0].empty(); }

std::size_t column(const CsvRow& header, std::string_view name) {
  const auto at = std::find(header.begin(), header.end(), name);
  return at == header.end() ? kNone : static_cast<std::size_t>(at - header.begin());
}

// Of a cell of `_value`; nothing where it is no number. Empty is null.
std::optional<double> value_of(const CsvRow& row, std::size_t at) {
  if (at >= row.size()) return std::nullopt;
  if (row[at].empty()) return std::numeric_limits<double>::quiet_NaN();
  if (row[at] == "true" || row[at] == "false") return row[at] == "true" ? 1 : 0;
  return number_of(Json(row[at]));
}

// Tables follow each other after empty lines, each with annotations (#datatype), a header and its rows.
Result<Reading> read(const Json& spec, const HttpAnswer& answer) {
  const Answer from(kName, spec, json::string_at(spec, "secret.address"), answer);
  if (auto error = from.refused()) return std::move(*error);
  const auto rows = parse_csv(from.body());
  if (!rows) return from.error("not CSV");
  Reading reading;
  bool header_comes = true;
  std::size_t at = kNone;
  for (const auto& row : *rows) {
    const bool annotation = row[0].starts_with('#');
    if (is_empty(row) || annotation) {
      header_comes = true;
    } else if (header_comes) {
      header_comes = false;
      at = column(row, "_value");
      if (at == kNone) return from.error("expected a table with the column _value");
    } else {
      const auto value = value_of(row, at);
      if (!value) return from.error("expected numbers in the column _value");
      if (!from.add(reading, *value)) return from.too_many();
    }
  }
  return reading;
}

}  // namespace

const Provider kInfluxdb = {kName, check_by<decode>, request, read};

}  // namespace tidegate::metrics::providers
