// SPDX-License-Identifier: Apache-2.0
// Layer 4 end to end, over real sockets: TCP and TLS connections that are carried on as they are.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/listener.h"
#include "net/openssl_peer.h"
#include "net/tls.h"
#include "proxy/testbed.h"

namespace tidegate::proxy::test {
namespace {

using namespace std::chrono_literals;

// Says its name to each connection, then sends back what comes until the client ends its side.
class EchoBackend {
 public:
  explicit EchoBackend(std::string name)
      : name_(std::move(name)), address_{own_ip(), 0}, listener_(listen_on(address_)) {
    acceptor_ = std::thread([this] {
      for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
        ++accepted_;
        threads_.emplace_back([this, fd] { serve(fd); });
      }
    });
  }
  ~EchoBackend() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    for (auto& thread : threads_) thread.join();
  }
  routing::Endpoint endpoint() const { return {address_.ip, address_.port, false}; }
  int accepted() const { return accepted_; }

 private:
  void serve(int fd) const {
    write_all(fd, name_);
    for (std::string in; read_some(fd, in); in.clear()) {
      if (!write_all(fd, in)) break;
    }
    ::close(fd);
  }

  std::string name_;
  net::Address address_;
  int listener_;
  std::atomic<int> accepted_{0};
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// A client's end of a tunnel.
class Line {
 public:
  explicit Line(const net::Address& address, int receive_buffer = 0)
      : fd_(connect_to(address, receive_buffer)) {}
  Line(Line&& other) noexcept : fd_(std::exchange(other.fd_, -1)), in_(std::move(other.in_)) {}
  ~Line() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool send(std::string_view bytes) { return write_all(fd_, bytes); }
  void end() { ::shutdown(fd_, SHUT_WR); }
  // So many bytes, or less where it ends.
  std::string read(std::size_t size) {
    while (in_.size() < size && read_some(fd_, in_)) {
    }
    const auto out = in_.substr(0, size);
    in_.erase(0, size);
    return out;
  }
  bool ended() { return in_.empty() && !read_some(fd_, in_); }

 private:
  int fd_;
  std::string in_;
};

class TunnelTest : public ::testing::Test {
 protected:
  TunnelTest() : table(address) { table.listener().protocol = routing::Protocol::kTcp; }

  routing::Rule& route(std::vector<routing::WeightedBackend> backends) {
    auto& rule = table.rule("/", std::move(backends));
    rule.route.kind = "TCPRoute";
    rule.matches.clear();
    return rule;
  }
  std::uint32_t backend(const char* name, const EchoBackend& echo) {
    return table.backend(name, {echo.endpoint()});
  }
  void publish() { ASSERT_NO_FATAL_FAILURE(proxy->publish(table.build())); }
  bool metric_becomes(const char* family, const std::vector<std::string>& labels, double value) {
    return proxy->wait_until([&] { return proxy->metric(family, labels) == value; });
  }

