// SPDX-License-Identifier: Apache-2.0
#include "kube/status.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "http/message.h"

namespace tidegate::kube {

namespace {

struct ReasonCode {
  std::string_view reason;
  ErrorCode code;
};

// metav1.StatusReason, as far as it says more than the status code.
constexpr ReasonCode kReasons[] = {
    {"NotFound", ErrorCode::kNotFound},
    {"AlreadyExists", ErrorCode::kConflict},
    {"Conflict", ErrorCode::kConflict},
    {"Invalid", ErrorCode::kInvalid},
    {"BadRequest", ErrorCode::kInvalid},
    {"Forbidden", ErrorCode::kForbidden},
    {"Unauthorized", ErrorCode::kForbidden},
    {"Gone", ErrorCode::kGone},
    {"Expired", ErrorCode::kGone},
    {"TooManyRequests", ErrorCode::kUnavailable},
    {"ServerTimeout", ErrorCode::kUnavailable},
    {"ServiceUnavailable", ErrorCode::kUnavailable},
    {"InternalError", ErrorCode::kUnavailable},
    {"Timeout", ErrorCode::kTimeout},
};

ErrorCode code_of(int http_status) {
  switch (http_status) {
    case 401:
    case 403:
      return ErrorCode::kForbidden;
    case 404:
      return ErrorCode::kNotFound;
    case 409:
      return ErrorCode::kConflict;
    case 410:
      return ErrorCode::kGone;
    case 413:
      return ErrorCode::kLimit;
    case 429:
      return ErrorCode::kUnavailable;
    case 504:
      return ErrorCode::kTimeout;
  }
  if (http_status >= 500) return ErrorCode::kUnavailable;
  if (http_status >= 400) return ErrorCode::kInvalid;
  return ErrorCode::kInternal;  // 1xx and 3xx: not what an API server answers
}

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  if (text.size() > 1024) text.resize(1024);
  return std::string(text::trim(text));
}

std::optional<Duration> seconds(std::int64_t count) {
  if (count < 0 || count > 24 * 3600) return std::nullopt;
  return std::chrono::seconds(count);
}

}  // namespace

Error status_error(const Json& status, int http_status) {
  const auto reason = json::string_at(status, "reason");
  const auto number =
      static_cast<int>(std::clamp<std::int64_t>(json::int_at(status, "code", http_status), 0, 999));
  const auto* known = std::find_if(std::begin(kReasons), std::end(kReasons),
                                   [&](const ReasonCode& entry) { return entry.reason == reason; });
  Error error{known == std::end(kReasons) ? code_of(number) : known->code,
              one_line(json::string_at(status, "message"))};
  if (error.detail.empty()) error.detail = std::string(http::reason_phrase(number));
  error.detail += " (" + std::to_string(number) + (reason.empty() ? "" : " " + one_line(reason)) + ")";
  return error;
}

Refusal read_refusal(int http_status, const http::Headers& headers, std::string_view body) {
  Refusal refusal;
  const auto document = json::parse(body);
  if (document && json::string_at(*document, "kind") == "Status") {
    refusal.error = status_error(*document, http_status);
    refusal.retry_after = seconds(json::int_at(*document, "details.retryAfterSeconds", -1));
    if (refusal.retry_after == Duration(0)) refusal.retry_after.reset();
  } else {
    refusal.error = status_error(Json::object(), http_status);
  }
  if (const auto asked = headers.get("Retry-After")) {
    if (const auto count = text::parse_int(text::trim(*asked))) refusal.retry_after = seconds(*count);
  }
  return refusal;
}

}  // namespace tidegate::kube
