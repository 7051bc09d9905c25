// SPDX-License-Identifier: Apache-2.0
#include "metrics/providers/answers.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "metrics/providers/limits.h"

namespace tidegate::metrics::providers {
namespace {

void collect(const Json* part, std::size_t least, std::vector<std::string>& secrets) {
  if (!part) return;
  if (part->is_string()) {
    const auto& text = part->get_ref<const std::string&>();
    if (text.size() >= least) secrets.push_back(text);
  } else if (part->is_structured()) {
    for (const auto& item : *part) collect(&item, least, secrets);
  }
}

// What a spec holds that must not be shown. Short texts stay, but for credentials: a header's "1" or a
// Secret's region "eu" is none, and hiding it would leave nothing to read.
std::vector<std::string> secrets_of(const Json& spec) {
  constexpr std::size_t kLeast = 4;
  std::vector<std::string> secrets;
  collect(json::find(spec, "secret"), kLeast, secrets);
  collect(json::find(spec, "authentication"), 1, secrets);
  for (const auto& header : json::array_at(spec, "headers")) {
    collect(json::find(header, "value"), kLeast, secrets);
  }
  return secrets;
}

}  // namespace

std::string origin_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return "an address without a scheme";
  const auto authority = url.substr(scheme + 3, url.find_first_of("/?#", scheme + 3) - scheme - 3);
  const auto at = authority.rfind('@');
  const auto host = at == std::string_view::npos ? authority : authority.substr(at + 1);
  return std::string(url.substr(0, scheme + 3)) + std::string(host);
}

HttpRequest common_request(Fields& fields, std::string_view timeout_key, Duration timeout) {
  HttpRequest request;
  request.timeout = fields.duration(timeout_key, timeout, kLeastTimeout, kMostTimeout);
  request.insecure_skip_verify = fields.flag("insecure");
  request.ca_pem = fields.text("caBundle");
  if (fields.has("secretRef")) fields.child("secretRef").need_text("name");
  fields.ignore("secret");
  return request;
}

void add_headers_and_authentication(Fields& fields, HttpRequest& request) {
  request.headers = fields.headers("headers");
  if (!fields.has("authentication")) return;
  auto by = fields.child("authentication");
  if (by.has("basicAuth") == by.has("bearer")) by.complain("", "basicAuth or bearer");
  std::string credentials;
  if (by.has("basicAuth")) {
    auto basic = by.child("basicAuth");
    credentials =
        "Basic " + text::base64_encode(basic.need_text("username") + ":" + basic.need_text("password"));
  }
  if (by.has("bearer")) {
    auto bearer = by.child("bearer");
    credentials = "Bearer " + std::string(text::trim(bearer.need_text("token")));
    if (credentials.find_first_of("\r\n") != std::string::npos)
      bearer.complain("token", "a text of one line");
  }
  request.headers.emplace_back("Authorization", credentials);
}

std::optional<Error> first_error(const char* provider, const Fields& fields) {
  const auto complaints = fields.complaints();
  if (complaints.empty()) return std::nullopt;
  const auto& first = complaints.front();
  return Error{ErrorCode::kInvalid, std::string(provider) + (first.field.empty() ? "" : "." + first.field) +
                                        (first.value.empty() ? " is missing: expected " : ": expected ") +
                                        first.expectation};
}

Result<std::string> secret_text(const char* provider, const Json& spec, const std::string& key) {
  const Json* data = json::find(spec, "secret");
  const auto at = data && data->is_object() ? data->find(key) : Json::const_iterator();
  if (data && data->is_object() && at != data->end() && at->is_string()) {
    const std::string value(text::trim(at->get_ref<const std::string&>()));
    const bool one_line = value.find_first_of("\r\n") == std::string::npos;
    if (!value.empty() && one_line) return value;
  }
  const auto name = secret_name(spec);
  return Error{ErrorCode::kInvalid, std::string(provider) + ": the Secret " +
                                        (name.empty() ? "" : name + " ") + "needs the key " + key +
                                        ", a text of one line"};
}

std::string url_encode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char c : text) {
    const bool unreserved = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out += static_cast<char>(c);
    } else {
      out.append({'%', kHex[c >> 4], kHex[c & 15]});
    }
  }
  return out;
}

std::string Answer::shown(std::string_view text) const {
  auto out = redact(std::string(text), secrets_of(*spec_));
  const bool cut = out.size() > kMaxShownBytes;
  if (cut) out.resize(kMaxShownBytes);
  for (auto& c : out) {
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = ' ';
  }
  // Through JSON, which puts marks where it is no UTF-8 or was cut in two.
  if (const auto valid = json::parse(json::dump(Json(out)))) out = valid->get<std::string>();
  return cut ? out + "..." : out;
}

Error Answer::error(std::string_view why) const {
  std::string detail =
      std::string(provider_) + " at " + origin_of(address_) + ": status " + std::to_string(answer_->status);
  if (!why.empty()) detail += ", " + shown(why);
  if (const auto body = text::trim(answer_->body); !body.empty()) detail += ": " + shown(body);
  return {code(), std::move(detail)};
}

ErrorCode Answer::code() const {
  const int status = answer_->status;
  if (status == 401 || status == 403) return ErrorCode::kForbidden;
  if (status == 408 || status == 429 || status >= 500) return ErrorCode::kUnavailable;
  return status >= 200 && status < 300 ? ErrorCode::kInternal : ErrorCode::kInvalid;
}

std::optional<Error> Answer::refused() const {
  if (answer_->status >= 200 && answer_->status < 300) return std::nullopt;
  return error("");
}

Result<Json> Answer::document() const {
  if (auto error = refused()) return std::move(*error);
  auto parsed = json::parse(answer_->body, kMaxAnswerBytes);
  if (!parsed) return error("not JSON");
  return parsed;
}

bool Answer::add(Reading& reading, double value) const {
  if (reading.values.size() >= kMaxValues) return false;
  reading.values.push_back(value);
  return true;
}

Error Answer::too_many() const {
  return {ErrorCode::kLimit, std::string(provider_) + " at " + origin_of(address_) + ": more than " +
                                 std::to_string(kMaxValues) + " values; aggregate in the query"};
}

std::optional<double> last_value(const Json& points, std::size_t at) {
  if (!points.is_array()) return std::nullopt;
  std::optional<double> last = std::numeric_limits<double>::quiet_NaN();
  for (const auto& point : points) {
    if (!point.is_array() || point.size() != 2) return std::nullopt;
    if (point[at].is_null()) continue;
    last = number_of(point[at]);
    if (!last) return std::nullopt;
  }
  return last;
}

std::optional<double> number_of(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (value.is_string()) return text::parse_double(text::trim(value.get_ref<const std::string&>()));
  return std::nullopt;
}

}  // namespace tidegate::metrics::providers