  net::Address address = free_address();
  EchoBackend one{"A"}, other{"B"};
  TableBuilder table;
  std::unique_ptr<ProxyUnderTest> proxy = std::make_unique<ProxyUnderTest>(2);
};

TEST_F(TunnelTest, CarriesBytesBothWaysAndEndsEachWayOnItsOwn) {
  route({{backend("a", one)}});
  publish();
  Line line(address);
  EXPECT_EQ(line.read(1), "A");  // who connects need not speak first
  line.send("hello");
  EXPECT_EQ(line.read(5), "hello");
  line.send("last words");
  line.end();
  EXPECT_EQ(line.read(10), "last words");
  EXPECT_TRUE(line.ended());
  EXPECT_TRUE(metric_becomes("tidegate_backend_active_tunnels", {}, 0));
  EXPECT_EQ(proxy->metric("tidegate_backend_tunnels_total", {"backend=\"a\"", "route_kind=\"TCPRoute\""}), 1);
  EXPECT_EQ(proxy->metric("tidegate_backend_tunnel_bytes_total", {"direction=\"in\""}), 15);
  EXPECT_EQ(proxy->metric("tidegate_backend_tunnel_bytes_total", {"direction=\"out\""}), 16);
  EXPECT_TRUE(metric_becomes("tidegate_listener_connections", {}, 0));
}

TEST_F(TunnelTest, HoldsBackASenderThatASlowReaderCannotFollow) {
  constexpr std::size_t kBytes = 10 << 20;
  route({{backend("a", one)}});
  publish();
  Line line(address, 4096);
  EXPECT_EQ(line.read(1), "A");
  std::string sent(kBytes, ' ');
  for (std::size_t i = 0; i < kBytes; ++i) sent[i] = static_cast<char>(i * 31 >> 8);
  std::thread sender([&] {
    EXPECT_TRUE(line.send(sent));
    line.end();
  });
  // Nothing is read until nothing moves any more: what is on its way fits into the buffers of sockets.
  double carried = 0;
  int still = 0;
  EXPECT_TRUE(proxy->wait_until([&] {
    const double now = proxy->metric("tidegate_backend_tunnel_bytes_total", {"direction=\"out\""});
    still = now == std::exchange(carried, now) && now > 100'000 ? still + 1 : 0;
    return still == 20;
  }));
  EXPECT_LT(carried, kBytes);
  EXPECT_TRUE(line.read(kBytes) == sent);
  EXPECT_TRUE(line.ended());
  sender.join();
}

TEST_F(TunnelTest, SplitsConnectionsExactly) {
  route({{backend("a", one), 70}, {backend("b", other), 30}, {backend("c", other), 0}});
  publish();
  int of_one = 0;
  for (int i = 0; i < 100; ++i) of_one += Line(address).read(1) == "A";
  EXPECT_NEAR(of_one, 70, 1);
}

TEST_F(TunnelTest, AShareThatLeadsNowhereIsClosed) {
  route({{backend("a", one), 1}, {table.backend("gone", {}), 1, {}, "Service shop/gone does not exist"}});
  publish();
  int served = 0;
  for (int i = 0; i < 10; ++i) served += Line(address).read(1) == "A";
  EXPECT_EQ(served, 5);
  EXPECT_TRUE(metric_becomes("tidegate_backend_tunnel_failures_total", {"reason=\"no_endpoints\""}, 5));
}

TEST_F(TunnelTest, WithoutARouteConnectionsAreClosed) {
  publish();
  EXPECT_TRUE(Line(address).ended());
  EXPECT_TRUE(metric_becomes("tidegate_listener_refused_total", {"reason=\"no_route\""}, 1));
}

TEST_F(TunnelTest, TriesAnotherEndpointWhereOneRefuses) {
  const auto dead = free_address();
  route({{table.backend("a", {{dead.ip, dead.port, false}, one.endpoint()})}});
  publish();
  int served = 0;
  for (int i = 0; i < 20; ++i) served += Line(address).read(1) == "A";
  EXPECT_EQ(served, 20);
}

TEST_F(TunnelTest, WithoutAnyEndpointThatAnswersConnectionsAreClosed) {
  const auto dead = free_address();
  route({{table.backend("a", {{dead.ip, dead.port, false}})}});
  publish();
  EXPECT_TRUE(Line(address).ended());
  EXPECT_TRUE(metric_becomes("tidegate_backend_tunnel_failures_total", {"reason=\"connect_refused\""}, 1));
}

TEST_F(TunnelTest, ChangesOfEndpointsAndWeightsTouchNoOpenConnection) {
  const auto a = backend("a", one), b = backend("b", other);
  route({{a, 1}, {b, 0}});
  publish();
  Line old(address);
  EXPECT_EQ(old.read(1), "A");
  table.table.backends[a].endpoints = {other.endpoint()};
  publish();
  EXPECT_EQ(Line(address).read(1), "B");
  table.listener().rules.clear();
  publish();
  old.send("still here");
  EXPECT_EQ(old.read(10), "still here");
  table.table.listeners.clear();
  publish();
  old.send("and here");
  EXPECT_EQ(old.read(8), "and here");
}

TEST_F(TunnelTest, EndsWithTheGatewaysDrain) {
  Runtime::Options options;
  options.settings.drain_timeout = 200ms;
  proxy = std::make_unique<ProxyUnderTest>(1, options);
  route({{backend("a", one)}});
  publish();
  Line line(address);
  EXPECT_EQ(line.read(1), "A");
  std::thread stopping([&] { proxy->runtime->drain(); });
  line.send("goes on");
  EXPECT_EQ(line.read(7), "goes on");
  EXPECT_TRUE(line.ended());
  stopping.join();
}

TEST_F(TunnelTest, EndsWithItsLife) {
  Runtime::Options options;
  options.settings.tunnel_lifetime = 50ms;
  proxy = std::make_unique<ProxyUnderTest>(1, options);
  route({{backend("a", one)}});
  publish();
  Line line(address);
  EXPECT_EQ(line.read(1), "A");
  EXPECT_TRUE(line.ended());
}

// ---- TLS ----

// Shakes hands itself, tells the name that it was asked for, then echoes. On the test's own loop.
class TlsBackend {
 public:
  TlsBackend(net::EventLoop& loop, const net::KeyPair& authority, const std::string& name) {
    net::CertificateRequest request;
    request.common_name = name;
    request.dns_names = {name};
    auto tls = net::make_server_tls({*net::make_certificate(authority, request, system_clock().now())});
    auto opened = net::Listener::open(loop.io(), {{own_ip(), 0}}, [this, tls = *tls](net::TcpSocket socket) {
      handshakes_.push_back(net::accept_tls(std::move(socket), tls, [this](auto stream) {
        if (stream) serve(std::move(*stream));
      }));
    });
    EXPECT_TRUE(opened);
    listener_ = std::move(*opened);
  }
  routing::Endpoint endpoint() const { return {listener_->address().ip, listener_->address().port, false}; }

