// SPDX-License-Identifier: Apache-2.0
// What every provider does with its request and its answer: the fields that all share, errors that name who
// answered what, numbers in the forms in which services write them. Total. Thread: none; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "metrics/providers/fields.h"

namespace tidegate::metrics::providers {

// `timeout` under the name `timeout_key`, `insecure`, `caBundle` and `secretRef`.
HttpRequest common_request(Fields& fields, std::string_view timeout_key, Duration timeout);
// `headers` and `authentication`: {basicAuth: {username, password}} or {bearer: {token}}.
void add_headers_and_authentication(Fields& fields, HttpRequest& request);

// A row's check(), out of what reads the spec's fields.
template <auto Decode>
std::vector<Complaint> check_by(const Json& spec) {
  Fields fields(spec);
  Decode(fields);
  return fields.complaints();
}

// The first complaint as an error of the provider; nothing where there is none.
std::optional<Error> first_error(const char* provider, const Fields& fields);

// The value that is latest among points in order of time, of which element `at` is the value and null is
// none: NaN where there is none at all; nothing where one is no point.
std::optional<double> last_value(const Json& points, std::size_t at);

// A text of the Secret's data, which the caller has put under `secret`.
Result<std::string> secret_text(const char* provider, const Json& spec, const std::string& key);

// What of a url may be shown: neither path nor query, which may hold a token, nor a name and password.
std::string origin_of(std::string_view url);

std::string url_encode(std::string_view text);  // all but RFC 3986's unreserved

// The answer of `provider` at `address`, of which the origin is shown.
class Answer {
 public:
  Answer(const char* provider, const Json& spec, std::string address, const HttpAnswer& answer)
      : provider_(provider), spec_(&spec), address_(std::move(address)), answer_(&answer) {}

  std::string_view body() const { return answer_->body; }
  Error error(std::string_view why) const;
  Result<Json> document() const;                   // of a 2xx answer; any other is an error
  std::optional<Error> refused() const;            // what is not 2xx
  std::string shown(std::string_view text) const;  // its start, printable, without secrets

  // Appends; false once there are more than conditions can use.
  bool add(Reading& reading, double value) const;
  Error too_many() const;

 private:
  ErrorCode code() const;
  const char* provider_;
  const Json* spec_;
  std::string address_;
  const HttpAnswer* answer_;
};

// Numbers, numeric texts ("1.5", "NaN", "+Inf"), booleans as 1 and 0; null is NaN. Nothing for all else.
std::optional<double> number_of(const Json& value);

}  // namespace tidegate::metrics::providers
