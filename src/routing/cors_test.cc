// SPDX-License-Identifier: Apache-2.0
#include "routing/cors.h"

#include <gtest/gtest.h>

#include <map>

namespace tidegate::routing {
namespace {

using Answers = std::map<std::string, std::string>;

http::RequestHead preflight(std::string_view origin, std::string_view headers = {}) {
  http::RequestHead head;
  head.method = "OPTIONS";
  head.target = "/";
  head.headers.add("Origin", origin);
  head.headers.add("Access-Control-Request-Method", "PUT");
  if (!headers.empty()) head.headers.add("Access-Control-Request-Headers", headers);
  return head;
}

// Without the common prefix of their names.
Answers answered(const Cors& cors, const http::RequestHead& request) {
  Answers out;
  for (const HeaderChange& header : answer_preflight(cors, request)) {
    const bool ours = header.name.starts_with("access-control-");
    out[ours ? header.name.substr(15) : header.name] = header.value;
  }
  return out;
}

Answers applied(const Cors& cors, std::string_view origin) {
  http::Headers headers{{"Access-Control-Allow-Origin", "https://from.backend"}, {"Vary", "Accept"}};
  apply_cors(cors, origin, headers);
  Answers out;
  for (const auto& field : headers) out[std::string(field.name)] += std::string(field.value) + ";";
  return out;
}

TEST(Cors, WhichOriginsMatch) {
  struct Case {
    std::string allowed, origin;
    bool matches;
  };
  const Case cases[] = {
      {"*", "https://any.example", true},
      {"*", "null", true},
      {"https://a.example", "https://a.example", true},
      {"https://a.example", "https://A.Example", true},
      {"https://a.example", "http://a.example", false},
      {"https://a.example", "https://a.example:443", true},
      {"http://a.example:80", "http://a.example", true},
      {"https://a.example", "https://a.example:8443", false},
      {"https://a.example:8443", "https://a.example:8443", true},
      {"https://*.example", "https://a.example", true},
      {"https://*.example", "https://b.a.example", true},
      {"https://*.example", "https://.example", false},
      {"https://*.example", "https://example", false},
      {"https://*.example", "https://evil-example", false},
      {"https://*.example", "https://a.example.evil", false},
      {"https://*", "https://whatever", true},
      {"https://*", "http://whatever", false},
      {"http://[::1]:8080", "http://[::1]:8080", true},
      {"http://[::1]", "http://[::1]:80", true},
      {"https://a.example", "null", false},
      {"https://a.example", "", false},
      {"https://a.example", "https://a.example@evil", false},
      {"app://here", "app://here", true},
  };
  for (const Case& c : cases)
    EXPECT_EQ(origin_matches(c.allowed, c.origin), c.matches) << c.allowed << " " << c.origin;
}

TEST(Cors, APreflightIsAnOptionsRequestThatSaysWhatWillCome) {
  EXPECT_TRUE(is_preflight(preflight("https://a.example")));
  for (const std::string_view gone : {"Origin", "Access-Control-Request-Method"}) {
    auto head = preflight("https://a.example");
    head.headers.remove(gone);
    EXPECT_FALSE(is_preflight(head)) << gone;
  }
  auto get = preflight("https://a.example");
  get.method = "GET";
  EXPECT_FALSE(is_preflight(get));
}

TEST(Cors, APreflightIsAnsweredByTheLists) {
  Cors cors;
  cors.allow_origins = {"https://b.example", "https://*.example"};
  cors.allow_methods = {"GET", "PUT"};
  cors.allow_headers = {"x-a", "x-b"};
  cors.expose_headers = {"x-c", "x-d"};
  cors.allow_credentials = true;
  cors.max_age = 600;
  const Answers all = {{"allow-origin", "https://a.example"},
                       {"allow-credentials", "true"},
                       {"allow-methods", "GET, PUT"},
                       {"allow-headers", "x-a, x-b"},
                       {"expose-headers", "x-c, x-d"},
                       {"max-age", "600"},
                       {"vary", "Origin"}};
  EXPECT_EQ(answered(cors, preflight("https://a.example", "x-a")), all);
  EXPECT_FALSE(answered(cors, preflight("https://a.example")).contains("allow-headers"));
  EXPECT_EQ(answered(cors, preflight("https://a.other", "x-a")), Answers());
}

TEST(Cors, AnyMeansAnyWithoutCredentialsAndWhatWasAskedWithThem) {
  Cors cors;
  cors.allow_origins = cors.allow_methods = cors.allow_headers = {"*"};
  EXPECT_EQ(
      answered(cors, preflight("https://a.example", "x-a")),
      (Answers{{"allow-origin", "*"}, {"allow-methods", "*"}, {"allow-headers", "*"}, {"max-age", "5"}}));
  cors.allow_credentials = true;
  EXPECT_EQ(answered(cors, preflight("https://a.example", "x-a,x-b")),
            (Answers{{"allow-origin", "https://a.example"},
                     {"allow-credentials", "true"},
                     {"allow-methods", "PUT"},
                     {"allow-headers", "x-a,x-b"},
                     {"max-age", "5"},
                     {"vary", "Origin"}}));
}

TEST(Cors, ResponsesCarryTheRoutesWordInPlaceOfTheBackends) {
  Cors cors;
  cors.allow_origins = {"https://a.example"};
  cors.expose_headers = {"x-c"};
  EXPECT_EQ(applied(cors, "https://a.example"),
            (Answers{{"access-control-allow-origin", "https://a.example;"},
                     {"access-control-expose-headers", "x-c;"},
                     {"Vary", "Accept;"},
                     {"vary", "Origin;"}}));
  EXPECT_EQ(applied(cors, "https://b.example"), (Answers{{"Vary", "Accept;"}, {"vary", "Origin;"}}));
  EXPECT_EQ(applied(cors, ""), (Answers{{"Access-Control-Allow-Origin", "https://from.backend;"},
                                        {"Vary", "Accept;"},
                                        {"vary", "Origin;"}}));
  cors.allow_origins = {"*"};
  EXPECT_EQ(applied(cors, "https://b.example"), (Answers{{"access-control-allow-origin", "*;"},
                                                         {"access-control-expose-headers", "x-c;"},
                                                         {"Vary", "Accept;"}}));
}

}  // namespace
}  // namespace tidegate::routing
