// SPDX-License-Identifier: Apache-2.0
// Against the published test suite of Signature Version 4 (get-vanilla, post-vanilla, and with a body).
#include "metrics/providers/aws_signature.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace tidegate::metrics::providers {
namespace {

const TimePoint kThen = *text::parse_time("2015-08-30T12:36:00Z");
const AwsCredentials kExample{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};

AwsRequest vanilla(const char* method) {
  return {method, "/", "", {{"host", "example.amazonaws.com"}}, "us-east-1", "service"};
}

TEST(AwsSignature, AgreesWithThePublishedOnes) {
  auto get = vanilla("GET");
  sign(get, kExample, kThen);
  EXPECT_EQ(get.headers["x-amz-date"], "20150830T123600Z");
  EXPECT_EQ(get.headers["authorization"],
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  auto post = vanilla("POST");
  sign(post, kExample, kThen);
  EXPECT_TRUE(post.headers["authorization"].ends_with(
      "Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"))
      << post.headers["authorization"];
}

TEST(AwsSignature, CoversBodyHeadersAndToken) {
  auto plain = vanilla("POST");
  sign(plain, kExample, kThen);
  auto body = vanilla("POST");
  body.body = "x";
  sign(body, kExample, kThen);
  EXPECT_NE(body.headers["authorization"], plain.headers["authorization"]);
  auto token = vanilla("POST");
  sign(token, {kExample.access_key_id, kExample.secret_access_key, "t0ken"}, kThen);
  EXPECT_EQ(token.headers["x-amz-security-token"], "t0ken");
  EXPECT_NE(token.headers["authorization"].find("SignedHeaders=host;x-amz-date;x-amz-security-token,"),
            std::string::npos);
}

}  // namespace
}  // namespace tidegate::metrics::providers
