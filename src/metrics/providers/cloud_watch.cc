// SPDX-License-Identifier: Apache-2.0
// CloudWatch: GetMetricData in its JSON form,
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html and, of the form,
// .../making-api-requests.html. The latest value of each query, in the order of the spec.
#include <limits>
#include <nlohmann/json.hpp>

#include "metrics/providers/answers.h"
#include "metrics/providers/aws_signature.h"
#include "metrics/providers/rows.h"

namespace tidegate::metrics::providers {
namespace {

constexpr auto kName = "cloudWatch";
constexpr Duration kTimeout = std::chrono::seconds(10);
constexpr Duration kInterval = std::chrono::minutes(5);

struct CloudWatch {
  HttpRequest request;
  Duration interval{};
  std::string region, address;
  Json queries = Json::array();
};

void put(Json& object, const char* name, const std::string& text) {
  if (!text.empty()) object[name] = text;
}

Json decode_metric(Fields fields) {
  Json out = Json::object();
  put(out, "Namespace", fields.need_text("namespace"));
  put(out, "MetricName", fields.need_text("metricName"));
  for (auto& dimension : fields.items("dimensions")) {
    out["Dimensions"].push_back(
        {{"Name", dimension.need_text("name")}, {"Value", dimension.need_text("value")}});
  }
  return out;
}

Json decode_statistic(Fields fields) {
  Json out = {{"Metric", decode_metric(fields.child("metric"))}};
  out["Period"] = fields.integer("period").value_or(60);
  if (!fields.has("period")) fields.complain("period", "seconds, such as 60");
  put(out, "Stat", fields.need_text("stat"));
  put(out, "Unit", fields.text("unit"));
  return out;
}

Json decode_query(Fields& fields) {
  Json out = {{"Id", fields.need_text("id")}};
  put(out, "Label", fields.text("label"));
  put(out, "Expression", fields.text("expression"));
  if (fields.has("metricStat")) out["MetricStat"] = decode_statistic(fields.child("metricStat"));
  if (out.contains("Expression") == out.contains("MetricStat"))
    fields.complain("", "expression or metricStat");
  if (const auto period = fields.integer("period")) out["Period"] = *period;
  out["ReturnData"] = !fields.has("returnData") || fields.flag("returnData");
  return out;
}

CloudWatch decode(Fields& fields) {
  CloudWatch out;
  out.request = common_request(fields, "timeout", kTimeout);
  out.interval = fields.duration("interval", kInterval, std::chrono::minutes(1), std::chrono::hours(24));
  out.region = fields.need_text("region");
  out.address = fields.address("address", "https://monitoring." + out.region + ".amazonaws.com");
  for (auto& query : fields.items("metricDataQueries")) out.queries.push_back(decode_query(query));
  if (out.queries.empty()) fields.complain("metricDataQueries", "one query at least");
  if (!fields.has("secretRef")) {
    fields.complain("secretRef", "the name of a Secret with access-key-id and secret-access-key");
  }
  return out;
}

Result<AwsCredentials> credentials_of(const Json& spec) {
  const auto id = secret_text(kName, spec, "access-key-id"),
             key = secret_text(kName, spec, "secret-access-key");
  if (!id) return id.error();
  if (!key) return key.error();
  return AwsCredentials{*id, *key, secret_text(kName, spec, "session-token").value_or("")};
}

Result<HttpRequest> request(const Json& spec, TimePoint now) {
  Fields fields(spec);
  auto asked = decode(fields);
  if (auto error = first_error(kName, fields)) return std::move(*error);
  const auto credentials = credentials_of(spec);
  if (!credentials) return credentials.error();
  const auto seconds = [](TimePoint time) { return time.time_since_epoch().count() / 1000; };
  AwsRequest call{"POST", "/", "", {}, asked.region, "monitoring"};
  call.headers = {{"host", asked.address.substr(asked.address.find("://") + 3)},
                  {"accept", "application/json"},
                  {"content-encoding", "amz-1.0"},
                  {"content-type", "application/json"},
                  {"x-amz-target", "GraniteServiceVersion20100801.GetMetricData"}};
  call.body = json::dump({{"StartTime", seconds(now - asked.interval)},
                          {"EndTime", seconds(now)},
                          {"ScanBy", "TimestampDescending"},
                          {"MetricDataQueries", asked.queries}});
  sign(call, *credentials, now);
  auto& out = asked.request;
  out.method = call.method;
  out.url = asked.address + call.path;
  call.headers.erase("host");  // signed, and sent by whoever sends the rest
  out.headers.assign(call.headers.begin(), call.headers.end());
  out.body = call.body;
  return std::move(out);
}

// The first of the values, which come latest first; NaN without any.
std::optional<double> latest(const Json& result) {
  const auto& values = json::array_at(result, "Values");
  return values.empty() ? std::numeric_limits<double>::quiet_NaN() : number_of(values.front());
}

Result<Reading> read(const Json& spec, const HttpAnswer& answer) {
  Fields fields(spec);
  const auto asked = decode(fields);
  const Answer from(kName, spec, asked.address, answer);
  const auto document = from.document();
  if (!document) return document.error();
  const Json* results = json::find(*document, "MetricDataResults");
  if (!results || !results->is_array()) return from.error("expected MetricDataResults");
  Reading reading;
  for (const auto& query : asked.queries) {
    for (const auto& result : *results) {
      if (json::string_at(result, "Id") != json::string_at(query, "Id")) continue;
      const auto status = json::string_at(result, "StatusCode");
      if (status != "Complete" && status != "PartialData") return from.error("a query has failed");
      const auto value = latest(result);
      if (!value) return from.error("expected numbers");
      if (!from.add(reading, *value)) return from.too_many();
    }
  }
  return reading;
}

}  // namespace

const Provider kCloudWatch = {kName, check_by<decode>, request, read};

}  // namespace tidegate::metrics::providers
