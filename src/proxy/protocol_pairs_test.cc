// SPDX-License-Identifier: Apache-2.0
// What one HTTP message is must not depend on the protocols on either side: each test runs for all pairs.
#include <gtest/gtest.h>

#include <sstream>

#include "base/text.h"
#include "proxy/h2_testbed.h"

namespace tidegate::proxy::test {
namespace {

using namespace std::chrono_literals;
using FieldMap = std::map<std::string, std::string>;

FieldMap to_map(const http::Headers& headers) {
  FieldMap out;
  for (const auto& field : headers) out[text::lower(field.name)] = field.value;
  return out;
}

struct Seen {
  std::string method;
  FieldMap fields;  // headers, and trailers among them
  std::string body;
};
struct Answer {
  int status = 200;
  std::string body;
  std::string trailer;  // value of x-sum
  bool breaks_off = false;
};

class AnyBackend {
 public:
  using Handler = std::function<Answer(const Seen&)>;
  AnyBackend(bool h2, const Handler& handler, bool closes) {
    if (h2)
      h2_.emplace([handler](const H2Message& m) { return over_h2(m, handler); });
    else
      h1_.emplace([handler](const std::string& request) { return over_h1(request, handler); },
                  closes ? 1 : 0);
  }
  routing::Endpoint endpoint() const { return h2_ ? h2_->endpoint() : h1_->endpoint(); }

 private:
  static H2Answer over_h2(const H2Message& m, const Handler& handler) {
    Seen seen{m.request.method, to_map(m.request.headers), m.body};
    seen.fields.merge(to_map(m.trailers));
    const Answer given = handler(seen);
    H2Answer out;
    out.head.status = given.status;
    out.head_only = m.request.method == "HEAD" || given.status == 304;
    if (given.trailer.empty()) out.head.content_length = given.body.size();
    if (given.breaks_off) out.head.content_length = given.body.size() + 100;
    if (!out.head_only) out.body = given.body;
    if (!given.trailer.empty()) out.trailers = {{"x-sum", given.trailer}};
    out.breaks_off = given.breaks_off;
    return out;
  }
  static std::string over_h1(const std::string& request, const Handler& handler) {
    const auto end = request.find("\r\n\r\n");
    Seen seen{request.substr(0, request.find(' ')), {}, request.substr(end + 4)};
    for (const auto line : text::split(std::string_view(request).substr(0, end), '\n')) {
      const auto colon = line.find(": ");
      if (colon != std::string_view::npos)
        seen.fields[text::lower(line.substr(0, colon))] = text::trim(line.substr(colon + 2));
    }
    const Answer given = handler(seen);
    std::string out = "HTTP/1.1 " + std::to_string(given.status) + " X\r\n";
    const std::string size = std::to_string(given.body.size() + (given.breaks_off ? 100 : 0));
    if (given.trailer.empty()) {
      out += "Content-Length: " + size + "\r\n" + (given.breaks_off ? "Connection: close\r\n" : "") + "\r\n";
      return seen.method == "HEAD" || given.status == 304 ? out : out + given.body;
    }
    std::ostringstream hex;
    hex << std::hex << given.body.size();
    return out + "Transfer-Encoding: chunked\r\n\r\n" + hex.str() + "\r\n" + given.body +
           "\r\n0\r\nx-sum: " + given.trailer + "\r\n\r\n";
  }
  std::optional<H2Backend> h2_;
  std::optional<FakeBackend> h1_;
};

struct Pair {
  bool client_h2, backend_h2;
};

class ProtocolPairs : public ::testing::TestWithParam<Pair> {
 protected:
  void serve(const AnyBackend::Handler& handler, bool closes = false) {
    backend_ = std::make_unique<AnyBackend>(GetParam().backend_h2, handler, closes);
    const auto index = table_.backend("web", {backend_->endpoint()});
    if (GetParam().backend_h2) table_.table.backends[index].protocol = "h2c";
    table_.rule("/", {{index}});
    proxy_.publish(table_.build());
    if (GetParam().client_h2)
      h2_ = std::make_unique<H2Client>(address_);
    else
      h1_ = std::make_unique<Client>(address_);
  }
  std::optional<Reply> ask(const std::string& method, const std::string& body = {},
                           const std::string& trailer = {}, bool expect = false) {
    return GetParam().client_h2 ? ask_h2(method, body, trailer, expect)
                                : ask_h1(method, body, trailer, expect);
  }