 private:
  void serve(std::shared_ptr<net::Stream> stream) {
    streams_.push_back(stream);
    text_ = "asked for " + std::string(stream->server_name());
    view_ = text_;
    stream->write({&view_, 1}, [](auto) {});
  }

  std::unique_ptr<net::Listener> listener_;
  std::vector<std::unique_ptr<net::Handshake>> handshakes_;
  std::vector<std::shared_ptr<net::Stream>> streams_;
  std::string text_;
  std::string_view view_;
};

class PassThroughTest : public TunnelTest {
 protected:
  PassThroughTest() { table.listener().protocol = routing::Protocol::kTls; }

  routing::Rule& route(std::vector<std::string> hostnames, std::uint32_t to) {
    auto& rule = TunnelTest::route({{to}});
    rule.route.kind = "TLSRoute";
    rule.hostnames = std::move(hostnames);
    return rule;
  }
  void certify(routing::Listener& listener, const std::string& name) {
    net::CertificateRequest request;
    request.common_name = name;
    request.dns_names = {name};
    const auto pair = net::make_certificate(authority, request, system_clock().now());
    listener.certificate_pem = pair->certificate_pem;
    listener.private_key_pem = pair->private_key_pem;
  }
  // What the backend says first over TLS for that name, asked like that; "error: ..." where there is none.
  std::string ask(const std::string& name, std::string_view request = {}) {
    net::ConnectOptions options;
    options.address = address;
    options.tls = *net::make_client_tls({authority.certificate_pem});
    options.server_name = name;
    std::string said;
    std::unique_ptr<net::Stream> line;
    char buffer[64];
    const auto connecting = net::connect(proxy->control.io(), options, [&](auto stream) {
      if (!stream) return void(said = "error: " + stream.error().detail);
      line = std::move(*stream);
      line->write({&request, 1}, [](auto) {});
      line->read(buffer, [&](Result<std::size_t> bytes) {
        said = bytes && *bytes != 0 ? std::string(buffer, *bytes) : "error: closed";
      });
    });
    EXPECT_TRUE(proxy->wait_until([&] { return !said.empty(); }));
    return said;
  }

