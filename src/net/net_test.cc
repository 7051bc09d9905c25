// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/event_loop.h"
#include "net/listener.h"
#include "net/task.h"
#include "net/tls.h"

namespace tidegate::net {
namespace {

using namespace std::chrono_literals;

// Serves one connection and connects to it; the ends are what a test talks through.
class Connected : public testing::TestWithParam<EventLoop::Sockets> {
 protected:
  void connect_plain() {
    listen([this](TcpSocket socket) { server_ = make_tcp_stream(std::move(socket)); });
    connect({});
  }
  void connect_tls(const ServerTlsOptions& server, const ClientTlsOptions& client, const std::string& name) {
    auto server_context = make_server_tls(server);
    ASSERT_TRUE(server_context) << server_context.error().detail;
    auto client_context = make_client_tls(client);
    ASSERT_TRUE(client_context) << client_context.error().detail;
    listen([this, context = *server_context](TcpSocket socket) {
      handshake_ = accept_tls(std::move(socket), context, [this](Result<std::unique_ptr<Stream>> stream) {
        if (stream)
          server_ = std::move(*stream);
        else
          server_error_ = stream.error().detail;
      });
    });
    ConnectOptions options;
    options.tls = *client_context;
    options.server_name = name;
    connect(options);
  }
  // Runs the loop until `holds`; fails after ten seconds.
  void run_until(const std::function<bool()>& holds) {
    const auto limit = system_clock().steady_now() + 10s;
    while (!holds() && system_clock().steady_now() < limit) loop_.io().run_one_for(10ms);
    ASSERT_TRUE(holds());
  }
  // Sends from one end and returns what the other reads.
  std::string pass(Stream& from, Stream& to, const std::string& text) {
    std::string received;
    char buffer[256];
    bool sent = false;
    std::function<void()> more = [&] {
      to.read(buffer, [&](Result<std::size_t> bytes) {
        if (!bytes || *bytes == 0) return;
        received.append(buffer, *bytes);
        if (received.size() < text.size()) more();
      });
    };
    more();
    const std::string_view half = std::string_view(text).substr(0, text.size() / 2);
    const std::string_view parts[] = {half, "", std::string_view(text).substr(half.size())};
    from.write(parts, [&](Result<void> done) { sent = done.has_value(); });
    run_until([&] { return sent && received.size() == text.size(); });
    return received;
  }

  EventLoop loop_{GetParam()};
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Handshake> handshake_, connecting_;
  std::unique_ptr<Stream> server_, client_;
  std::string server_error_, client_error_;

