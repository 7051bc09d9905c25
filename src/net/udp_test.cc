// SPDX-License-Identifier: Apache-2.0
#include "net/udp.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "net/event_loop.h"

namespace tidegate::net {
namespace {

using namespace std::chrono_literals;

class Udp : public testing::Test {
 protected:
  void run_until(const std::function<bool()>& holds) {
    const auto limit = system_clock().steady_now() + 10s;
    while (!holds() && system_clock().steady_now() < limit) loop_.io().run_one_for(10ms);
    ASSERT_TRUE(holds());
  }
  std::unique_ptr<UdpSocket> echo() {
    auto bound =
        UdpSocket::bind(loop_.io(), {"127.0.0.1", 0}, false, [this](const auto& from, auto datagram) {
          ++heard_;
          server_->send_to(from, datagram);
        });
    EXPECT_TRUE(bound) << bound.error().detail;
    return bound ? std::move(*bound) : nullptr;
  }
  std::unique_ptr<UdpSocket> client(std::vector<std::string>& into) {
    auto connected = UdpSocket::connect(
        loop_.io(), server_->address(), [&into](const auto&, auto datagram) { into.emplace_back(datagram); },
        [this] { ++refused_; });
    EXPECT_TRUE(connected) << connected.error().detail;
    return connected ? std::move(*connected) : nullptr;
  }

  EventLoop loop_;
  std::unique_ptr<UdpSocket> server_;
  int heard_ = 0, refused_ = 0;
};

TEST_F(Udp, AnswersEachPeer) {
  server_ = echo();
  std::vector<std::string> a, b;
  const auto first = client(a), second = client(b);
  EXPECT_TRUE(first->send("one"));
  EXPECT_TRUE(second->send("two"));
  EXPECT_TRUE(first->send(""));
  EXPECT_TRUE(first->send(std::string(60'000, 'x')));
  run_until([&] { return a.size() == 3 && b.size() == 1; });
  EXPECT_EQ(a, (std::vector<std::string>{"one", "", std::string(60'000, 'x')}));
  EXPECT_EQ(b, std::vector<std::string>{"two"});
}

TEST_F(Udp, MoreThanOneTurnHandsOverAllArrive) {
  server_ = echo();
  std::vector<std::string> back;
  const auto peer = client(back);
  for (int i = 0; i < 150; ++i) peer->send(std::to_string(i));
  run_until([&] { return back.size() == 150; });
}

TEST_F(Udp, APeerThatDoesNotListenRefuses) {
  server_ = echo();
  std::vector<std::string> back;
  const auto peer = client(back);
  server_.reset();
  peer->send("anybody?");
  run_until([&] { return refused_ > 0; });
}

TEST_F(Udp, MayEndWithinItsOwnCallback) {
  auto bound = UdpSocket::bind(loop_.io(), {"127.0.0.1", 0}, false, [this](const auto&, auto) {
    ++heard_;
    server_.reset();
  });
  ASSERT_TRUE(bound);
  server_ = std::move(*bound);
  std::vector<std::string> back;
  const auto peer = client(back);
  peer->send("one");
  peer->send("two");
  run_until([&] { return heard_ > 0; });
  loop_.io().run_for(20ms);
  EXPECT_EQ(heard_, 1);
}

TEST_F(Udp, AnAddressThatIsTakenIsSaidSo) {
  server_ = echo();
  const auto taken = UdpSocket::bind(loop_.io(), server_->address(), false, [](const auto&, auto) {});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().detail, "address " + to_string(server_->address()) + " is in use");
  EXPECT_FALSE(UdpSocket::bind(loop_.io(), {"shop.example", 0}, false, [](const auto&, auto) {}));
}

}  // namespace
}  // namespace tidegate::net
