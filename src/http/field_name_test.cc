// SPDX-License-Identifier: Apache-2.0
#include "http/field_name.h"

#include <gtest/gtest.h>

#include <string>

namespace tidegate::http {
namespace {

struct KnownCase {
  const char* name;
  KnownField known;
};

constexpr KnownCase kKnown[] = {
    {"connection", KnownField::kConnection},
    {"content-length", KnownField::kContentLength},
    {"expect", KnownField::kExpect},
    {"forwarded", KnownField::kForwarded},
    {"host", KnownField::kHost},
    {"keep-alive", KnownField::kKeepAlive},
    {"proxy-connection", KnownField::kProxyConnection},
    {"te", KnownField::kTe},
    {"transfer-encoding", KnownField::kTransferEncoding},
    {"upgrade", KnownField::kUpgrade},
    {"x-forwarded-for", KnownField::kXForwardedFor},
    {"x-forwarded-host", KnownField::kXForwardedHost},
    {"x-forwarded-proto", KnownField::kXForwardedProto},
    {"x-request-id", KnownField::kXRequestId},
};

TEST(FieldName, KnowsItsFieldsInAnyCase) {
  for (const KnownCase& test : kKnown) {
    std::string name = test.name;
    EXPECT_EQ(known_field(name), test.known) << name;
    for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    EXPECT_EQ(known_field(name), test.known) << name;
  }
}

TEST(FieldName, KnowsNoneThatDiffersInAByte) {
  for (const KnownCase& test : kKnown) {
    const std::string name = test.name;
    for (std::size_t i = 0; i < name.size(); ++i) {
      for (const int bit : {1, 4, 0x40, 0x80}) {
        std::string other = name;
        other[i] = static_cast<char>(other[i] ^ bit);
        EXPECT_EQ(known_field(other), KnownField::kNone) << other;
      }
    }
    EXPECT_EQ(known_field(name + "x"), KnownField::kNone);
    EXPECT_EQ(known_field(name.substr(1)), KnownField::kNone);
  }
  EXPECT_EQ(known_field(""), KnownField::kNone);
  EXPECT_EQ(known_field("server"), KnownField::kNone);
}

TEST(FieldName, IsTheSameFromALiteralAndFromText) {
  constexpr FieldName literal("X-Request-Id");
  const std::string text = "x-request-id";
  EXPECT_EQ(literal.known, KnownField::kXRequestId);
  EXPECT_TRUE(literal.is(text, known_field(text)));
  EXPECT_TRUE(FieldName(text).is("X-REQUEST-ID", KnownField::kXRequestId));
  EXPECT_FALSE(literal.is("x-request-ie", KnownField::kNone));
}

}  // namespace
}  // namespace tidegate::http
