// SPDX-License-Identifier: Apache-2.0
// One request at a time, over real sockets: what reaches the backend and what the client gets.
#include <gtest/gtest.h>

#include "proxy/testbed.h"

namespace tidegate::proxy::test {
namespace {

using routing::WeightedBackend;
using namespace std::chrono_literals;

class ExchangeTest : public ::testing::Test {
 protected:
  net::Address address = free_address();
  TableBuilder table{address};
  ProxyUnderTest proxy;

  void publish() { proxy.publish(table.build()); }
};

bool has_line(const std::string& request, const std::string& line) {
  return request.find("\r\n" + line + "\r\n") != std::string::npos;
}

TEST_F(ExchangeTest, ForwardsByPathAndKeepsTheConnection) {
  FakeBackend web("web"), api("api");
  table.rule("/", {{table.backend("web", {web.endpoint()})}});
  table.rule("/api", {{table.backend("api", {api.endpoint()})}});
  publish();
  Client client(address);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.get("/x")->body, "web");
    EXPECT_EQ(client.get("/api/x")->body, "api");
  }
  EXPECT_EQ(web.connections(), 1);
}

TEST_F(ExchangeTest, HeadersAreAProxys) {
  FakeBackend web("web");
  table.rule("/", {{table.backend("web", {web.endpoint()})}});
  publish();
  Client client(address);
  ASSERT_TRUE(client.get("/x?q=1", "shop.example:8080",
                         "X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nConnection: "
                         "x-secret\r\nX-Secret: 1\r\nKeep-Alive: 5\r\n"
                         "traceparent: 00-a-b-01\r\n"));
  const std::string seen = web.last_request();
  EXPECT_TRUE(seen.starts_with("GET /x?q=1 HTTP/1.1\r\n")) << seen;
  EXPECT_TRUE(has_line(seen, "Host: shop.example:8080")) << seen;
  EXPECT_TRUE(has_line(seen, "x-forwarded-for: 127.0.0.1")) << seen;
  EXPECT_TRUE(has_line(seen, "x-forwarded-proto: http")) << seen;
  EXPECT_TRUE(has_line(seen, "x-forwarded-host: shop.example:8080")) << seen;
  EXPECT_TRUE(has_line(seen, "traceparent: 00-a-b-01")) << seen;
  EXPECT_NE(seen.find("x-request-id: "), std::string::npos) << seen;
  for (const char* gone : {"6.6.6.6", "X-Secret", "Keep-Alive"})
    EXPECT_EQ(seen.find(gone), std::string::npos) << seen;
  ASSERT_TRUE(client.get("/", "shop.example", "X-Request-Id: mine\r\n"));
  EXPECT_NE(web.last_request().find("mine"), std::string::npos);
}

TEST_F(ExchangeTest, ErrorsNameTheirReason) {
  table.rule("/none", {{table.backend("idle", {})}});
  WeightedBackend invalid;
  invalid.invalid = "Service shop/gone not found";
  table.rule("/invalid", {invalid});
  table.rule("/zero", {{0, 0, {}, ""}});
  table.rule("/empty", {});
  table.rule("/refused", {{table.backend("away", {{free_address().ip, free_address().port, false}})}});
  table.rule("/direct", {}).filters = {routing::DirectResponse{500, "no backendRefs"}};
  publish();
  struct Case {
    std::string path, more;
    int status;
    std::string token, body;
  };
  const Case cases[] = {
      {"/nowhere", "", 404, "no_route", "no route matches\n"},
      {"/a/../../b", "", 400, "bad_path", ""},
      {"/none", "", 503, "no_endpoints",
       "HTTPRoute shop/web rule 0: backend shop/idle:80: it has no endpoints\n"},
      {"/invalid", "", 500, "invalid_backend", "HTTPRoute shop/web rule 1: Service shop/gone not found\n"},
      {"/zero", "", 500, "no_backends", ""},
      {"/empty", "", 500, "no_backends", ""},
      {"/refused", "", 503, "connect_refused", ""},
      {"/direct", "", 500, "direct_response", "HTTPRoute shop/web rule 5: no backendRefs\n"},
  };
  Client client(address);
  for (const Case& c : cases) {
    const auto reply = client.get(c.path, "shop.example", c.more);
    ASSERT_TRUE(reply) << c.path;
    EXPECT_EQ(reply->status, c.status) << c.path;
    EXPECT_EQ(reply->headers.at("x-tidegate-error"), c.token);
    EXPECT_TRUE(reply->headers.at("content-type").starts_with("text/plain"));
    if (!c.body.empty()) {
      EXPECT_EQ(reply->body, c.body);
    }
  }
}

