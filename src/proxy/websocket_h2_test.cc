// SPDX-License-Identifier: Apache-2.0
// WebSockets of HTTP/2 clients and to HTTP/2 backends (RFC 8441), in each pair of protocols; and how long one
// may last. The proxy looks into no frame.
#include <gtest/gtest.h>

#include <set>

#include "proxy/h2_testbed.h"
#include "proxy/websocket_testbed.h"

namespace tidegate::proxy::test {
namespace {

http::RequestHead ask_for(const std::string& path) {
  http::RequestHead head;
  head.method = "GET";
  head.target = path;
  head.authority = "shop.example";
  head.headers = {{"upgrade", "websocket"},
                  {"sec-websocket-version", "13"},
                  {"sec-websocket-protocol", "chat, superchat"}};
  return head;
}

// HTTP/2 with prior knowledge, and without SETTINGS_ENABLE_CONNECT_PROTOCOL.
class BackendWithoutTunnels {
 public:
  BackendWithoutTunnels() : address_{own_ip(), 0}, listener_(listen_on(address_)) {
    thread_ = std::thread([this] {
      for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0; ::close(fd)) {
        std::string in;
        bool open = write_all(fd, http::h2_frame(http::H2Frame::kSettings, 0, 0, {}));
        while (open && read_some(fd, in)) {
        }
      }
    });
  }
  ~BackendWithoutTunnels() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  routing::Endpoint endpoint() const { return {address_.ip, address_.port, false}; }

 private:
  net::Address address_;
  int listener_;
  std::thread thread_;
};

class WebSocketOverH2Test : public ::testing::Test {
 protected:
  void serve(Duration lifetime = kTunnelLifetime) {
    route("/h1", chat_.endpoint(), "");
    route("/h2", chat_over_h2_.endpoint(), "h2c");
    route("/none", none_.endpoint(), "h2c");
    route("/wrong", wrong_.endpoint(), "");
    Runtime::Options options;
    options.settings.drain_timeout = std::chrono::milliseconds(100);
    options.settings.tunnel_lifetime = lifetime;
    proxy_.emplace(1, options);
    proxy_->publish(table_.build());
  }
  void route(const std::string& path, const routing::Endpoint& endpoint, const std::string& protocol) {
    const auto backend = table_.backend(path.substr(1), {endpoint});
    table_.table.backends[backend].protocol = protocol;
    table_.rule(path, {{backend}});
  }
  double codes(const std::string& code) {
    return proxy_->metric("tidegate_backend_requests_total", {"code=\"" + code + "\""});
  }