 private:
  std::optional<Reply> ask_h2(const std::string& method, const std::string& body, const std::string& trailer,
                              bool expect) {
    http::RequestHead head;
    head.method = method;
    head.target = "/";
    head.authority = "shop.example";
    if (expect) head.headers.add("expect", "100-continue");
    if (!body.empty()) head.content_length = body.size();
    if (!trailer.empty()) head.content_length.reset();
    const auto id = h2_->ask(head, body.empty());
    h2_->send_data(id, body);
    h2_->send_end(id, trailer.empty() ? http::Headers{} : http::Headers{{"x-sum", trailer}});
    const auto got = h2_->receive(id);
    if (!got) return std::nullopt;
    Reply out{got->response.status, to_map(got->response.headers), got->body, to_map(got->trailers)};
    if (got->response.content_length)
      out.headers["content-length"] = std::to_string(*got->response.content_length);
    return out;
  }
  std::optional<Reply> ask_h1(const std::string& method, const std::string& body, const std::string& trailer,
                              bool expect) {
    std::string bytes = method + " / HTTP/1.1\r\nHost: shop.example\r\n";
    if (expect) bytes += "Expect: 100-continue\r\n";
    if (!trailer.empty()) {
      std::ostringstream hex;
      hex << std::hex << body.size();
      bytes += "Transfer-Encoding: chunked\r\n\r\n" + hex.str() + "\r\n" + body +
               "\r\n0\r\nx-sum: " + trailer + "\r\n\r\n";
    } else {
      if (!body.empty()) bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
      bytes += "\r\n" + body;
    }
    if (!h1_->send(bytes)) return std::nullopt;
    return h1_->receive(method == "HEAD");
  }

 protected:
  net::Address address_ = free_address();
  TableBuilder table_{address_};
  ProxyUnderTest proxy_;
  std::unique_ptr<AnyBackend> backend_;
  std::unique_ptr<H2Client> h2_;  // made with the listener
  std::unique_ptr<Client> h1_;
};

TEST_P(ProtocolPairs, BodiesPassBothWays) {
  serve([](const Seen& seen) { return Answer{200, seen.body}; });
  for (const std::size_t size : {1U, 100'000U, 1'000'000U}) {
    auto reply = ask("POST", std::string(size, 'x'));
    ASSERT_TRUE(reply) << size;
    EXPECT_EQ(reply->body.size(), size);
    EXPECT_EQ(reply->headers["content-length"], std::to_string(size));
  }
  EXPECT_EQ(ask("GET")->status, 200);
}

TEST_P(ProtocolPairs, TrailersPassBothWays) {
  serve([](const Seen& seen) {
    const auto sum = seen.fields.find("x-sum");
    return Answer{200, "body", sum == seen.fields.end() ? "none" : "back " + sum->second};
  });
  auto reply = ask("POST", "abc", "3");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, "body");
  EXPECT_EQ(reply->trailers["x-sum"], "back 3");
}

TEST_P(ProtocolPairs, HeadSaysHowLongABodyWouldBe) {
  serve([](const Seen&) { return Answer{200, "12345"}; });
  for (int i = 0; i < 2; ++i) {
    auto reply = ask("HEAD");
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->headers["content-length"], "5");
    EXPECT_EQ(reply->body, "");
  }
  EXPECT_EQ(ask("GET")->body, "12345");
}

TEST_P(ProtocolPairs, NotModifiedHasNoBody) {
  serve([](const Seen&) { return Answer{304}; });
  EXPECT_EQ(ask("GET")->status, 304);
  EXPECT_EQ(ask("GET")->status, 304);
}

TEST_P(ProtocolPairs, WhoWaitsFor100GetsItFromTheProxy) {
  serve([](const Seen& seen) {
    return Answer{200, seen.body + (seen.fields.contains("expect") ? " expected" : "")};
  });
  EXPECT_EQ(ask("POST", "abc", "", true)->body, "abc");
}

TEST_P(ProtocolPairs, WhatBreaksOffIsCut) {
  serve([](const Seen&) { return Answer{200, "only this", "", true}; }, true);
  EXPECT_FALSE(ask("GET"));
  EXPECT_TRUE(proxy_.wait_until(
      [&] { return proxy_.metric("tidegate_backend_failures_total", {"reason=\"reset\""}) == 1; }))
      << proxy_.metrics();
}

INSTANTIATE_TEST_SUITE_P(All, ProtocolPairs,
                         ::testing::Values(Pair{false, false}, Pair{false, true}, Pair{true, false},
                                           Pair{true, true}),
                         [](const auto& info) {
                           return std::string(info.param.client_h2 ? "h2_to_" : "h1_to_") +
                                  (info.param.backend_h2 ? "h2c" : "h1");
                         });

// ---- gRPC ----

class GrpcTest : public ::testing::Test {
 protected:
  std::uint32_t add(std::vector<routing::Endpoint> endpoints) {
    const auto index = table_.backend("echo", std::move(endpoints));
    table_.table.backends[index].protocol = "h2c";
    return index;
  }
  void publish() {
    proxy_.publish(table_.build());
    client_ = std::make_unique<H2Client>(address_);
  }
  static http::RequestHead call(const std::string& method) {
    http::RequestHead head;
    head.method = "POST";
    head.target = method;
    head.authority = "shop.example";
    head.content_length.reset();
    head.headers.add("content-type", "application/grpc");
    head.headers.add("grpc-timeout", "5S");
    return head;
  }
  H2Message unary(const std::string& method) {
    const auto id = client_->ask(call(method), false);
    client_->send_data(id, std::string("\0\0\0\0\1x", 6));
    client_->send_end(id);
    return client_->receive(id).value_or(H2Message{});
  }