TEST_F(ExchangeTest, AHostThatNoListenerTakesIs404) {
  TableBuilder bound(address, "shop.example");
  bound.rule("/", {});
  proxy.publish(bound.build());
  Client client(address);
  EXPECT_EQ(client.get("/", "else.where")->headers.at("x-tidegate-error"), "no_listener");
  EXPECT_EQ(proxy.metric("tidegate_listener_requests_total", {"code=\"404\""}), 1);
}

TEST_F(ExchangeTest, GrpcClientsGetAGrpcStatus) {
  table.rule("/svc", {{table.backend("idle", {})}});
  publish();
  Client client(address);
  const auto reply = client.get("/svc", "h", "Content-Type: application/grpc\r\n");
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->headers.at("grpc-status"), "14");
}

TEST_F(ExchangeTest, FiltersChangeRequestAndResponse) {
  FakeBackend web("web");
  const auto backend = table.backend("web", {web.endpoint()});
  routing::HeaderModifier set, of_backend, response;
  set.set = {{"x-rule", "1"}};
  of_backend.set = {{"x-backend", "2"}};
  response.response = true;
  response.add = {{"x-answer", "3"}};
  table.rule("/old", {{backend, 1, {of_backend}, ""}}).filters = {
      set, routing::UrlRewrite{"in.example", {routing::PathRewrite::Kind::kPrefix, "/new"}}, response};
  table.rule("/moved", {}).filters = {routing::Redirect{"https", "", {}, 0, 301}};
  publish();
  Client client(address);
  const auto reply = client.get("/old/a?b=c");
  EXPECT_EQ(reply->headers.at("x-answer"), "3");
  const std::string seen = web.last_request();
  EXPECT_TRUE(seen.starts_with("GET /new/a?b=c ")) << seen;
  for (const char* line :
       {"Host: in.example", "x-rule: 1", "x-backend: 2", "x-forwarded-host: shop.example"}) {
    EXPECT_TRUE(has_line(seen, line)) << line << "\n" << seen;
  }
  const auto moved = client.get("/moved/x?y=1");
  EXPECT_EQ(moved->status, 301);
  EXPECT_EQ(moved->headers.at("location"), "https://shop.example/moved/x?y=1");
}

