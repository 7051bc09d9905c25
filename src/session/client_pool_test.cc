// SPDX-License-Identifier: Apache-2.0
#include "session/client_pool.h"

#include "session/loopback.h"

namespace tidegate::session {
namespace {

using std::string;

// A request and everything that came back.
struct Asked final : ClientStreamEvents {
  std::unique_ptr<ClientStream> stream;
  std::optional<http::ResponseHead> head;
  string body;
  http::Headers trailers;
  bool ended = false;
  int writable = 0;
  std::optional<StreamError> error;
  bool unsent = false;
  string detail;
  std::function<void()> on_any;

  void on_head(http::ResponseHead& given) override {
    EXPECT_FALSE(head.has_value()) << "two heads";
    head = std::move(given);
    if (on_any) on_any();
  }
  void on_data(std::string_view data) override {
    body += data;
    if (on_any) on_any();
  }
  void on_end(const http::Headers& given) override {
    trailers = given;
    ended = true;
    if (on_any) on_any();
  }
  void on_writable() override { ++writable; }
  void on_error(StreamError given, bool was_unsent, std::string_view text) override {
    error = given;
    unsent = was_unsent;
    detail = text;
  }
  bool over() const { return ended || error; }
};

class ClientPoolTest : public LoopbackTest {
 protected:
  using LoopbackTest::LoopbackTest;
  void SetUp() override { listen(); }
  void TearDown() override {
    pool_.reset();
    backends_.clear();
    settle();
  }
  void listen() {
    auto listener = net::Listener::open(loop_.io(), {{"127.0.0.1", 0}}, [this](net::TcpSocket socket) {
      backends_.push_back(std::make_unique<RawPeer>(net::make_tcp_stream(std::move(socket))));
    });
    ASSERT_TRUE(listener);
    listener_ = std::move(*listener);
    endpoint_.address = listener_->address();
  }
  ClientPool& pool() {
    if (!pool_) pool_ = std::make_unique<ClientPool>(loop_.io(), scheduler_, endpoint_, limits_);
    return *pool_;
  }
  std::unique_ptr<Asked> ask(const string& method = "GET", std::optional<std::uint64_t> length = 0,
                             Connections which = Connections::kAny) {
    http::RequestHead head;
    head.method = method;
    head.target = "/";
    head.authority = "a";
    head.content_length = length;
    auto asked = std::make_unique<Asked>();
    asked->stream = pool().request(head, length == 0u, *asked, which);
    EXPECT_FALSE(asked->over()) << "an event came from within the call";
    return asked;
  }
  RawPeer& backend(std::size_t index = 0) {
    run_until([&] { return backends_.size() > index; });
    return *backends_[index];
  }
  // Waits for a whole request head at the backend, then answers.
  void answer(const string& bytes, std::size_t index = 0) {
    RawPeer& peer = backend(index);
    run_until([&] { return peer.received().find("\r\n\r\n") != string::npos; });
    peer.take();
    peer.send(bytes);
  }
  void finish(Asked& asked) {
    run_until([&] { return asked.over(); });
  }

