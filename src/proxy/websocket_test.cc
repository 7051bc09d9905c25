// SPDX-License-Identifier: Apache-2.0
// WebSockets through the proxy (RFC 6455): the handshake of its section 1.3 byte for byte, then bytes both
// ways. The proxy looks into no frame.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/testbed.h"

namespace tidegate::proxy::test {
namespace {

const std::string kAsk =
    "GET /chat HTTP/1.1\r\nHost: shop.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\n"
    "Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n";
const std::string kAccept =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
// RFC 6455 section 5.7: "Hello" with a mask, and without one.
const std::string kHelloMasked("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11);
const std::string kHello("\x81\x05Hello", 7);

// Grants what asks for a WebSocket, then sends back whatever comes until the other side ends.
class EchoingBackend {
 public:
  EchoingBackend() : address_{own_ip(), 0}, listener_(listen_on(address_)) {
    acceptor_ = std::thread([this] {
      for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;)
        threads_.emplace_back([this, fd] { serve(fd); });
    });
  }
  ~EchoingBackend() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    for (auto& thread : threads_) thread.join();
  }
  routing::Endpoint endpoint() const { return {address_.ip, address_.port, false}; }
  std::string asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  void serve(int fd) {
    std::string in;
    while (in.find("\r\n\r\n") == std::string::npos && read_some(fd, in)) {
    }
    {
      const std::lock_guard lock(mutex_);
      asked_ = in;
    }
    in.clear();
    // The first frame comes with the head, as of a server that greets.
    bool open = write_all(fd, kAccept + kHello);
    while (open && read_some(fd, in)) open = write_all(fd, std::exchange(in, {}));
    ::close(fd);
  }
  net::Address address_;
  int listener_;
  mutable std::mutex mutex_;
  std::string asked_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

class Socket {
 public:
  explicit Socket(const net::Address& address) : fd_(connect_to(address)) {}
  ~Socket() { ::close(fd_); }
  Socket(const Socket&) = delete;
  bool send(std::string_view bytes) { return write_all(fd_, bytes); }
  // Exactly so many bytes; fewer: the connection ended.
  std::string receive(std::size_t size) {
    while (in_.size() < size && read_some(fd_, in_)) {
    }
    std::string out = in_.substr(0, size);
    in_.erase(0, out.size());
    return out;
  }
  std::string receive_head() {
    std::size_t end;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
      if (!read_some(fd_, in_)) return {};
    }
    return receive(end + 4);
  }
  void half_close() { ::shutdown(fd_, SHUT_WR); }
  bool ended() { return in_.empty() && !read_some(fd_, in_) && in_.empty(); }

 private:
  int fd_;
  std::string in_;
};

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
                          options.drain_timeout = std::chrono::milliseconds(100);
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
                           "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}) {
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
  const auto h2c = table_.backend("grpc", {backend_.endpoint()});
  table_.table.backends[h2c].protocol = "h2c";
  table_.rule("/h2c", {{h2c}});
  proxy_.publish(table_.build());
  Client client(address_);
  const std::string upgrade = "Connection: upgrade\r\nUpgrade: websocket\r\n";
  EXPECT_EQ(client.get("/h2c", "shop.example", upgrade)->headers["x-tidegate-error"], "upgrade_unsupported");
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
  // Without Connection, or in HTTP/1.0, Upgrade means nothing.
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