TEST_F(ExchangeTest, BrowsersOfOtherOriginsAreAnsweredByTheFilter) {
  FakeBackend web("web");
  routing::HeaderModifier hide;
  hide.remove = {"origin"};
  routing::Cors cors{{"https://a.example"}, {"PUT"}, {"x-a"}, {"x-b"}, true};
  table.rule("/", {{table.backend("web", {web.endpoint()})}}).filters = {hide, cors};
  publish();
  Client client(address);
  const std::string preflight = "OPTIONS / HTTP/1.1\r\nHost: h\r\nAccess-Control-Request-Method: PUT\r\n";
  const auto allowed = client.request(preflight + "Origin: https://a.example\r\n\r\n");
  ASSERT_TRUE(allowed);
  EXPECT_EQ(allowed->status, 204);
  EXPECT_EQ(allowed->headers.at("access-control-allow-origin"), "https://a.example");
  EXPECT_EQ(allowed->headers.at("access-control-allow-methods"), "PUT");
  const auto refused = client.request(preflight + "Origin: https://b.example\r\n\r\n");
  EXPECT_EQ(refused->status, 204);
  EXPECT_FALSE(refused->headers.contains("access-control-allow-origin"));
  EXPECT_EQ(web.requests(), 0) << "preflights are never forwarded";
  const auto reply = client.get("/", "h", "Origin: https://a.example\r\n");
  EXPECT_EQ(reply->body, "web");
  EXPECT_EQ(reply->headers.at("access-control-allow-origin"), "https://a.example");
  EXPECT_EQ(reply->headers.at("access-control-expose-headers"), "x-b");
  const auto other = client.get("/", "h", "Origin: https://b.example\r\n");
  EXPECT_EQ(other->body, "web");
  EXPECT_FALSE(other->headers.contains("access-control-allow-origin"));
  table.table.backends[0].endpoints.clear();
  publish();
  const auto error = client.get("/", "h", "Origin: https://a.example\r\n");
  EXPECT_EQ(error->status, 503);
  EXPECT_EQ(error->headers.at("access-control-allow-origin"), "https://a.example");
}

