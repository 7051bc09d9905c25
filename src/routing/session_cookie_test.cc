// SPDX-License-Identifier: Apache-2.0
#include "routing/session_cookie.h"

#include <gtest/gtest.h>

namespace tidegate::routing {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::sys_seconds kStart{1'800'000'000s};
const SessionPersistence kPlain{"basket"};
const Session kSession{0xFEDCBA9876543210, 0x1, kStart, kStart + 60s};
const std::string kValue = "fedcba9876543210.1.6b49d200.6b49d23c";

std::optional<Session> read(const SessionPersistence& persistence, const std::string& cookies,
                            std::chrono::sys_seconds now = kStart + 60s) {
  http::Headers headers;
  headers.add("Cookie", cookies);
  return read_session(persistence, headers, now);
}

TEST(SessionCookie, SaysWhatItReads) {
  const std::string cookie = session_cookie(kPlain, kSession, {}, false);
  EXPECT_EQ(cookie, "basket=" + kValue + "; Path=/; HttpOnly; SameSite=Strict");
  EXPECT_EQ(read(kPlain, cookie.substr(0, cookie.find(';'))), kSession);
}

TEST(SessionCookie, OverTlsItStaysThere) {
  EXPECT_TRUE(session_cookie(kPlain, kSession, {}, true).ends_with("; Secure"));
}

TEST(SessionCookie, APermanentOneLastsAsLongAsTheSession) {
  SessionPersistence permanent{"basket", true, 10min};
  EXPECT_NE(session_cookie(permanent, kSession, {}, false).find("; Max-Age=540;"), std::string::npos);
}

TEST(SessionCookie, ThePathIsThatOfTheMatch) {
  using Kind = PathMatch::Kind;
  struct Case {
    PathMatch path;
    std::string attribute;
  };
  const Case cases[] = {{{Kind::kPrefix, "/"}, "/"},
                        {{Kind::kPrefix, "/shop"}, "/shop"},
                        {{Kind::kExact, "/shop/cart"}, "/shop/cart"},
                        {{Kind::kRegex, "/p1/p2/.*/p3"}, "/p1/p2"},
                        {{Kind::kRegex, "/p[12]/x"}, "/"},
                        {{Kind::kRegex, ".*"}, "/"},
                        {{Kind::kPrefix, "/a;b"}, "/"}};
  for (const Case& c : cases) {
    EXPECT_NE(session_cookie(kPlain, kSession, c.path, false).find("; Path=" + c.attribute + "; "),
              std::string::npos)
        << c.path.value;
  }
}

TEST(SessionCookie, IsFoundAmongOthersOfOneFieldOrSeveral) {
  EXPECT_EQ(read(kPlain, "a=b; basket=" + kValue + "; c=d"), kSession);
  EXPECT_EQ(read(kPlain, "a=b;basket=" + kValue), kSession);
  EXPECT_EQ(read(kPlain, "xbasket=1; basket=broken; basket=" + kValue), kSession);
  http::Headers crumbs{{"cookie", "a=b"}, {"cookie", "basket=" + kValue}};
  EXPECT_EQ(read_session(kPlain, crumbs, kStart), kSession);
}

TEST(SessionCookie, WhatIsNoneOfOursIsNone) {
  for (const std::string value : {"", "1.2.3", "1.2.3.4.5", "1.2.3.", "g.2.3.4", "-1.2.3.4", "1.2.3.4 5",
                                  "11111111111111111.2.3.4", "0x1.2.3.4", "1..2.3"}) {
    EXPECT_FALSE(read(kPlain, "basket=" + value)) << value;
  }
  EXPECT_FALSE(read(kPlain, "other=" + kValue));
  EXPECT_FALSE(read(kPlain, "Basket=" + kValue)) << "names of cookies have case";
  EXPECT_FALSE(read(kPlain, "basket"));
}

TEST(SessionCookie, EndsWhenItsTimeIsUp) {
  SessionPersistence absolute{"basket", false, 10min}, idle{"basket", false, 0ms, 5min};
  const std::string cookie = "basket=" + kValue;
  EXPECT_TRUE(read(absolute, cookie, kStart + 10min));
  EXPECT_FALSE(read(absolute, cookie, kStart + 10min + 1s));
  EXPECT_TRUE(read(idle, cookie, kStart + 6min));
  EXPECT_FALSE(read(idle, cookie, kStart + 6min + 1s));
  EXPECT_TRUE(read(kPlain, cookie, kStart + 24h));
}

}  // namespace
}  // namespace tidegate::routing
