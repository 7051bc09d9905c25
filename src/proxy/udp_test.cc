// SPDX-License-Identifier: Apache-2.0
// UDP end to end, over real sockets.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/testbed.h"

namespace tidegate::proxy::test {
namespace {

sockaddr_in to_sockaddr(const net::Address& address) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(address.port);
  inet_pton(AF_INET, address.ip.c_str(), &out.sin_addr);
  return out;
}

int udp_socket(const net::Address& local) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const sockaddr_in at = to_sockaddr(local);
  EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  return fd;
}

std::string receive(int fd, sockaddr_in& from, int patience_ms) {
  pollfd waiting{fd, POLLIN, 0};
  if (::poll(&waiting, 1, patience_ms) != 1) return "nothing";
  char bytes[2048];
  socklen_t size = sizeof from;
  const ssize_t got = ::recvfrom(fd, bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&from), &size);
  return got < 0 ? "error" : std::string(bytes, static_cast<std::size_t>(got));
}

// Sends each datagram back with its name in front.
class UdpEcho {
 public:
  explicit UdpEcho(std::string name) : name_(std::move(name)), fd_(udp_socket({own_ip(), 0})) {
    sockaddr_in at{};
    socklen_t size = sizeof at;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] {
      while (!stopping_) {
        sockaddr_in from{};
        const std::string in = receive(fd_, from, 20);
        if (in == "nothing") continue;
        const std::string out = name_ + in;
        ::sendto(fd_, out.data(), out.size(), 0, reinterpret_cast<const sockaddr*>(&from), sizeof from);
      }
      ::close(fd_);
    });
  }
  ~UdpEcho() {
    stopping_ = true;
    thread_.join();
  }
  routing::Endpoint endpoint() const { return {own_ip(), port_, false}; }

 private:
  std::string name_;
  int fd_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

class UdpClient {
 public:
  explicit UdpClient(const net::Address& to) : fd_(udp_socket({own_ip(), 0})) {
    const sockaddr_in at = to_sockaddr(to);
    ::connect(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at);
  }
  UdpClient(UdpClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~UdpClient() {
    if (fd_ >= 0) ::close(fd_);
  }
  void send(std::string_view datagram) { EXPECT_GE(::send(fd_, datagram.data(), datagram.size(), 0), 0); }
  std::string answer(int patience_ms = 5'000) {
    sockaddr_in from{};
    return receive(fd_, from, patience_ms);
  }
  std::string ask(std::string_view datagram) {
    send(datagram);
    return answer();
  }

 private:
  int fd_;
};

class UdpTest : public ::testing::Test {
 protected:
  UdpTest() : table(address) {
    table.listener().protocol = routing::Protocol::kUdp;
    auto& rule = table.rule(
        "/", {{table.backend("a", {one.endpoint()}), 1}, {table.backend("b", {other.endpoint()}), 0}});
    rule.route.kind = "UDPRoute";
    rule.matches.clear();
  }
  std::vector<routing::WeightedBackend>& choices() { return table.listener().rules[0].backends; }
  void publish() { ASSERT_NO_FATAL_FAILURE(proxy.publish(table.build())); }

