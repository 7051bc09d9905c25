// SPDX-License-Identifier: Apache-2.0
#include "metrics/providers/aws_signature.h"

#include "base/text.h"
#include "net/digest.h"

namespace tidegate::metrics::providers {
namespace {

std::string hex(const std::string& bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const unsigned char c : bytes) out.append({kDigits[c >> 4], kDigits[c & 15]});
  return out;
}

// 20150830T123600Z out of 2015-08-30T12:36:00Z.
std::string basic_time(TimePoint now) {
  std::string out;
  for (const char c : text::format_time(now)) {
    if (c != '-' && c != ':') out += c;
  }
  return out;
}

}  // namespace

void sign(AwsRequest& request, const AwsCredentials& credentials, TimePoint now) {
  constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
  const std::string time = basic_time(now), day = time.substr(0, 8);
  request.headers["x-amz-date"] = time;
  if (!credentials.session_token.empty()) request.headers["x-amz-security-token"] = credentials.session_token;

  std::string lines, names;
  for (const auto& [name, value] : request.headers) {
    lines += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  const std::string canonical = request.method + "\n" + request.path + "\n\n" + lines + "\n" + names + "\n" +
                                hex(net::sha256(request.body));
  const std::string scope = day + "/" + request.region + "/" + request.service + "/aws4_request";
  const std::string to_sign =
      std::string(kAlgorithm) + "\n" + time + "\n" + scope + "\n" + hex(net::sha256(canonical));
  std::string key = "AWS4" + credentials.secret_access_key;
  for (const std::string& part : {day, request.region, request.service, std::string("aws4_request")}) {
    key = net::hmac_sha256(key, part);
  }
  request.headers["authorization"] = std::string(kAlgorithm) + " Credential=" + credentials.access_key_id +
                                     "/" + scope + ", SignedHeaders=" + names +
                                     ", Signature=" + hex(net::hmac_sha256(key, to_sign));
}

}  // namespace tidegate::metrics::providers
