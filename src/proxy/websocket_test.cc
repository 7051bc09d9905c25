// SPDX-License-Identifier: Apache-2.0
// WebSockets through the proxy (RFC 6455): the handshake of its section 1.3 byte for byte, then bytes both
// ways. The proxy looks into no frame.
#include <gtest/gtest.h>

#include "proxy/websocket_testbed.h"

namespace tidegate::proxy::test {
namespace {

// The answer to the key of RFC 6455's example.
const std::string kAccept =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
class WebSocketTest : public ::testing::Test {
 protected:
  void serve() {
    table_.rule("/", {{table_.backend("chat", {backend_.endpoint()})}});
    proxy_.publish(table_.build());
  }
  bool has(const std::string& head, const std::string& line) {
    return head.find("\r\n" + line + "\r\n") != std::string::npos;
  }
  double codes(const std::string& code) {
    return proxy_.metric("tidegate_backend_requests_total", {"code=\"" + code + "\""});
  }

  EchoingBackend backend_;
  net::Address address_ = free_address();
  TableBuilder table_{address_};
  ProxyUnderTest proxy_{1, [] {
                          Runtime::Options options;
                          options.settings.drain_timeout = std::chrono::milliseconds(100);
                          return options;
                        }()};
};

TEST_F(WebSocketTest, TheHandshakePassesAndThenBytes) {
  serve();
  Socket client(address_);
  ASSERT_TRUE(client.send(kAsk));
  const std::string head = client.receive_head();
  EXPECT_TRUE(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n")) << head;
  for (const char* line : {"Upgrade: websocket", "Connection: upgrade", "Sec-WebSocket-Protocol: chat",
                           "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}) {
    EXPECT_TRUE(has(head, line)) << line << "\n" << head;
  }
  EXPECT_EQ(head.find("Transfer-Encoding"), std::string::npos) << head;
  for (const char* line : {"Upgrade: websocket", "Connection: upgrade", "Sec-WebSocket-Version: 13",
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Origin: http://example.com",
                           "Sec-WebSocket-Protocol: chat, superchat"}) {
    EXPECT_TRUE(has(backend_.asked(), line)) << line << "\n" << backend_.asked();
  }
  EXPECT_EQ(client.receive(kHello.size()), kHello);
  ASSERT_TRUE(client.send(kHelloMasked));
  EXPECT_EQ(client.receive(kHelloMasked.size()), kHelloMasked);
}

TEST_F(WebSocketTest, LargeDataPassesUnchangedUnderBackPressure) {
  serve();
  Socket client(address_);
  ASSERT_TRUE(client.send(kAsk));
  client.receive_head();
  client.receive(kHello.size());
  std::string data;
  for (int i = 0; data.size() < 4'000'000; ++i) data += std::to_string(i) + ",";
  std::thread sender([&] { client.send(data); });
  std::string got;
  // Nothing is read until the way is full.
  while (got.size() < data.size()) {
    const std::string more = client.receive(std::min<std::size_t>(data.size() - got.size(), 65'536));
    if (more.empty()) break;
    got += more;
  }
  sender.join();
  EXPECT_TRUE(got == data);
}

TEST_F(WebSocketTest, IsCountedAs101OnceItEnds) {
  serve();
  {
    Socket client(address_);
    ASSERT_TRUE(client.send(kAsk));
    client.receive_head();
    client.receive(kHello.size());
    EXPECT_EQ(proxy_.metric("tidegate_backend_active_requests"), 1);
    client.half_close();
    EXPECT_TRUE(client.ended()) << "the backend closes, and so do we";
  }
  EXPECT_TRUE(proxy_.wait_until([&] { return codes("101") == 1; })) << proxy_.metrics();
  EXPECT_EQ(proxy_.metric("tidegate_backend_active_requests"), 0);
  EXPECT_EQ(proxy_.metric("tidegate_backend_failures_total"), -1);
}

TEST_F(WebSocketTest, ChangesOfWeightsLeaveItOpen) {
  FakeBackend other("other");
  serve();
  Socket client(address_);
  ASSERT_TRUE(client.send(kAsk));
  client.receive_head();
  client.receive(kHello.size());
  const auto next = table_.backend("other", {other.endpoint()});
  for (std::uint32_t weight = 0; weight < 20; ++weight) {
    table_.listener().rules[0].backends = {{0, 20 - weight, {}, ""}, {next, weight, {}, ""}};
    proxy_.publish(table_.build());
    ASSERT_TRUE(client.send("still here"));
    ASSERT_EQ(client.receive(10), "still here") << weight;
  }
  table_.listener().rules[0].backends = {{next, 1, {}, ""}};
  table_.table.backends[0].endpoints.clear();
  proxy_.publish(table_.build());
  ASSERT_TRUE(client.send("and here"));
  EXPECT_EQ(client.receive(8), "and here");
}

TEST_F(WebSocketTest, ABackendThatSaysNoAnswersAsAnyOther) {
  FakeBackend web([](const std::string&) {
    return std::string("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  });
  table_.rule("/", {{table_.backend("web", {web.endpoint()})}});
  proxy_.publish(table_.build());
  Client client(address_);
  const auto reply = client.request(kAsk);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 403);
  EXPECT_EQ(reply->body, "no");
  EXPECT_EQ(client.get("/")->status, 403) << "the connection goes on";
}

TEST_F(WebSocketTest, WhatCannotBeOneIsRefused) {
  serve();
  Client client(address_);
  const std::string upgrade = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n";
  const auto post = client.request("POST / HTTP/1.1\r\nHost: h\r\n" + upgrade + "Content-Length: 1\r\n\r\nx");
  ASSERT_TRUE(post);
  EXPECT_EQ(post->status, 501);
  EXPECT_EQ(backend_.asked(), "");
}

TEST_F(WebSocketTest, WhoDidNotAskIsNotSwitched) {
  FakeBackend pushy([](const std::string&) { return kAccept; });
  table_.rule("/", {{table_.backend("pushy", {pushy.endpoint()})}});
  proxy_.publish(table_.build());
  Client client(address_);
  EXPECT_EQ(client.get("/")->status, 502);
  // Without Connection, or a key, Upgrade means nothing.
  EXPECT_EQ(client.get("/", "shop.example", "Upgrade: websocket\r\n")->status, 502);
}

TEST_F(WebSocketTest, TheProxysEndEndsIt) {
  serve();
  Socket client(address_);
  ASSERT_TRUE(client.send(kAsk));
  client.receive_head();
  client.receive(kHello.size());
  proxy_.runtime.reset();
  EXPECT_TRUE(client.ended());
}

}  // namespace
}  // namespace tidegate::proxy::test
