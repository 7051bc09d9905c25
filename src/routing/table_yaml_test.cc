// SPDX-License-Identifier: Apache-2.0
#include "routing/table_yaml.h"

#include <gtest/gtest.h>

namespace tidegate::routing {
namespace {

Table full_table() {
  Table table;
  table.generation = 7;
  table.backends = {Backend{"shop", "web", 80, "http", {{"127.0.0.1", 8080, false}, {"::1", 8081, true}}},
                    Backend{"shop", "web", 80, "h2c", {}}};
  Rule rule;
  rule.route = {"HTTPRoute", "shop", "web", 3};
  rule.name = "main";
  rule.hostnames = {"shop.example", "*.shop.example"};
  rule.matches = {{},
                  {{PathMatch::Kind::kExact, "/a"}, "GET", {{"x", "1"}}, {{"q", "[a-z]+", true}}},
                  {{PathMatch::Kind::kRegex, "/x.*"}}};
  rule.filters = {HeaderModifier{false, {{"a", "1"}}, {{"b", "yes"}}, {"c"}},
                  HeaderModifier{true, {{"d", "on"}}, {}, {}},
                  Redirect{"https", "h.example", {PathRewrite::Kind::kPrefix, "/n"}, 8443, 301},
                  UrlRewrite{"in.example", {PathRewrite::Kind::kFull, "/one"}},
                  Mirror{1, 3, 8},
                  Mirror{0},
                  DirectResponse{503, "no backends"},
                  Cors{{"https://*.example"}, {"GET"}, {"x-a"}, {"x-b"}, true, 60},
                  Cors{{"*"}}};
  rule.backends = {{0, 95, {HeaderModifier{false, {{"e", "5"}}, {}, {}}}, ""},
                   {1, 5, {}, "Service shop/gone not found"}};
  rule.request_timeout = std::chrono::milliseconds(1500);
  rule.backend_request_timeout = std::chrono::milliseconds(250);
  rule.retry = Retry{{500, 503}, 4, std::chrono::milliseconds(50)};
  rule.session = SessionPersistence{"basket", true, std::chrono::hours(1), std::chrono::minutes(5)};
  rule.sticky = StickySplit{"version", "v2"};
  Listener listener{"shop", "gate", "http", "127.77.0.1", 80, "*.example", "", "", {rule}};
  Rule tunnel;
  tunnel.route = {"TLSRoute", "shop", "raw", 1};
  tunnel.hostnames = {"raw.example"};
  tunnel.backends = {{0, 1, {}, ""}};
  table.listeners = {listener,
                     {"shop", "gate", "tls", "127.77.0.1", 443, "", "", "", {tunnel}, Protocol::kTls},
                     {"shop", "gate", "tcp", "127.77.0.1", 53, "", "", "", {}, Protocol::kTcp},
                     {"shop", "gate", "udp", "127.77.0.1", 53, "", "", "", {}, Protocol::kUdp}};
  return table;
}

TEST(TableYaml, ReadsBackWhatItWrote) {
  const Table table = full_table();
  const std::string text = to_yaml(table);
  const auto again = from_yaml(text);
  ASSERT_TRUE(again) << again.error().detail << "\n" << text;
  EXPECT_EQ(*again, table) << text;
}

TEST(TableYaml, DefaultsAreLeftOut) {
  Table table;
  table.backends = {Backend{"shop", "web", 80, "", {}}};
  Rule rule;
  rule.route = {"HTTPRoute", "shop", "web", 0};
  rule.name = "0";
  rule.matches = {{}};
  rule.backends = {{0, 1, {}, ""}};
  table.listeners = {{"shop", "gate", "http", "127.77.0.1", 80, "", "", "", {rule}}};
  EXPECT_EQ(to_yaml(table),
            "backends:\n"
            "- name: shop/web:80\n"
            "listeners:\n"
            "- address: 127.77.0.1\n"
            "  gateway: shop/gate\n"
            "  name: http\n"
            "  port: 80\n"
            "  rules:\n"
            "  - backends:\n"
            "    - backend: shop/web:80\n"
            "    matches:\n"
            "    - {}\n"
            "    name: \"0\"\n"
            "    route: HTTPRoute shop/web\n");
}

TEST(TableYaml, KeysNeverAppear) {
  Table table = full_table();
  table.listeners[0].certificate_pem = "CERTIFICATE-BYTES";
  table.listeners[0].private_key_pem = "PRIVATE-BYTES";
  const std::string text = to_yaml(table);
  EXPECT_EQ(text.find("BYTES"), std::string::npos) << text;
  EXPECT_NE(text.find("digest:"), std::string::npos) << text;
  const auto again = from_yaml(text);
  ASSERT_TRUE(again);
  EXPECT_EQ(to_yaml(*again), text);
}

TEST(TableYaml, WhatIsAskedOfClientsComesBackAsItWas) {
  Table table = full_table();
  table.listeners[0].clients = ClientValidation{"digest:1"};
  table.listeners[1].clients = ClientValidation{"digest:2", true};
  const auto again = from_yaml(to_yaml(table));
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(*again, table);
  table.listeners[0].clients->ca_pem = "AUTHORITY-BYTES";
  EXPECT_EQ(to_yaml(table).find("BYTES"), std::string::npos);
}

TEST(TableYaml, TlsOfBackendsComesBackAsItWas) {
  Table table = full_table();
  Backend first = table.backends[0], second = table.backends[1];
  first.tls = BackendTls{"cart.test", {"a.test", "b.test"}, {"spiffe://shop/cart"}, "digest:1", ""};
  first.tls->identity = {"Secret shop/client", "digest:2", ""};
  second.tls = BackendTls{"", {}, {}, "", "no CA certificate"};
  table.backends = {first, second};
  const auto again = from_yaml(to_yaml(table));
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(again->backends, table.backends);
}

TEST(TableYaml, ErrorsNameThePlace) {
  struct Case {
    const char* text;
    const char* error;
  };
  const Case cases[] = {
      {"listeners: 1", "listeners: expected a list"},
      {"generation: -1", "generation: expected an integer from 0"},
      {"lisseners: []", "lisseners: unknown field"},
      {"backends:\n- name: web", "backends[0].name: expected a port after ':'"},
      {"listeners:\n- gateway: a/b\n  port: 70000", "listeners[0].port: expected an integer from 0 to 65535"},
      {"listeners:\n- gateway: a/b\n  rules:\n  - route: HTTPRoute a/b\n    backends:\n    - backend: a/x:80",
       "listeners[0].rules[0].backends[0].backend: \"a/x:80\" names no backend of this table"},
      {"listeners:\n- gateway: a/b\n  clients: {insecureFallback: true}",
       "listeners[0].clients.ca: expected a CA certificate"},
      {"[]", "document: expected a mapping"},
  };
  for (const Case& c : cases) {
    const auto table = from_yaml(c.text);
    ASSERT_FALSE(table) << c.text;
    EXPECT_NE(table.error().detail.find(c.error), std::string::npos) << table.error().detail;
  }
}

}  // namespace
}  // namespace tidegate::routing