TEST_F(ExchangeTest, BodiesPassBothWays) {
  FakeBackend echo(
      [](const std::string& request) { return ok(request.substr(request.find("\r\n\r\n") + 4)); });
  table.rule("/", {{table.backend("echo", {echo.endpoint()})}});
  publish();
  const std::string body(3'000'000, 'x');
  Client client(address);
  const auto reply = client.request(
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body.size(), body.size());
  const auto chunked = client.request(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  ASSERT_TRUE(chunked);
  EXPECT_EQ(chunked->body, "abcde");
  const auto waits =
      client.request("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
  ASSERT_TRUE(waits);
  EXPECT_EQ(waits->body, "abc");
}

TEST_F(ExchangeTest, ResponsesWithoutBody) {
  FakeBackend web([](const std::string& request) {
    if (request.starts_with("HEAD")) return std::string("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    return std::string("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n");
  });
  table.rule("/", {{table.backend("web", {web.endpoint()})}});
  publish();
  Client client(address);
  ASSERT_TRUE(client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"));
  const auto head = client.receive(true);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->headers.at("content-length"), "5");
  EXPECT_EQ(client.get("/")->status, 304);
}

TEST_F(ExchangeTest, ASlowReaderDoesNotFillTheMemory) {
  const std::string large(8'000'000, 'y');
  FakeBackend web(large);
  table.rule("/", {{table.backend("web", {web.endpoint()})}});
  publish();
  Client client(address, 16 * 1024);
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  const auto reply = client.receive();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, large);
}

TEST_F(ExchangeTest, TimeoutsAre504AndCounted) {
  FakeBackend slow([](const std::string&) {
    std::this_thread::sleep_for(400ms);  // a backend's own slowness, not a wait of the test
    return ok("late");
  });
  const auto backend = table.backend("slow", {slow.endpoint()});
  table.rule("/request", {{backend}}).request_timeout = 60ms;
  table.rule("/backend", {{backend}}).backend_request_timeout = 60ms;
  table.rule("/patient", {{backend}}).request_timeout = 5s;
  publish();
  Client client(address);
  EXPECT_EQ(client.get("/request")->headers.at("x-tidegate-error"), "request_timeout");
  const auto reply = client.get("/backend");
  EXPECT_EQ(reply->status, 504);
  EXPECT_EQ(reply->headers.at("x-tidegate-error"), "backend_timeout");
  EXPECT_EQ(client.get("/patient")->body, "late");
  EXPECT_EQ(proxy.metric("tidegate_backend_failures_total", {"reason=\"timeout\""}), 2);
  EXPECT_EQ(proxy.metric("tidegate_backend_requests_total", {"code=\"504\""}), 2);
  EXPECT_TRUE(proxy.wait_until([&] { return proxy.metric("tidegate_backend_active_requests") == 0; }));
}

TEST_F(ExchangeTest, AResponseCutByTheBackendIsCutForTheClient) {
  FakeBackend liar(
      [](const std::string&) {
        return std::string("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
      },
      1);
  table.rule("/", {{table.backend("liar", {liar.endpoint()})}});
  publish();
  Client client(address);
  EXPECT_FALSE(client.get("/"));
  ASSERT_TRUE(proxy.wait_until(
      [&] { return proxy.metric("tidegate_backend_failures_total", {"reason=\"reset\""}) == 1; }));
  const auto counts = proxy.runtime->traffic();
  ASSERT_EQ(counts.size(), 1U);
  EXPECT_EQ(counts.begin()->second.failures, 1U);
}

TEST_F(ExchangeTest, APostIsNotRepeatedToABackendThatMayHaveSeenIt) {
  FakeBackend silent([](const std::string&) { return std::string(); });
  table.rule("/", {{table.backend("silent", {silent.endpoint()})}});
  publish();
  Client client(address);
  const auto reply = client.request("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 502);
  EXPECT_EQ(silent.requests(), 1);
}

TEST_F(ExchangeTest, AnotherEndpointIsTriedWhereOneRefuses) {
  FakeBackend up("up");
  table.rule("/",
             {{table.backend("mixed", {up.endpoint(), {free_address().ip, free_address().port, false}})}});
  publish();
  Client client(address);
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(client.request("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")->body, "up") << i;
  }
  EXPECT_EQ(proxy.metric("tidegate_backend_failures_total"), -1);
}

TEST_F(ExchangeTest, DrainingEndpointsServeOnlyWhereNothingElseIsLeft) {
  FakeBackend old("old"), fresh("fresh");
  auto leaving = old.endpoint();
  leaving.draining = true;
  const auto backend = table.backend("web", {leaving, fresh.endpoint()});
  table.rule("/", {{backend}});
  publish();
  Client client(address);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(client.get("/")->body, "fresh");
  EXPECT_EQ(proxy.metric("tidegate_backend_endpoints", {"state=\"draining\""}), 1);
  table.table.backends[backend].endpoints = {leaving};
  publish();
  EXPECT_EQ(client.get("/")->body, "old");
}

TEST_F(ExchangeTest, MirrorsGetACopyAndNeverAnswer) {
  FakeBackend web("web"), shadow([](const std::string&) {
    return std::string("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
  });
  const auto main = table.backend("web", {web.endpoint()});
  const auto copy = table.backend("shadow", {shadow.endpoint()});
  table.rule("/", {{main}}).filters = {routing::Mirror{copy}};
  publish();
  Client client(address);
  const auto reply =
      client.request("POST /a?b HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 3\r\n\r\nabc");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, "web");
  ASSERT_TRUE(proxy.wait_until([&] { return shadow.requests() == 1; }));
  const std::string seen = shadow.last_request();
  EXPECT_TRUE(seen.starts_with("POST /a?b ")) << seen;
  EXPECT_TRUE(has_line(seen, "Host: shop.example")) << seen;
  EXPECT_TRUE(seen.ends_with("\r\n\r\nabc")) << seen;
}

TEST_F(ExchangeTest, AClientThatLeavesIsNoFailureOfTheBackend) {
  std::atomic<bool> release{false};
  FakeBackend slow([&](const std::string&) {
    while (!release) std::this_thread::sleep_for(1ms);
    return ok("late");
  });
  table.rule("/", {{table.backend("slow", {slow.endpoint()})}});
  publish();
  {
    Client client(address);
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(proxy.wait_until([&] { return slow.requests() == 1; }));
  }
  EXPECT_TRUE(proxy.wait_until(
      [&] { return proxy.metric("tidegate_backend_requests_total", {"code=\"499\""}) == 1; }));
  release = true;
  EXPECT_EQ(proxy.runtime->traffic().begin()->second.failures, 0U);
  EXPECT_EQ(proxy.runtime->traffic().begin()->second.requests, 0U);
}

}  // namespace
}  // namespace tidegate::proxy::test