  net::Address address = free_address();
  UdpEcho one{"A:"}, other{"B:"};
  TableBuilder table;
  ProxyUnderTest proxy{2};
};

TEST_F(UdpTest, EachClientGetsItsOwnAnswers) {
  publish();
  std::vector<UdpClient> clients;
  for (int i = 0; i < 20; ++i) clients.emplace_back(address);
  for (int i = 0; i < 20; ++i) clients[static_cast<std::size_t>(i)].send(std::to_string(i));
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(clients[static_cast<std::size_t>(i)].answer(), "A:" + std::to_string(i));
  EXPECT_EQ(clients[0].ask(std::string(1400, 'x')), "A:" + std::string(1400, 'x'));
  EXPECT_EQ(clients[0].ask(""), "A:");
  EXPECT_EQ(proxy.metric("tidegate_backend_tunnels_total", {"backend=\"a\"", "route_kind=\"UDPRoute\""}), 20);
  EXPECT_EQ(proxy.metric("tidegate_backend_active_tunnels", {"backend=\"a\""}), 20);
  EXPECT_EQ(proxy.metric("tidegate_backend_tunnel_bytes_total", {"direction=\"in\""}), 30 + 1400);
  EXPECT_TRUE(proxy.wait_until([&] {  // counted once it is sent
    return proxy.metric("tidegate_backend_tunnel_bytes_total", {"direction=\"out\""}) == 30 + 1400 + 22 * 2;
  }));
  EXPECT_EQ(proxy.metric("tidegate_listener_connections"), 20);
}

TEST_F(UdpTest, ClientsAreSplitExactlyAndStayWhereTheyAre) {
  choices()[0].weight = 7;
  choices()[1].weight = 3;
  publish();
  int of_one = 0;
  for (int i = 0; i < 50; ++i) {
    UdpClient client(address);
    const std::string first = client.ask("x");
    of_one += first == "A:x";
    EXPECT_EQ(client.ask("x"), first);
  }
  EXPECT_NEAR(of_one, 35, 1);
}

TEST_F(UdpTest, AShareThatLeadsNowhereIsNotAnswered) {
  choices()[1] = {0, 1, {}, "Service shop/gone does not exist"};
  publish();
  int answered = 0;
  for (int i = 0; i < 4; ++i) {
    UdpClient client(address);
    client.send("x");
    client.send("x");
    answered += client.answer(200) == "A:x";
  }
  EXPECT_EQ(answered, 2);
  EXPECT_EQ(proxy.metric("tidegate_backend_tunnel_failures_total", {"reason=\"no_endpoints\""}), 2);
}

TEST_F(UdpTest, AnEndpointThatIsGoneLosesItsClientsAndOthersStay) {
  publish();
  UdpClient client(address);
  EXPECT_EQ(client.ask("1"), "A:1");
  choices()[0].weight = 0;
  choices()[1].weight = 1;
  publish();
  EXPECT_EQ(client.ask("2"), "A:2");  // weights are dealt to new clients
  table.table.backends[0].endpoints.clear();
  publish();
  EXPECT_EQ(client.ask("3"), "B:3");
}

TEST_F(UdpTest, AnEndpointThatRefusesIsLeft) {
  const auto dead = free_address();
  table.table.backends[0].endpoints = {{dead.ip, dead.port, false}};
  publish();
  UdpClient client(address);
  client.send("1");
  EXPECT_TRUE(proxy.wait_until([&] {
    return proxy.metric("tidegate_backend_tunnel_failures_total", {"reason=\"connect_refused\""}) == 1;
  }));
  EXPECT_EQ(proxy.metric("tidegate_backend_active_tunnels", {"backend=\"a\""}), 0);
}

TEST_F(UdpTest, SharesAPortNumberWithTcp) {
  FakeBackend web("web");
  DraftListener http = table.listener();
  http.name = "http";
  http.protocol = routing::Protocol::kHttp;
  http.rules[0].matches = {{}};
  http.rules[0].backends = {{table.backend("web", {web.endpoint()})}};
  table.table.listeners.push_back(http);
  publish();
  EXPECT_TRUE(proxy.applied.back().failed.empty());
  EXPECT_EQ(UdpClient(address).ask("x"), "A:x");
  EXPECT_EQ(Client(address).get("/")->body, "web");
}

TEST_F(UdpTest, APortThatIsTakenIsSaidSo) {
  const int taken = udp_socket(address);
  publish();
  ASSERT_EQ(proxy.applied.back().failed.size(), 1U);
  EXPECT_EQ(proxy.applied.back().failed[0].first, net::to_string(address) + "/udp");
  ::close(taken);
}

TEST_F(UdpTest, ListensNoMoreOnceNoListenerNamesIt) {
  publish();
  UdpClient client(address);
  EXPECT_EQ(client.ask("1"), "A:1");
  table.table.listeners.clear();
  publish();
  client.send("2");
  EXPECT_EQ(client.answer(), "error");  // the host says that nobody is there
}

}  // namespace
}  // namespace tidegate::proxy::test
