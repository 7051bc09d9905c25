// SPDX-License-Identifier: Apache-2.0
#include "net/peek_hello.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "net/event_loop.h"
#include "net/limits.h"
#include "net/listener.h"

namespace tidegate::net {
namespace {

using namespace std::chrono_literals;

// A ClientHello of TLS 1.2 for shop.example, with nothing else in it.
const std::string kHello = [] {
  const std::string name = "shop.example";
  const std::string extension = std::string("\0\0\0\x11\0\x0f\0\0\x0c", 9) + name;
  const std::string body =
      "\x03\x03" + std::string(32, 'r') + std::string("\0\0\x02\xc0\x2b\x01\0\0\x15", 9) + extension;
  const auto length = [](std::size_t n) { return std::string{'\0', static_cast<char>(n)}; };
  const std::string message = std::string("\x01\0", 2) + length(body.size()) + body;
  return std::string("\x16\x03\x01") + length(message.size()) + message;
}();

class PeekHello : public testing::TestWithParam<EventLoop::Sockets> {
 protected:
  void SetUp() override {
    auto opened = Listener::open(loop_.io(), {{"127.0.0.1", 0}}, [this](TcpSocket socket) {
      peeking_ = peek_hello(std::move(socket), [this](Result<std::string> name, TcpSocket peeked) {
        ++answers_;
        name_ = name ? *name : "error: " + name.error().detail;
        if (name) server_ = make_tcp_stream(std::move(peeked));
      });
    });
    ASSERT_TRUE(opened);
    listener_ = std::move(*opened);
    ConnectOptions options;
    options.address = listener_->address();
    connecting_ = connect(loop_.io(), options, [this](auto stream) { client_ = std::move(*stream); });
    run_until([&] { return client_ && peeking_; });
  }
  void run_until(const std::function<bool()>& holds) {
    const auto limit = system_clock().steady_now() + 10s;
    while (!holds() && system_clock().steady_now() < limit) loop_.io().run_one_for(10ms);
    ASSERT_TRUE(holds());
  }
  void send(std::string_view bytes) {
    bool sent = false;
    client_->write({&bytes, 1}, [&](auto) { sent = true; });
    run_until([&] { return sent; });
  }
  std::string read_again(std::size_t size) {
    std::string received;
    char buffer[256];
    while (received.size() < size) {
      std::size_t got = 0;
      server_->read(buffer, [&](Result<std::size_t> bytes) { got = bytes ? *bytes : 0; });
      run_until([&] { return got > 0; });
      received.append(buffer, got);
    }
    return received;
  }

  EventLoop loop_{GetParam()};
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Handshake> peeking_, connecting_;
  std::unique_ptr<Stream> client_, server_;
  std::string name_;
  int answers_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Sockets, PeekHello,
                         testing::Values(EventLoop::Sockets::kAsio, EventLoop::Sockets::kPoller));

TEST_P(PeekHello, LeavesEveryByteToWhoeverComesNext) {
  send(kHello + "and more");
  run_until([&] { return answers_ > 0; });
  EXPECT_EQ(name_, "shop.example");
  EXPECT_EQ(read_again(kHello.size() + 8), kHello + "and more");
  send("!");  // no mark is left on the socket that would hold back a single byte
  EXPECT_EQ(read_again(1), "!");
}

TEST_P(PeekHello, WaitsForTheRest) {
  for (const char byte : kHello.substr(0, kHello.size() - 1)) send({&byte, 1});
  loop_.io().run_for(20ms);
  EXPECT_EQ(answers_, 0);
  send(kHello.substr(kHello.size() - 1));
  run_until([&] { return answers_ > 0; });
  EXPECT_EQ(name_, "shop.example");
}

TEST_P(PeekHello, RefusesWhatIsNone) {
  send("GET / HTTP/1.1\r\n\r\n");
  run_until([&] { return answers_ > 0; });
  EXPECT_EQ(name_, "error: no TLS handshake");
}

TEST_P(PeekHello, EndsWithAClientThatLeaves) {
  send(kHello.substr(0, 20));
  loop_.io().run_for(20ms);
  client_->close();
  run_until([&] { return answers_ > 0; });
  EXPECT_EQ(name_, "error: the client left within its ClientHello");
}

TEST_P(PeekHello, EndsWithAClientThatSendsNothing) {
  client_->close();
  run_until([&] { return answers_ > 0; });
  EXPECT_EQ(name_, "error: the client left within its ClientHello");
}

TEST_P(PeekHello, IsSilentOnceItIsGivenUp) {
  peeking_.reset();
  send(kHello);
  loop_.io().run_for(20ms);
  EXPECT_EQ(answers_, 0);
}

}  // namespace
}  // namespace tidegate::net