  EchoingBackend chat_;
  H2Backend chat_over_h2_{H2Backend::echo_as_it_comes()};
  BackendWithoutTunnels none_;
  FakeBackend wrong_{[](const std::string&) { return granted("\r\nSec-WebSocket-Key: another\r\n"); }};
  net::Address address_ = free_address();
  TableBuilder table_{address_};
  std::optional<ProxyUnderTest> proxy_;
};

TEST_F(WebSocketOverH2Test, AnHttp1BackendIsAskedInItsOwnWay) {
  serve();
  H2Client client(address_);
  const auto id = client.ask(ask_for("/h1"), false);
  ASSERT_TRUE(client.wait_until([&] { return client.got(id).body == kHello; }));
  EXPECT_EQ(client.got(id).response.status, 101) << "as the codec tells of a 200";
  EXPECT_EQ(client.got(id).response.headers.get("sec-websocket-protocol"), "chat");
  const std::string asked = chat_.asked();
  EXPECT_TRUE(asked.starts_with("GET /h1 HTTP/1.1\r\n")) << asked;
  EXPECT_EQ(field(asked, "sec-websocket-key").size(), 24U) << asked;
  EXPECT_EQ(field(asked, "Upgrade"), "websocket") << asked;
  EXPECT_EQ(field(asked, "Connection"), "upgrade") << asked;
  EXPECT_EQ(field(asked, "sec-websocket-version"), "13") << asked;
  EXPECT_EQ(asked.find("chunked"), std::string::npos) << asked;
  client.send_data(id, kHelloMasked);
  EXPECT_TRUE(client.wait_until([&] { return client.got(id).body == kHello + kHelloMasked; }));
}

TEST_F(WebSocketOverH2Test, EachHasAKeyOfItsOwn) {
  serve();
  std::set<std::string> keys;
  for (int i = 0; i < 5; ++i) {
    H2Client client(address_);
    const auto id = client.ask(ask_for("/h1"), false);
    ASSERT_TRUE(client.wait_until([&] { return client.got(id).has_head; }));
    keys.insert(field(chat_.asked(), "sec-websocket-key"));
  }
  EXPECT_EQ(keys.size(), 5U);
}

TEST_F(WebSocketOverH2Test, AnHttp1ClientGetsTheAnswerToItsKeyFromAnH2cBackend) {
  serve();
  Socket client(address_);
  std::string ask = kAsk;
  ASSERT_TRUE(client.send(ask.replace(ask.find("/chat"), 5, "/h2")));
  const std::string head = client.receive_head();
  EXPECT_TRUE(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n")) << head;
  EXPECT_EQ(field(head, "sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") << head;
  EXPECT_EQ(field(head, "Upgrade"), "websocket") << head;
  ASSERT_TRUE(client.send(kHelloMasked));
  EXPECT_EQ(client.receive(kHelloMasked.size()), kHelloMasked);
  client.half_close();
  EXPECT_TRUE(client.ended());
  EXPECT_TRUE(proxy_->wait_until([&] { return codes("101") == 1; })) << proxy_->metrics();
}

TEST_F(WebSocketOverH2Test, StaysOverHttp2WhereBothSidesSpeakIt) {
  serve();
  H2Client client(address_);
  std::vector<http::H2StreamId> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(client.ask(ask_for("/h2"), false));
  for (const auto id : ids) client.send_data(id, "I am " + std::to_string(id));
  for (const auto id : ids) {
    const std::string expected = "I am " + std::to_string(id);
    EXPECT_TRUE(client.wait_until([&] { return client.got(id).body == expected; })) << client.got(id).body;
    client.send_end(id);
    EXPECT_TRUE(client.wait_until([&] { return client.got(id).ended; }));
  }
  EXPECT_EQ(chat_over_h2_.connections(), 1);
  EXPECT_TRUE(proxy_->wait_until([&] { return codes("101") == 10; })) << proxy_->metrics();
  EXPECT_EQ(proxy_->metric("tidegate_backend_failures_total"), -1);
}

TEST_F(WebSocketOverH2Test, WhatComesBeforeTheAnswerIsNotLost) {
  serve();
  for (const char* path : {"/h1", "/h2"}) {
    H2Client client(address_);
    const auto id = client.ask(ask_for(path), false);
    client.send_data(id, "early");
    client.send_end(id);
    ASSERT_TRUE(client.wait_until([&] { return client.got(id).ended; })) << path;
    EXPECT_TRUE(client.got(id).body.ends_with("early")) << path << client.got(id).body;
  }
}

TEST_F(WebSocketOverH2Test, LargeDataPassesUnchangedUnderBackPressure) {
  serve();
  std::string data;
  for (int i = 0; data.size() < 2'000'000; ++i) data += std::to_string(i) + ",";
  for (const char* path : {"/h1", "/h2"}) {
    H2Client client(address_);
    const auto id = client.ask(ask_for(path), false);
    client.send_data(id, data);
    client.send_end(id);
    ASSERT_TRUE(client.wait_until([&] { return client.got(id).ended; })) << path;
    EXPECT_TRUE(client.got(id).body.ends_with(data)) << path;
  }
}

TEST_F(WebSocketOverH2Test, ABackendThatOffersNoneIsNamed) {
  serve();
  H2Client client(address_);
  const auto id = client.ask(ask_for("/none"), false);
  ASSERT_TRUE(client.wait_until([&] { return client.got(id).ended; }));
  EXPECT_EQ(client.got(id).response.status, 501);
  EXPECT_EQ(client.got(id).response.headers.get("x-tidegate-error"), "upgrade_unsupported");
  EXPECT_NE(client.got(id).body.find("RFC 8441"), std::string::npos) << client.got(id).body;
  Client http1(address_);
  std::string ask = kAsk;
  EXPECT_EQ(http1.request(ask.replace(ask.find("/chat"), 5, "/none"))->status, 501);
  EXPECT_EQ(proxy_->metric("tidegate_backend_failures_total"), -1) << "clients can't make it look ill";
}

TEST_F(WebSocketOverH2Test, AWrongAnswerToTheKeyIsNoWebSocket) {
  serve();
  H2Client client(address_);
  const auto id = client.ask(ask_for("/wrong"), false);
  ASSERT_TRUE(client.wait_until([&] { return client.got(id).ended; }));
  EXPECT_EQ(client.got(id).response.status, 502);
  EXPECT_EQ(client.got(id).response.headers.get("x-tidegate-error"), "protocol");
  Client http1(address_);
  std::string ask = kAsk;
  EXPECT_EQ(http1.request(ask.replace(ask.find("/chat"), 5, "/wrong"))->status, 502);
}

TEST_F(WebSocketOverH2Test, PlainConnectStaysRefused) {
  serve();
  H2Client client(address_);
  http::RequestHead head = ask_for("/h1");
  head.method = "CONNECT";
  head.headers = {};
  client.ask(head, true);
  Client http1(address_);
  EXPECT_EQ(http1.request("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n")->status, 501);
  const auto after = client.ask(ask_for("/h1"), false);
  EXPECT_TRUE(client.wait_until([&] { return client.got(after).has_head; })) << "the connection goes on";
}

TEST_F(WebSocketOverH2Test, EndsWhenItsTimeIsUp) {
  serve(std::chrono::milliseconds(1));
  for (const char* path : {"/h1", "/h2"}) {
    H2Client client(address_);
    const auto id = client.ask(ask_for(path), false);
    EXPECT_TRUE(client.wait_until([&] { return client.got(id).ended; })) << path;
    EXPECT_EQ(client.got(id).response.status, 101);
  }
  EXPECT_TRUE(proxy_->wait_until([&] { return codes("101") == 2; })) << proxy_->metrics();
  EXPECT_EQ(proxy_->metric("tidegate_backend_failures_total"), -1);
}

TEST_F(WebSocketOverH2Test, TheProxysEndEndsIt) {
  serve();
  H2Client client(address_);
  const auto id = client.ask(ask_for("/h1"), false);
  ASSERT_TRUE(client.wait_until([&] { return client.got(id).has_head; }));
  proxy_->runtime.reset();
  EXPECT_FALSE(client.wait_until([&] { return client.got(id).ended; })) << "it was cut, and can be told";
}

}  // namespace
}  // namespace tidegate::proxy::test