 private:
  void listen(std::function<void(TcpSocket)> accepted) {
    auto listener = Listener::open(loop_.io(), {{"127.0.0.1", 0}}, std::move(accepted));
    ASSERT_TRUE(listener) << listener.error().detail;
    listener_ = std::move(*listener);
  }
  void connect(ConnectOptions options) {
    options.address = listener_->address();
    connecting_ = net::connect(loop_.io(), options, [this](Result<std::unique_ptr<Stream>> stream) {
      if (stream)
        client_ = std::move(*stream);
      else
        client_error_ = stream.error().detail;
    });
    run_until([this] { return (client_ || !client_error_.empty()) && (server_ || !server_error_.empty()); });
  }
};

KeyPair authority() {
  static const KeyPair pair = make_certificate_authority("test CA", system_clock().now()).value_or({});
  return pair;
}

KeyPair leaf(const std::string& name, bool client) {
  CertificateRequest request;
  request.common_name = name;
  request.organization = "testers";
  request.client = client;
  if (!client) {
    request.dns_names = {name};
    request.ip_addresses = {"127.0.0.1"};
  }
  auto pair = make_certificate(authority(), request, system_clock().now());
  EXPECT_TRUE(pair) << pair.error().detail;
  return pair.value_or({});
}

ServerTlsOptions server_options() {
  ServerTlsOptions options;
  options.identity = leaf("gate.test", false);
  return options;
}

ClientTlsOptions client_options() {
  ClientTlsOptions options;
  options.ca_pem = authority().certificate_pem;
  return options;
}

INSTANTIATE_TEST_SUITE_P(Sockets, Connected,
                         testing::Values(EventLoop::Sockets::kAsio, EventLoop::Sockets::kPoller),
                         [](const auto& info) {
                           return info.param == EventLoop::Sockets::kAsio ? "Asio" : "Poller";
                         });

TEST_P(Connected, BytesPassBothWays) {
  connect_plain();
  EXPECT_EQ(pass(*client_, *server_, "from the client"), "from the client");
  EXPECT_EQ(pass(*server_, *client_, "and back"), "and back");
}

TEST_P(Connected, MoreThanASocketHoldsArrivesWhole) {
  connect_plain();
  std::string text;
  for (int i = 0; text.size() < 8'000'000; ++i) text += std::to_string(i);
  EXPECT_TRUE(pass(*client_, *server_, text) == text);
}

TEST_P(Connected, WhatIsPostedRunsInATurnOfItsOwnAlsoOnceClosed) {
  connect_plain();
  bool ran = false;
  client_->post([&] { ran = true; });
  EXPECT_FALSE(ran);
  client_->close();
  run_until([&] { return ran; });
  EXPECT_TRUE(ran);
}

TEST_P(Connected, AHalfCloseFollowsWhatIsBeingWritten) {
  connect_plain();
  const std::string_view text = "last words";
  client_->write({&text, 1}, [](Result<void>) {});
  client_->shutdown_write();
  char buffer[64];
  std::string received;
  bool ended = false;
  std::function<void()> more = [&] {
    server_->read(buffer, [&](Result<std::size_t> bytes) {
      ended = bytes.value_or(0) == 0;
      received.append(buffer, bytes.value_or(0));
      if (!ended) more();
    });
  };
  more();
  run_until([&] { return ended; });
  EXPECT_EQ(received, text);
}

TEST_P(Connected, ClosingSendsWhatWasWrittenBefore) {
  connect_plain();
  const std::string_view text = "last words";
  client_->write({&text, 1}, [](Result<void>) {});
  client_->close();
  char buffer[64];
  std::size_t bytes = 0;
  server_->read(buffer, [&](Result<std::size_t> result) { bytes = result.value_or(0); });
  run_until([&] { return bytes > 0; });
  EXPECT_EQ(std::string_view(buffer, bytes), text);
}

TEST_P(Connected, AResetIsNoProperEnd) {
  connect_plain();
  client_->reset();
  char buffer[8];
  std::optional<bool> proper;
  server_->read(buffer, [&](Result<std::size_t> result) { proper = result.has_value(); });
  run_until([&] { return proper.has_value(); });
  EXPECT_FALSE(*proper);
}

// The bytes belong to the callback, which the stream lets go of when nobody needs them any more.
TEST_P(Connected, AStreamMayGoWhileItsPeerReadsNothing) {
  connect_plain();
  auto bytes = std::make_shared<const std::string>(16'000'000, 'x');
  const std::string_view part = *bytes;
  bool told = false;
  client_->write({&part, 1}, [bytes, &told](Result<void>) { told = true; });
  const std::weak_ptr<const std::string> left = bytes;
  bytes.reset();
  loop_.io().run_for(20ms);
  EXPECT_FALSE(told);
  client_.reset();
  run_until([&] { return left.expired(); });
  EXPECT_FALSE(told);
}

TEST_P(Connected, WhatIsUnderWayEndsWithItsLoop) {
  const auto held = std::make_shared<int>(0);
  char buffer[8];
  {
    EventLoop loop(GetParam());
    std::unique_ptr<Stream> server, client;
    auto listener = Listener::open(loop.io(), {{"127.0.0.1", 0}}, [&](TcpSocket socket) {
      server = make_tcp_stream(std::move(socket));
      server->read(buffer, [held](Result<std::size_t>) {});
    });
    ASSERT_TRUE(listener);
    ConnectOptions options;
    options.address = (*listener)->address();
    auto connecting = net::connect(loop.io(), options, [&](Result<std::unique_ptr<Stream>> stream) {
      if (stream) client = std::move(*stream);
    });
    while (!client || !server) loop.io().run_one_for(10s);
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST_P(Connected, AClosedPeerReadsAsZeroBytes) {
  connect_plain();
  client_->close();
  char buffer[8];
  std::optional<std::size_t> bytes;
  server_->read(buffer, [&](Result<std::size_t> result) { bytes = result.value_or(99); });
  run_until([&] { return bytes.has_value(); });
  EXPECT_EQ(*bytes, 0u);
}

TEST_P(Connected, NoCallbackOutlivesItsStream) {
  connect_plain();
  char buffer[8];
  bool called = false;
  server_->read(buffer, [&](Result<std::size_t>) { called = true; });
  server_.reset();
  loop_.io().run_for(20ms);
  EXPECT_FALSE(called);
}

TEST_P(Connected, TlsVerifiesTheServerAndTellsNames) {
  connect_tls(server_options(), client_options(), "gate.test");
  ASSERT_TRUE(client_ && server_) << client_error_ << server_error_;
  EXPECT_EQ(server_->server_name(), "gate.test");
  EXPECT_EQ(server_->alpn(), "http/1.1");
  EXPECT_EQ(server_->peer_common_name(), "");
  EXPECT_EQ(pass(*client_, *server_, "secret"), "secret");
}

TEST_P(Connected, TlsVerifiesAddressesToo) {
  connect_tls(server_options(), client_options(), "127.0.0.1");
  ASSERT_TRUE(client_ && server_) << client_error_ << server_error_;
  EXPECT_EQ(server_->server_name(), "") << "a literal address was sent as server name";
}

TEST_P(Connected, TlsRefusesAnotherName) {
  connect_tls(server_options(), client_options(), "other.test");
  EXPECT_FALSE(client_);
  EXPECT_NE(client_error_.find("certificate verify failed"), std::string::npos) << client_error_;
}

TEST_P(Connected, TlsTellsAVerifiedClientsName) {
  auto server = server_options();
  server.client_ca_pem = authority().certificate_pem;
  server.require_client_certificate = true;
  auto client = client_options();
  client.identity = leaf("tester", true);
  connect_tls(server, client, "gate.test");
  ASSERT_TRUE(server_) << server_error_;
  EXPECT_EQ(server_->peer_common_name(), "tester");
}

TEST_P(Connected, TlsRefusesAClientWithoutTheRequiredCertificate) {
  auto server = server_options();
  server.client_ca_pem = authority().certificate_pem;
  server.require_client_certificate = true;
  connect_tls(server, client_options(), "gate.test");
  EXPECT_FALSE(server_);
}

TEST_P(Connected, TlsCarriesMoreThanASocketHolds) {
  connect_tls(server_options(), client_options(), "gate.test");
  ASSERT_TRUE(client_ && server_) << client_error_ << server_error_;
  std::string text;
  for (int i = 0; text.size() < 8'000'000; ++i) text += std::to_string(i);
  EXPECT_TRUE(pass(*client_, *server_, text) == text);
  EXPECT_TRUE(pass(*server_, *client_, text) == text);
}

// What was tried and not taken comes again with the next write, in its order, whatever was sealed of it.
TEST_P(Connected, WhatTlsCouldNotSendAtOnceIsSentOnce) {
  connect_tls(server_options(), client_options(), "gate.test");
  ASSERT_TRUE(client_ && server_) << client_error_ << server_error_;
  std::string text;
  for (int i = 0; text.size() < 16'000'000; ++i) text += std::to_string(i);
  std::size_t sent = 0;
  for (std::size_t taken = 1; taken > 0; sent += taken) {
    const std::string_view parts[] = {std::string_view(text).substr(sent, 100),
                                      std::string_view(text).substr(sent + 100, 50'000)};
    taken = server_->try_write(parts);
  }
  ASSERT_LT(sent, text.size()) << "the socket took it all: nothing was tried in vain";
  const std::string_view rest = std::string_view(text).substr(sent);
  const std::string_view first[] = {rest.substr(0, 1000)}, second[] = {rest.substr(1000)};
  bool written = false;
  server_->write(first, [&](Result<void>) {
    server_->write(second, [&](Result<void> result) { written = result.has_value(); });
  });
  std::string received;
  std::string buffer(100'000, 0);
  std::function<void()> more = [&] {
    client_->read(buffer, [&](Result<std::size_t> bytes) {
      received.append(buffer, 0, bytes.value_or(0));
      if (bytes.value_or(0) > 0) more();
    });
  };
  more();
  run_until([&] { return written && received.size() >= text.size(); });
  EXPECT_TRUE(received == text);
}

TEST_P(Connected, TheOtherWayStaysOpenBehindATlsGoodbye) {
  if (GetParam() == EventLoop::Sockets::kAsio) GTEST_SKIP() << "Asio reads on by itself until the peer's";
  connect_tls(server_options(), client_options(), "gate.test");
  ASSERT_TRUE(client_ && server_) << client_error_ << server_error_;
  client_->shutdown_write();
  char buffer[8];
  std::optional<std::size_t> ended;
  server_->read(buffer, [&](Result<std::size_t> bytes) { ended = bytes.value_or(99); });
  run_until([&] { return ended.has_value(); });
  EXPECT_EQ(*ended, 0u);
  EXPECT_EQ(pass(*server_, *client_, "the answer"), "the answer");
}

// RFC 8446 section 6.1: without a close_notify, what came may not be all.
TEST_P(Connected, ATlsStreamCutShortIsNoProperEnd) {
  connect_tls(server_options(), client_options(), "gate.test");
  ASSERT_TRUE(client_ && server_) << client_error_ << server_error_;
  client_->close();
  char buffer[8];
  std::optional<bool> proper;
  server_->read(buffer, [&](Result<std::size_t> result) { proper = result.has_value(); });
  run_until([&] { return proper.has_value(); });
  EXPECT_FALSE(*proper);
}

// Whatever has been received and not yet told when a Stream goes, must not reach the buffer that its caller
// gave: that may be gone too.
TEST_P(Connected, NoBufferIsWrittenAfterItsStreamIsGone) {
  for (int turns = 0; turns < 12; ++turns) {
    server_.reset();
    client_.reset();
    connect_tls(server_options(), client_options(), "gate.test");
    ASSERT_TRUE(client_ && server_) << client_error_ << server_error_;
    char buffer[16] = {};
    bool told = false;
    client_->read(buffer, [&](Result<std::size_t>) { told = true; });
    const std::string_view text = "late";
    server_->write({&text, 1}, [](Result<void>) {});
    for (int i = 0; i < turns && !told; ++i) loop_.io().poll_one();
    client_.reset();
    if (told) return;  // from here on the bytes always arrive in time
    loop_.io().poll();
    EXPECT_EQ(std::string_view(buffer), "") << "written after " << turns << " turns of the loop";
  }
}

class Polled : public Connected {};
INSTANTIATE_TEST_SUITE_P(Sockets, Polled, testing::Values(EventLoop::Sockets::kPoller));

TEST_P(Polled, WhatReadersPostComesBehindAllThatWasReady) {
  connect_plain();
  std::string order;
  char buffers[2][8];
  const auto read = [&](Stream& stream, std::span<char> into) {
    stream.read(into, [&](Result<std::size_t>) {
      order += 'r';
      stream.post([&] { order += 'p'; });
    });
  };
  read(*client_, buffers[0]);
  read(*server_, buffers[1]);
  const std::string_view text = "ready";
  client_->try_write({&text, 1});
  server_->try_write({&text, 1});
  run_until([&] { return order.size() == 4; });
  EXPECT_EQ(order, "rrpp");
}

class ListenerTest : public testing::TestWithParam<EventLoop::Sockets> {};
INSTANTIATE_TEST_SUITE_P(Sockets, ListenerTest,
                         testing::Values(EventLoop::Sockets::kAsio, EventLoop::Sockets::kPoller),
                         [](const auto& info) {
                           return info.param == EventLoop::Sockets::kAsio ? "Asio" : "Poller";
                         });

TEST_P(ListenerTest, SaysThatTheAddressIsInUse) {
  EventLoop loop(GetParam());
  auto first = Listener::open(loop.io(), {{"127.0.0.1", 0}}, [](TcpSocket) {});
  ASSERT_TRUE(first);
  auto second = Listener::open(loop.io(), {(*first)->address()}, [](TcpSocket) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().detail, "address " + to_string((*first)->address()) + " is in use");
}

TEST_P(ListenerTest, SharesAnAddressWhereAsked) {
  EventLoop loop(GetParam());
  auto first = Listener::open(loop.io(), {{"127.0.0.1", 0}, true}, [](TcpSocket) {});
  ASSERT_TRUE(first);
  auto second = Listener::open(loop.io(), {(*first)->address(), true}, [](TcpSocket) {});
  EXPECT_TRUE(second) << second.error().detail;
}

// One a turn, the last of many would wait for as many turns of a busy loop.
TEST_P(ListenerTest, AcceptsAllThatWaitInOneTurn) {
  EventLoop loop(GetParam());
  std::vector<TcpSocket> accepted;
  auto listener = Listener::open(loop.io(), {{"127.0.0.1", 0}},
                                 [&](TcpSocket socket) { accepted.push_back(std::move(socket)); });
  ASSERT_TRUE(listener);
  const asio::ip::tcp::endpoint address(asio::ip::make_address("127.0.0.1"), (*listener)->address().port);
  std::vector<AsioSocket> clients;
  for (int i = 0; i < 20; ++i) clients.emplace_back(loop.io().get_executor()).connect(address);
  loop.io().run_one();
  EXPECT_EQ(accepted.size(), clients.size());
}

TEST_P(ListenerTest, WhatItAcceptsNeitherBlocksNorWaitsForMoreToSend) {
  EventLoop loop(GetParam());
  std::optional<TcpSocket> accepted;
  auto listener = Listener::open(loop.io(), {{"127.0.0.1", 0}},
                                 [&](TcpSocket socket) { accepted.emplace(std::move(socket)); });
  ASSERT_TRUE(listener);
  AsioSocket client(loop.io().get_executor());
  client.connect({asio::ip::make_address("127.0.0.1"), (*listener)->address().port});
  while (!accepted) loop.io().run_one_for(10s);
  int no_delay = 0;
  socklen_t size = sizeof no_delay;
  ::getsockopt(accepted->descriptor(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
  EXPECT_EQ(no_delay, 1);
  EXPECT_NE(::fcntl(accepted->descriptor(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(accepted->peer_address(), "127.0.0.1:" + std::to_string(client.local_endpoint().port()));
}

// One that comes while others are served, more than a turn accepts.
TEST_P(ListenerTest, LeavesNobodyWaiting) {
  EventLoop loop(GetParam());
  int accepted = 0;
  auto listener = Listener::open(loop.io(), {{"127.0.0.1", 0}}, [&](TcpSocket) { ++accepted; });
  ASSERT_TRUE(listener);
  const asio::ip::tcp::endpoint address(asio::ip::make_address("127.0.0.1"), (*listener)->address().port);
  std::vector<AsioSocket> clients;
  for (int i = 0; i < 200; ++i) clients.emplace_back(loop.io().get_executor()).connect(address);
  const auto limit = system_clock().steady_now() + 10s;
  while (accepted < 200 && system_clock().steady_now() < limit) loop.io().run_one_for(10ms);
  EXPECT_EQ(accepted, 200);
}

TEST_P(ListenerTest, SaysThatTheAddressIsForeign) {
  EventLoop loop(GetParam());
  auto listener = Listener::open(loop.io(), {{"192.0.2.1", 0}}, [](TcpSocket) {});
  ASSERT_FALSE(listener);
  EXPECT_NE(listener.error().detail.find("none of this host's addresses"), std::string::npos)
      << listener.error().detail;
}

// Takes all descriptors that the process may still open; gives them back at its end.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = 64;
    ::setrlimit(RLIMIT_NOFILE, &few);
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken_.push_back(fd);
  }
  ~NoDescriptors() {
    for (const int fd : taken_) ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  void give_back(int count) {
    for (; count > 0; --count) {
      ::close(taken_.back());
      taken_.pop_back();
    }
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

TEST_P(ListenerTest, GoesOnOnceDescriptorsAreFreeAgain) {
  EventLoop loop(GetParam());
  int accepted = 0;
  auto listener = Listener::open(loop.io(), {{"127.0.0.1", 0}}, [&](TcpSocket) { ++accepted; });
  ASSERT_TRUE(listener);
  const asio::ip::tcp::endpoint address(asio::ip::make_address("127.0.0.1"), (*listener)->address().port);
  AsioSocket first(loop.io().get_executor(), address.protocol()),
      second(loop.io().get_executor(), address.protocol());
  NoDescriptors none;
  first.connect(address);
  loop.io().run_for(20ms);
  second.connect(address);
  EXPECT_LT(loop.io().run_for(20ms), 10u);  // it does not try again and again
  EXPECT_EQ(accepted, 0);
  none.give_back(2);
  const auto limit = system_clock().steady_now() + 10s;
  while (accepted < 2 && system_clock().steady_now() < limit) loop.io().run_one_for(10ms);
  EXPECT_EQ(accepted, 2);
}

TEST(Connect, ARefusedConnectionIsUnavailable) {
  EventLoop loop;
  Address address;
  {
    auto listener = Listener::open(loop.io(), {{"127.0.0.1", 0}}, [](TcpSocket) {});
    address = (*listener)->address();
  }
  ConnectOptions options;
  options.address = address;
  std::optional<Error> error;
  auto handle =
      connect(loop.io(), options, [&](Result<std::unique_ptr<Stream>> stream) { error = stream.error(); });
  loop.io().run_for(5s);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kUnavailable);
  EXPECT_NE(error->detail.find("connection refused"), std::string::npos) << error->detail;
}

TEST(Address, ReadsWhatItWrites) {
  for (const char* text : {"127.0.0.1:80", "[::1]:443", "0.0.0.0:0"}) {
    auto address = parse_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(to_string(*address), text);
  }
  for (const char* text : {"[fe80::1%eth0]:80", "", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                           "::1:80", "[127.0.0.1]:80", "host:80", "1.2.3.4:-1"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}

TEST(Tls, SaysWhatIsWrongWithAnIdentity) {
  auto options = server_options();
  options.identity.private_key_pem = leaf("other.test", false).private_key_pem;
  auto mismatch = make_server_tls(options);
  ASSERT_FALSE(mismatch);
  EXPECT_NE(mismatch.error().detail.find("private key"), std::string::npos) << mismatch.error().detail;
  options.identity.certificate_pem = "not PEM";
  auto garbage = make_server_tls(options);
  ASSERT_FALSE(garbage);
  EXPECT_EQ(garbage.error().detail, "certificate: no PEM block CERTIFICATE in it");
}

TEST(Task, SleepsAndEnds) {
  EventLoop loop;
  bool ended = false;
  auto script = [&]() -> Task<void> {
    co_await sleep_for(loop.scheduler(), 1ms);
    ended = true;
  };
  spawn(loop.io(), script());
  loop.run();
  EXPECT_TRUE(ended);
}

TEST(EventLoop, ADestroyedTimerNeverFires) {
  EventLoop loop;
  bool fired = false;
  auto timer = loop.scheduler().after(1ms, [&] { fired = true; });
  auto other = loop.scheduler().after(0ms, [&] { timer.reset(); });
  loop.io().run_for(20ms);
  EXPECT_FALSE(fired);
}

}  // namespace
}  // namespace tidegate::net
