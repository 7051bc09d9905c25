// SPDX-License-Identifier: Apache-2.0
// Metric providers: services that hold figures about a workload. Each is one row of a table: from its spec to
// one HTTP request, and from the answer to numbers. It sends nothing (fetch.h does) and judges nothing
// (judge.h does). Field names are those of Argo Rollouts where it has the provider. Total: a spec or an
// answer of any form gives numbers or an error, and an answer without numbers is an empty reading, never a
// number. Thread: none; pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace tidegate::metrics::providers {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Duration timeout{0};  // from start to the last byte of the answer
  std::string ca_pem;   // empty: the system's roots
  bool insecure_skip_verify = false;
};

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// What is wrong with a field of a spec.
struct Complaint {
  std::string field;        // headers[0].key
  std::string value;        // empty: the field is missing
  std::string expectation;  // "a duration such as 30s"
  friend bool operator==(const Complaint&, const Complaint&) = default;
};

struct Reading {
  std::vector<double> values;         // empty: no data. NaN and infinities as the service gave them
  std::vector<std::string> warnings;  // of the service, such as that its answer is partial
};

struct Provider {
  const char* name;  // the key under `provider:`

  // Of a spec as written. Text that holds {{ }} is not looked into.
  std::vector<Complaint> (*check)(const Json& spec);

  // Of a spec whose {{args}} are filled in. Where secret_name() names a Secret, its decoded data stand as
  // texts under `secret`. Errors name provider, field and expectation, never a value.
  Result<HttpRequest> (*request)(const Json& spec, TimePoint now);

  // Of the same spec and of any answer. Errors name provider, origin and status, and show the start of the
  // body without what the spec holds of secrets, headers and credentials. Arguments that came out of Secrets
  // are unknown here: the caller passes errors through redact().
  Result<Reading> (*read)(const Json& spec, const HttpAnswer& answer);
};

std::span<const Provider> provider_table();
const Provider* find_provider(std::string_view name);  // nullptr: none of that name

// The Secret that the spec asks for, in the namespace of its object: secretRef.name, or profile. Empty: none.
std::string secret_name(const Json& spec);

// `text` without the secrets, each replaced by a mark. Empty ones are ignored.
std::string redact(std::string text, const std::vector<std::string>& secrets);

}  // namespace tidegate::metrics::providers
