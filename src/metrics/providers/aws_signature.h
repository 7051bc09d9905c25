// SPDX-License-Identifier: Apache-2.0
// Signature Version 4 of AWS, for a request to one path without a query:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. Thread: any;
// pure.
#pragma once

#include <map>
#include <string>

#include "base/clock.h"

namespace tidegate::metrics::providers {

struct AwsCredentials {
  std::string access_key_id, secret_access_key;
  std::string session_token;  // empty: none
};

struct AwsRequest {
  std::string method, path, body;
  std::map<std::string, std::string> headers;  // names in lower case; `host` among them
  std::string region, service;
};

// Adds x-amz-date, x-amz-security-token and authorization to the headers.
void sign(AwsRequest& request, const AwsCredentials& credentials, TimePoint now);

}  // namespace tidegate::metrics::providers
