// SPDX-License-Identifier: Apache-2.0
// Any HTTP service that answers with JSON, of which a path picks the number.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_path.h"
#include "base/text.h"
#include "metrics/providers/answers.h"
#include "metrics/providers/rows.h"

namespace tidegate::metrics::providers {
namespace {

constexpr auto kName = "web";
constexpr Duration kTimeout = std::chrono::seconds(10);
constexpr std::string_view kWhole = "{$}";

std::string path_of(const Json& spec) { return json::string_at(spec, "jsonPath", kWhole); }

void add_body(Fields& fields, HttpRequest& request) {
  if (!fields.has("body") && !fields.has("jsonBody")) return;
  if (request.method == "GET") fields.complain("method", "POST or PUT, as there is a body");
  if (fields.has("body") && fields.has("jsonBody")) fields.complain("jsonBody", "body or jsonBody, not both");
  request.body = fields.has("jsonBody") ? json::dump(*fields.raw("jsonBody")) : fields.text("body");
  const bool typed = std::any_of(request.headers.begin(), request.headers.end(), [](const auto& header) {
    return text::iequals(header.first, "Content-Type");
  });
  if (fields.has("jsonBody") && !typed) request.headers.emplace_back("Content-Type", "application/json");
}

HttpRequest decode(Fields& fields) {
  auto request = common_request(fields, "timeoutSeconds", kTimeout);
  add_headers_and_authentication(fields, request);
  request.method = fields.one_of("method", {"GET", "POST", "PUT"});
  request.url = fields.url("url");
  add_body(fields, request);
  const auto path = fields.text("jsonPath");
  if (const auto parsed = json::select(Json(), path); !parsed && path.find("{{") == std::string::npos) {
    fields.complain("jsonPath", "a path such as {$.data.rate}; " + parsed.error().detail);
  }
  return request;
}

Result<HttpRequest> request(const Json& spec, TimePoint) {
  Fields fields(spec);
  auto out = decode(fields);
  if (auto error = first_error(kName, fields)) return std::move(*error);
  return out;
}

// A path that picks among several may well find none; one that names a place and finds nothing is a mistake
// in the path or an answer of another form.
bool may_find_nothing(std::string_view path) {
  return path.find('*') != std::string_view::npos || path.find('?') != std::string_view::npos;
}

Result<Reading> read(const Json& spec, const HttpAnswer& answer) {
  const Answer from(kName, spec, json::string_at(spec, "url"), answer);
  const auto document = from.document();
  if (!document) return document.error();
  const auto path = path_of(spec);
  auto found = json::select(*document, path);
  if (!found) return from.error(found.error().detail);
  if (found->empty() && !may_find_nothing(path)) return from.error("nothing at " + path);
  if (found->size() == 1 && found->front().is_array()) {
    const Json list = std::move(found->front());
    found->assign(list.begin(), list.end());
  }
  Reading reading;
  for (const auto& value : *found) {
    const auto number = number_of(value);
    if (!number) return from.error("expected a number, a text of one, or true or false at " + path);
    if (!from.add(reading, *number)) return from.too_many();
  }
  return reading;
}

}  // namespace

const Provider kWeb = {kName, check_by<decode>, request, read};

}  // namespace tidegate::metrics::providers