  net::Address address_ = free_address();
  TableBuilder table_{address_};
  ProxyUnderTest proxy_;
  std::unique_ptr<H2Client> client_;
};

TEST_F(GrpcTest, AnAnswerKeepsItsStatusInTheTrailers) {
  H2Backend echo([](const H2Message& m) {
    H2Answer out;
    out.head.headers.add("content-type", "application/grpc");
    out.body = m.body;
    out.trailers = {{"grpc-status", "0"},
                    {"x-seen", std::string(m.request.headers.get("te").value_or("")) + " " +
                                   std::string(m.request.headers.get("grpc-timeout").value_or(""))}};
    return out;
  });
  table_.rule("/", {{add({echo.endpoint()})}});
  publish();
  const auto got = unary("/shop.Cart/Get");
  EXPECT_EQ(got.response.status, 200);
  EXPECT_EQ(got.body.size(), 6U);
  EXPECT_EQ(got.trailers.get("grpc-status"), "0");
  EXPECT_EQ(got.trailers.get("x-seen"), "trailers 5S");
}

TEST_F(GrpcTest, AnErrorOfTheBackendWithoutABodyPasses) {
  H2Backend echo([](const H2Message&) {
    H2Answer out;
    out.head.headers = {{"content-type", "application/grpc"}, {"grpc-status", "7"}};
    out.head_only = true;
    return out;
  });
  table_.rule("/", {{add({echo.endpoint()})}});
  publish();
  EXPECT_EQ(unary("/shop.Cart/Get").response.headers.get("grpc-status"), "7");
}

TEST_F(GrpcTest, StreamsGoBothWaysAtOnce) {
  H2Backend echo(H2Backend::echo_as_it_comes());
  table_.rule("/", {{add({echo.endpoint()})}});
  publish();
  const auto id = client_->ask(call("/shop.Cart/Watch"), false);
  std::string sent;
  for (int i = 0; i < 5; ++i) {
    const std::string message = "message " + std::to_string(i) + ";";
    client_->send_data(id, message);
    sent += message;
    ASSERT_TRUE(client_->wait_until([&] { return client_->got(id).body == sent; })) << i;
  }
  EXPECT_FALSE(client_->got(id).ended);
  client_->send_end(id);
  const auto got = client_->receive(id);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->trailers.get("grpc-status"), "0");
}

TEST_F(GrpcTest, ErrorsOfTheProxyAreGrpcStatuses) {
  table_.rule("/none/", {{add({})}});
  table_.rule("/refused/", {{add({{free_address().ip, free_address().port, false}})}});
  publish();
  struct Case {
    const char* method;
    const char* status;
  };
  for (const Case& c : {Case{"/none/M", "14"}, Case{"/refused/M", "14"}, Case{"/unknown/M", "12"}}) {
    const auto got = unary(c.method);
    EXPECT_EQ(got.response.status, 200) << c.method;
    EXPECT_EQ(got.response.headers.get("grpc-status"), c.status) << c.method;
    EXPECT_EQ(got.response.headers.get("content-type"), "application/grpc") << c.method;
    EXPECT_NE(got.response.headers.get("grpc-message").value_or(""), "") << c.method;
  }
}

TEST_F(GrpcTest, ALateAnswerIsADeadlineExceeded) {
  FakeBackend late([](const std::string&) {
    std::this_thread::sleep_for(300ms);  // a backend's own slowness, not a wait of the test
    return ok("late");
  });
  table_.rule("/", {{table_.backend("late", {late.endpoint()})}}).request_timeout = 60ms;
  publish();
  EXPECT_EQ(unary("/shop.Cart/Get").response.headers.get("grpc-status"), "4");
}

TEST_F(GrpcTest, ACallThatTheBackendRefusedIsSentAgain) {
  std::atomic<int> calls{0};
  H2Backend busy([&](const H2Message& m) {
    H2Answer out;
    out.refuses = ++calls == 1;
    out.body = m.body;
    return out;
  });
  table_.rule("/", {{add({busy.endpoint()})}});
  publish();
  EXPECT_EQ(unary("/shop.Cart/Get").body.size(), 6U);
  EXPECT_EQ(calls, 2);
}

TEST_F(GrpcTest, OneBackendConnectionCarriesManyStreams) {
  H2Backend echo(H2Backend::echo_as_it_comes());
  table_.rule("/", {{add({echo.endpoint()})}});
  publish();
  std::vector<http::H2StreamId> ids;
  for (int i = 0; i < 50; ++i) ids.push_back(client_->ask(call("/shop.Cart/Watch"), false));
  for (const auto id : ids) client_->send_data(id, "x");
  for (const auto id : ids) ASSERT_TRUE(client_->wait_until([&] { return client_->got(id).body == "x"; }));
  EXPECT_EQ(echo.connections(), 1);
  client_->reset(ids[0]);
  for (std::size_t i = 1; i < ids.size(); ++i) client_->send_end(ids[i]);
  for (std::size_t i = 1; i < ids.size(); ++i) EXPECT_TRUE(client_->receive(ids[i]));
}

}  // namespace
}  // namespace tidegate::proxy::test