  ClientLimits limits_;
  Endpoint endpoint_;
  std::unique_ptr<net::Listener> listener_;
  std::vector<std::unique_ptr<RawPeer>> backends_;
  std::unique_ptr<ClientPool> pool_;
};

const string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST_F(ClientPoolTest, SendsARequestAndDeliversItsResponse) {
  const auto asked = ask();
  run_until(
      [&] { return !backends_.empty() && backends_[0]->received() == "GET / HTTP/1.1\r\nHost: a\r\n\r\n"; });
  backend().send(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: 1\r\n\r\n2\r\nok\r\n0\r\nSum: 2\r\n\r\n");
  finish(*asked);
  EXPECT_TRUE(asked->ended) << asked->detail;
  EXPECT_EQ(asked->head->status, 200);
  EXPECT_EQ(asked->head->headers.get("x"), "1");
  EXPECT_EQ(asked->body, "ok");
  EXPECT_EQ(asked->trailers.get("sum"), "2");
}

TEST_F(ClientPoolTest, ReusesAConnection) {
  for (int i = 0; i < 3; ++i) {
    const auto asked = ask();
    answer(kOk);
    finish(*asked);
    EXPECT_TRUE(asked->ended);
  }
  EXPECT_EQ(backends_.size(), 1u);
  EXPECT_EQ(pool().connections(), 1u);
  EXPECT_EQ(pool().active(), 0u);
}

TEST_F(ClientPoolTest, ReusesTheMostRecentlyUsedFirst) {
  const auto first = ask(), second = ask();
  answer(kOk, 0);
  finish(*(backends_.size() > 1 ? first : second));
  answer(kOk, 1);
  run_until([&] { return first->over() && second->over(); });
  const auto third = ask();
  run_until([&] { return !backends_[1]->received().empty(); });
  EXPECT_EQ(backends_[0]->received(), "");
}

struct NotReusedCase {
  const char* name;
  string response;
  bool closes;
};

TEST_F(ClientPoolTest, DropsConnectionsThatCannotBeReused) {
  const NotReusedCase cases[] = {
      {"close announced", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", false},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false},
      {"delimited by the close", "HTTP/1.1 200 OK\r\n\r\nok", true},
      {"bytes behind the response", kOk + "x", false},
  };
  std::size_t index = 0;
  for (const NotReusedCase& test : cases) {
    SCOPED_TRACE(test.name);
    const auto asked = ask();
    answer(test.response, index);
    if (test.closes) {
      run_until([&] { return backends_[index]->all_sent(); });
      backends_[index]->close();
    }
    finish(*asked);
    EXPECT_TRUE(asked->ended) << asked->detail;
    EXPECT_EQ(asked->body, "ok");
    EXPECT_EQ(pool().connections(), 0u);
    ++index;
  }
}

TEST_F(ClientPoolTest, SeesThatAnIdleConnectionWasClosed) {
  const auto asked = ask();
  answer(kOk);
  finish(*asked);
  backend().close();
  run_until([&] { return pool().connections() == 0; });
  const auto next = ask();
  answer(kOk, 1);
  finish(*next);
  EXPECT_TRUE(next->ended);
}

TEST_F(ClientPoolTest, DropsAnIdleConnectionThatSpeaksUnasked) {
  const auto asked = ask();
  answer(kOk);
  finish(*asked);
  backend().send("HTTP/1.1 408 Request Timeout\r\n\r\n");
  run_until([&] { return pool().connections() == 0; });
}

// Reads of a worker's turn come before its sends.
class PolledClientPoolTest : public ClientPoolTest {
 protected:
  PolledClientPoolTest() : ClientPoolTest(net::EventLoop::Sockets::kPoller) {}
};

TEST_F(PolledClientPoolTest, WhatCameBeforeARequestWasSentDoesNotAnswerIt) {
  const auto first = ask();
  answer(kOk);
  finish(*first);
  const std::string_view unasked[] = {kOk};
  backend().stream().try_write(unasked);
  const auto second = ask();
  finish(*second);
  EXPECT_EQ(second->error, StreamError::kReset);
  EXPECT_TRUE(second->unsent);
  EXPECT_FALSE(second->head);
}

TEST_F(ClientPoolTest, AReusedConnectionThatClosesUnansweredIsUnsent) {
  const auto first = ask();
  answer(kOk);
  finish(*first);
  const auto second = ask();
  run_until([&] { return backend().received().find("\r\n\r\n") != string::npos; });
  backend().close();
  finish(*second);
  EXPECT_EQ(second->error, StreamError::kReset);
  EXPECT_TRUE(second->unsent);
}

TEST_F(ClientPoolTest, ANewConnectionThatClosesUnansweredIsNotUnsent) {
  const auto asked = ask();
  run_until([&] { return backend().received().find("\r\n\r\n") != string::npos; });
  backend().close();
  finish(*asked);
  EXPECT_EQ(asked->error, StreamError::kReset);
  EXPECT_FALSE(asked->unsent);
}

TEST_F(ClientPoolTest, AReusedConnectionThatClosesIsNotUnsentForAPost) {
  const auto first = ask();
  answer(kOk);
  finish(*first);
  const auto second = ask("POST", 2);
  second->stream->send_data("ab");
  second->stream->send_end();
  run_until([&] { return backend().received().ends_with("ab"); });
  backend().close();
  finish(*second);
  EXPECT_EQ(second->error, StreamError::kReset);
  EXPECT_FALSE(second->unsent);
}

struct BrokenCase {
  const char* name;
  string response;
  bool closes;
  StreamError error;
};

TEST_F(ClientPoolTest, ReportsBrokenResponses) {
  string interims;
  for (int i = 0; i < 100; ++i) interims += "HTTP/1.1 103 Early Hints\r\n\r\n";
  const BrokenCase cases[] = {
      {"nonsense", "nonsense\r\n", false, StreamError::kProtocol},
      {"unasked upgrade", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", false,
       StreamError::kProtocol},
      {"endless interim responses", interims, false, StreamError::kProtocol},
      {"bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", false,
       StreamError::kProtocol},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", false,
       StreamError::kProtocol},
      {"cut head", "HTTP/1.1 200 OK\r\nCont", true, StreamError::kReset},
      {"cut body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", true, StreamError::kReset},
      {"cut chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", true,
       StreamError::kReset},
  };
  std::size_t index = 0;
  for (const BrokenCase& test : cases) {
    SCOPED_TRACE(test.name);
    const auto asked = ask();
    answer(test.response, index);
    if (test.closes) {
      run_until([&] { return backends_[index]->all_sent(); });
      backends_[index]->close();
    }
    finish(*asked);
    EXPECT_EQ(asked->error, test.error);
    EXPECT_FALSE(asked->unsent);
    EXPECT_FALSE(asked->ended);
    EXPECT_EQ(pool().connections(), 0u);
    ++index;
  }
}

TEST_F(ClientPoolTest, DropsInterimResponses) {
  const auto asked = ask();
  answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + kOk);
  finish(*asked);
  EXPECT_EQ(asked->head->status, 200);
  EXPECT_EQ(asked->body, "ok");
}

TEST_F(ClientPoolTest, AResponseToHeadHasNoBody) {
  const auto asked = ask("HEAD");
  answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
  finish(*asked);
  EXPECT_TRUE(asked->ended);
  EXPECT_EQ(asked->head->content_length, 10u);
  EXPECT_EQ(pool().connections(), 1u);
}

TEST_F(ClientPoolTest, SendsBodiesByLengthAndInChunks) {
  const auto sized = ask("PUT", 4);
  sized->stream->send_data("ab");
  sized->stream->send_data("cd");
  sized->stream->send_end();
  run_until(
      [&] { return backend().received() == "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd"; });
  answer(kOk);
  finish(*sized);
  const auto chunked = ask("PUT", std::nullopt);
  chunked->stream->send_data("ab");
  run_until([&] { return backend().received().ends_with("2\r\nab\r\n"); });
  chunked->stream->send_end({{"Sum", "2"}});
  run_until([&] { return backend().received().ends_with("0\r\nSum: 2\r\n\r\n"); });
  answer(kOk);
  finish(*chunked);
  EXPECT_TRUE(chunked->ended);
}

TEST_F(ClientPoolTest, AnEarlyResponseEndsTheExchangeAndTheConnection) {
  const auto asked = ask("POST", 100);
  asked->stream->send_data("ab");
  answer(kOk);
  finish(*asked);
  EXPECT_TRUE(asked->ended);
  asked->stream->send_data("late");
  asked->stream->send_end();
  EXPECT_EQ(pool().connections(), 0u);
}

TEST_F(ClientPoolTest, ARefusedConnectionIsUnsent) {
  listener_.reset();
  const auto asked = ask();
  finish(*asked);
  EXPECT_EQ(asked->error, StreamError::kConnectRefused);
  EXPECT_TRUE(asked->unsent);
  EXPECT_NE(asked->detail.find("refused"), string::npos) << asked->detail;
}

TEST_F(ClientPoolTest, EveryWaitingRequestHearsOfARefusal) {
  listener_.reset();
  limits_.max_connections = 1;
  const auto first = ask(), second = ask(), third = ask();
  run_until([&] { return first->over() && second->over() && third->over(); });
}

TEST_F(ClientPoolTest, AConnectionThatTakesTooLongIsTimedOut) {
  endpoint_.tls = test_client_tls("");
  endpoint_.server_name = "gate.test";  // the backend never answers the handshake
  const auto asked = ask();
  backend();
  settle();
  EXPECT_FALSE(asked->over());
  scheduler_.advance(limits_.connect_timeout);
  finish(*asked);
  EXPECT_EQ(asked->error, StreamError::kConnectTimeout);
  EXPECT_TRUE(asked->unsent);
}

TEST_F(ClientPoolTest, ABrokenHandshakeIsATlsError) {
  endpoint_.tls = test_client_tls("");
  endpoint_.server_name = "gate.test";
  const auto asked = ask();
  backend().send("this is not TLS at all\r\n");
  finish(*asked);
  EXPECT_EQ(asked->error, StreamError::kTls);
  EXPECT_TRUE(asked->unsent);
}

TEST_F(ClientPoolTest, RequestsPastTheBoundWaitForAConnection) {
  limits_.max_connections = 1;
  const auto first = ask(), second = ask();
  answer(kOk);
  finish(*first);
  EXPECT_FALSE(second->over());
  answer(kOk);
  finish(*second);
  EXPECT_EQ(backends_.size(), 1u);
}

TEST_F(ClientPoolTest, AWaitingRequestGetsANewConnectionWhenTheOnlyOneEnds) {
  limits_.max_connections = 1;
  const auto first = ask(), second = ask();
  answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  finish(*first);
  answer(kOk, 1);
  finish(*second);
  EXPECT_TRUE(second->ended);
}

TEST_F(ClientPoolTest, WhoWantsANewConnectionWaitsForOne) {
  limits_.max_connections = 1;
  const auto first = ask(), wary = ask("GET", 0, Connections::kNew), third = ask();
  answer(kOk);
  finish(*first);
  answer(kOk);
  finish(*third);
  EXPECT_FALSE(wary->over()) << "sent over a connection that carried others";
  answer(kOk, 1);
  finish(*wary);
  EXPECT_TRUE(wary->ended);
  EXPECT_EQ(pool().connections(), 1u);
}

TEST_F(ClientPoolTest, RequestsPastThePendingBoundOverflow) {
  limits_.max_connections = 1;
  limits_.max_pending = 2;
  const auto first = ask(), second = ask(), third = ask();
  finish(*third);
  EXPECT_EQ(third->error, StreamError::kOverflow);
  EXPECT_TRUE(third->unsent);
  EXPECT_FALSE(first->over());
}

TEST_F(ClientPoolTest, ACancelledRequestIsSilentAndTakesItsConnectionAlong) {
  auto asked = ask();
  run_until([&] { return !backend().received().empty(); });
  asked->stream.reset();
  run_until([&] { return backend().ended(); });
  EXPECT_FALSE(asked->over());
  EXPECT_EQ(pool().connections(), 0u);
}

TEST_F(ClientPoolTest, AStreamMayBeDestroyedWithinAnyOfItsEvents) {
  for (int event = 1; event <= 3; ++event) {
    auto asked = ask();
    int seen = 0;
    asked->on_any = [&] {
      if (++seen == event) asked->stream.reset();
    };
    answer(kOk, backends_.size());
    run_until([&] { return seen >= event; });
    settle();
    EXPECT_EQ(seen, event);
    pool().close_idle();
    settle();
  }
}

TEST_F(ClientPoolTest, IdleConnectionsEndAfterTheirTime) {
  const auto asked = ask();
  answer(kOk);
  finish(*asked);
  scheduler_.advance(limits_.idle_timeout - std::chrono::seconds(10));
  EXPECT_EQ(pool().connections(), 1u);
  scheduler_.advance(std::chrono::seconds(20));
  EXPECT_EQ(pool().connections(), 0u);
}

TEST_F(ClientPoolTest, CloseIdleSparesWhatIsInUse) {
  const auto first = ask(), second = ask();
  answer(kOk, 0);
  backend(1);
  run_until([&] { return first->over() || second->over(); });
  pool().close_idle();
  EXPECT_EQ(pool().connections(), 1u);
  answer(kOk, 1);
  run_until([&] { return first->ended && second->ended; });
  EXPECT_EQ(pool().connections(), 0u) << "a connection in use then was kept after its response";
}

TEST_F(ClientPoolTest, TheEndOfThePoolCancelsWhatIsUnderWay) {
  limits_.max_connections = 1;
  const auto carried = ask(), waiting = ask();
  run_until([&] { return !backend().received().empty(); });
  pool_.reset();
  run_until([&] { return carried->over() && waiting->over(); });
  EXPECT_EQ(carried->error, StreamError::kCancelled);
  EXPECT_EQ(waiting->error, StreamError::kCancelled);
}

TEST_F(ClientPoolTest, APausedReaderStopsTheBackend) {
  const auto asked = ask();
  const std::size_t size = 64u << 20;
  asked->on_any = [&] { asked->stream->pause(); };
  answer("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + string(size, 'x'));
  run_until([&] { return asked->head.has_value(); });
  settle();
  EXPECT_LE(asked->body.size(), 64u * 1024);
  EXPECT_FALSE(backend().all_sent());
  asked->on_any = nullptr;
  asked->stream->resume();
  finish(*asked);
  EXPECT_EQ(asked->body.size(), size);
}

TEST_F(ClientPoolTest, ASlowBackendHoldsBackTheSender) {
  const auto asked = ask("POST", std::nullopt);
  backend().stop_reading();
  const string block(16 * 1024, 'x');
  std::size_t sent = 0;
  while (asked->stream->unsent_bytes() <= kHighWater && sent < (64u << 20)) {
    asked->stream->send_data(block);
    sent += block.size();
    loop_.io().poll();
  }
  settle();
  EXPECT_GT(asked->stream->unsent_bytes(), kLowWater);
  EXPECT_EQ(asked->writable, 0);
  backend().resume_reading();
  run_until([&] { return asked->writable == 1; });
  EXPECT_LE(asked->stream->unsent_bytes(), kLowWater);
}

}  // namespace
}  // namespace tidegate::session