  net::KeyPair authority = net::make_certificate_authority("test CA", system_clock().now()).value_or({});
};

TEST_F(PassThroughTest, TheBackendShakesHandsItself) {
  TlsBackend shop(proxy->control, authority, "shop.example");
  TlsBackend bank(proxy->control, authority, "a.bank.example");
  route({"shop.example"}, table.backend("shop", {shop.endpoint()}));
  route({"*.bank.example"}, table.backend("bank", {bank.endpoint()}));
  publish();
  EXPECT_EQ(ask("shop.example"),
            "asked for shop.example");  // the client has verified the backend's certificate
  EXPECT_EQ(ask("a.bank.example"), "asked for a.bank.example");
  EXPECT_TRUE(ask("else.example").starts_with("error: "));
  EXPECT_EQ(proxy->metric("tidegate_listener_refused_total", {"reason=\"no_route\""}), 1);
}

// Not a byte of an answer, and an end instead of a reset.
TEST_F(PassThroughTest, WhatIsNoTlsIsClosed) {
  route({"shop.example"}, backend("a", one));
  publish();
  Line line(address);
  line.send("GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n");
  EXPECT_TRUE(line.ended());
  EXPECT_TRUE(metric_becomes("tidegate_listener_refused_total", {"reason=\"no_client_hello\""}, 1));
  EXPECT_EQ(one.accepted(), 0);
}

TEST_F(PassThroughTest, SharesItsPortWithHttpsAndWithTlsThatEndsHere) {
  TlsBackend shop(proxy->control, authority, "shop.example");
  FakeBackend web("web");
  table.listener().hostname = "shop.example";
  route({"shop.example"}, table.backend("shop", {shop.endpoint()}));

  DraftListener https = table.listener();
  https.name = "https";
  https.hostname = "web.example";
  https.protocol = routing::Protocol::kHttp;
  https.rules[0].hostnames = {};
  https.rules[0].matches = {{}};
  https.rules[0].backends = {{table.backend("web", {web.endpoint()})}};
  certify(https, "web.example");
  table.table.listeners.push_back(https);

  DraftListener ends = table.listener();
  ends.name = "ends";
  ends.hostname = "raw.example";
  ends.rules[0].hostnames = {"raw.example"};
  ends.rules[0].backends = {{backend("raw", one)}};
  certify(ends, "raw.example");
  table.table.listeners.push_back(ends);
  publish();

  EXPECT_EQ(ask("shop.example"), "asked for shop.example");
  EXPECT_TRUE(ask("web.example", "GET / HTTP/1.1\r\nHost: web.example\r\n\r\n").starts_with("HTTP/1.1 200"));
  EXPECT_EQ(ask("raw.example"), "A");  // the backend sees what was in it
  EXPECT_TRUE(ask("else.example").starts_with("error: TLS"));
}

TEST_F(PassThroughTest, AClientThatKeepsTlsBusyIsCutAndCountedWhereItEndsHere) {
  certify(table.listener(), "raw.example");
  route({"raw.example"}, backend("raw", one));
  publish();
  net::test::OpensslClient client(address, {.name = "raw.example"});
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(client.read(), "A");
  EXPECT_LT(client.update_keys(1'000'000), 1'000'000);
  EXPECT_TRUE(metric_becomes("tidegate_limit_hits_total", {"limit=\"tls_chatter\""}, 1));
}

TEST_F(PassThroughTest, WhatEndsHereDoesNotGoOnInTheClearAgainstAPolicy) {
  const auto to = backend("raw", one);
  table.table.backends[to].tls = routing::BackendTls{"raw.example", {}, {}, authority.certificate_pem, {}};
  certify(table.listener(), "raw.example");
  route({"raw.example"}, to);
  publish();
  EXPECT_TRUE(ask("raw.example").starts_with("error: "));
  EXPECT_EQ(one.accepted(), 0);
}

}  // namespace
}  // namespace tidegate::proxy::test
