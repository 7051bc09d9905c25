// SPDX-License-Identifier: Apache-2.0
// HTTP/2 to backends, against a server session over real sockets.
#include <gtest/gtest.h>

#include "http/h2_peer.h"
#include "session/client_pool.h"
#include "session/loopback.h"

namespace tidegate::session {
namespace {

using namespace std::chrono_literals;
using http::H2Code;
using http::H2StreamId;
using std::string;

struct Asked final : ClientStreamEvents {
  std::unique_ptr<ClientStream> stream;
  std::optional<http::ResponseHead> head;
  string body;
  http::Headers trailers;
  bool ended = false, unsent = false;
  int writable = 0;
  std::optional<StreamError> error;
  string detail;

  void on_head(http::ResponseHead& given) override { head = std::move(given); }
  void on_data(std::string_view data) override { body += data; }
  void on_end(const http::Headers& given) override {
    trailers = given;
    ended = true;
  }
  void on_writable() override { ++writable; }
  void on_error(StreamError given, bool was_unsent, std::string_view why) override {
    error = given;
    detail = why;
    unsent = was_unsent;
  }
  bool over() const { return ended || error; }
};

// A backend's end of one connection.
struct Backend {
  Backend(std::unique_ptr<net::Stream> stream, const http::H2Limits& limits)
      : peer(std::move(stream)), end(http::H2Session::Role::kServer, {}, limits) {}
  void pump() {
    if (const string in = peer.take(); !in.empty()) end.session.receive(in, end.now);
    if (string out = end.take(); !out.empty()) peer.send(std::move(out));
  }
  std::size_t requests() const { return end.story.messages.size(); }
  void answer(H2StreamId id, const string& body) {
    http::ResponseHead head;
    head.content_length = body.size();
    end.session.respond(id, head, false);
    end.session.send_data(id, body);
    end.session.send_end(id, {{"grpc-status", "0"}});
  }
  RawPeer peer;
  http::H2End end;
};

class H2PoolTest : public LoopbackTest {
 protected:
  void SetUp() override {
    auto listener = net::Listener::open(loop_.io(), {{"127.0.0.1", 0}}, [this](net::TcpSocket socket) {
      backends_.push_back(std::make_unique<Backend>(net::make_tcp_stream(std::move(socket)), h2_));
    });
    ASSERT_TRUE(listener);
    listener_ = std::move(*listener);
    endpoint_.address = listener_->address();
    endpoint_.h2 = true;
  }
  void TearDown() override {
    pool_.reset();
    backends_.clear();
    settle();
  }
  ClientPool& pool() {
    if (!pool_) pool_ = std::make_unique<ClientPool>(loop_.io(), scheduler_, endpoint_, limits_);
    return *pool_;
  }
  std::unique_ptr<Asked> ask(const string& method = "GET", bool end = true) {
    http::RequestHead head;
    head.method = method;
    head.target = "/";
    head.authority = "a";
    if (!end) head.content_length.reset();
    auto asked = std::make_unique<Asked>();
    asked->stream = pool().request(head, end, *asked);
    EXPECT_FALSE(asked->over()) << "an event came from within the call";
    return asked;
  }
  std::vector<std::unique_ptr<Asked>> ask_many(int count) {
    std::vector<std::unique_ptr<Asked>> out;
    for (int i = 0; i < count; ++i) out.push_back(ask());
    return out;
  }
  bool pump_until(const std::function<bool()>& holds) {
    return run_until([&] {
      for (std::size_t i = 0; i < backends_.size(); ++i) backends_[i]->pump();
      return holds();
    });
  }
  void pump_all() {
    for (int i = 0; i < 3; ++i) {
      for (const auto& backend : backends_) backend->pump();
      settle();
    }
  }
  Backend& backend(std::size_t index, std::size_t requests) {
    pump_until([&] { return backends_.size() > index && backends_[index]->requests() >= requests; });
    return *backends_[index];
  }

  http::H2Limits h2_;
  ClientLimits limits_;
  Endpoint endpoint_;
  std::unique_ptr<net::Listener> listener_;
  std::vector<std::unique_ptr<Backend>> backends_;
  std::unique_ptr<ClientPool> pool_;
};

TEST_F(H2PoolTest, OneConnectionCarriesManyRequests) {
  const auto asked = ask_many(20);
  Backend& peer = backend(0, 20);
  EXPECT_EQ(peer.end.story.messages[1].request.headers.get("te"), "trailers");
  for (H2StreamId id = 39; id > 0; id -= 2) peer.answer(id, "answer " + std::to_string(id));
  pump_until([&] { return asked[0]->over() && asked[19]->over(); });
  EXPECT_EQ(asked[0]->head->status, 200);
  EXPECT_EQ(asked[0]->body, "answer 1");
  EXPECT_EQ(asked[19]->body, "answer 39");
  EXPECT_EQ(asked[19]->trailers.get("grpc-status"), "0");
  EXPECT_EQ(pool().connections(), 1U);
  EXPECT_EQ(pool().active(), 0U);
}

TEST_F(H2PoolTest, BodiesAndTrailersReachTheBackend) {
  const auto asked = ask("POST", false);
  asked->stream->send_data("before there is a connection, ");
  backend(0, 1);
  asked->stream->send_data("and after");
  asked->stream->send_end({{"x-sum", "9"}});
  auto& got = backends_[0]->end.story.messages[1];
  pump_until([&] { return got.ended; });
  EXPECT_EQ(got.body, "before there is a connection, and after");
  EXPECT_EQ(got.trailers.get("x-sum"), "9");
}

TEST_F(H2PoolTest, NoMoreStreamsThanTheBackendTakes) {
  h2_.concurrent_streams = 3;
  const auto first = ask();
  backend(0, 1).answer(1, "x");
  pump_until([&] { return first->over(); });
  const auto asked = ask_many(7);
  backend(2, 1);
  pump_all();
  EXPECT_EQ(pool().connections(), 3U);
  for (const auto& one : asked) EXPECT_FALSE(one->error);
  for (const auto& peer : backends_) EXPECT_LE(peer->requests() - (peer == backends_[0] ? 1 : 0), 3U);
}

TEST_F(H2PoolTest, ARefusedStreamIsReportedAsNotProcessed) {
  const auto asked = ask("POST");
  backend(0, 1).end.session.reset(1, H2Code::kRefused);
  pump_until([&] { return asked->over(); });
  EXPECT_EQ(asked->error, StreamError::kRefused);
  EXPECT_TRUE(asked->unsent);
}

TEST_F(H2PoolTest, AResetStreamIsNotAndTheConnectionStays) {
  const auto asked = ask_many(2);
  backend(0, 2).end.session.reset(1, H2Code::kInternal);
  pump_until([&] { return asked[0]->over(); });
  EXPECT_EQ(asked[0]->error, StreamError::kReset);
  EXPECT_FALSE(asked[0]->unsent);
  backends_[0]->answer(3, "fine");
  pump_until([&] { return asked[1]->over(); });
  EXPECT_EQ(asked[1]->body, "fine");
  EXPECT_EQ(pool().connections(), 1U);
}

TEST_F(H2PoolTest, AfterGoawayNewRequestsGoElsewhereAndOldOnesEnd) {
  const auto old = ask();
  Backend& leaving = backend(0, 1);
  leaving.end.session.shut_down();
  pump_all();
  const auto fresh = ask();
  backend(1, 1).answer(1, "new");
  pump_until([&] { return fresh->over(); });
  EXPECT_EQ(fresh->body, "new");
  leaving.answer(1, "old");
  pump_until([&] { return old->over(); });
  EXPECT_EQ(old->body, "old");
  pump_until([&] { return leaving.peer.ended(); });
  EXPECT_EQ(pool().connections(), 1U);
}

TEST_F(H2PoolTest, AGoawayThatSkipsARequestSaysSo) {
  const auto asked = ask("POST");
  backend(0, 1).peer.send(http::h2_frame(http::H2Frame::kGoaway, 0, 0, http::big_endian(0, 8)));
  pump_until([&] { return asked->over(); });
  EXPECT_EQ(asked->error, StreamError::kRefused);
  EXPECT_TRUE(asked->unsent);
}

TEST_F(H2PoolTest, APausedResponseStopsItsBackend) {
  const auto asked = ask();
  backend(0, 1);
  asked->stream->pause();
  backends_[0]->answer(1, string(400'000, 'x'));
  pump_all();
  EXPECT_LE(asked->body.size(), 65'535U);
  asked->stream->resume();
  pump_until([&] { return asked->over(); });
  EXPECT_EQ(asked->body.size(), 400'000U);
}

TEST_F(H2PoolTest, ASlowBackendStopsItsRequest) {
  const auto asked = ask("POST", false);
  backend(0, 1).end.session.hold(1, true);
  while (asked->stream->unsent_bytes() <= kHighWater) {
    asked->stream->send_data(string(16'384, 'y'));
    pump_all();
  }
  EXPECT_EQ(asked->writable, 0);
  backends_[0]->end.session.hold(1, false);
  pump_until([&] { return asked->writable == 1; });
  EXPECT_LE(asked->stream->unsent_bytes(), kLowWater);
}

TEST_F(H2PoolTest, CancellingOneLeavesTheOthers) {
  auto asked = ask_many(2);
  Backend& peer = backend(0, 2);
  asked[0]->stream.reset();
  pump_until([&] { return peer.end.story.messages[1].closed.has_value(); });
  EXPECT_EQ(peer.end.story.messages[1].closed, H2Code::kCancel);
  peer.answer(3, "still");
  pump_until([&] { return asked[1]->over(); });
  EXPECT_EQ(asked[1]->body, "still");
  EXPECT_FALSE(asked[0]->over());
}

TEST_F(H2PoolTest, ALostConnectionFailsAllItCarried) {
  const auto asked = ask_many(2);
  backend(0, 2).answer(1, "done");
  pump_until([&] { return asked[0]->over(); });
  backends_[0]->peer.close();
  run_until([&] { return asked[1]->over(); });
  EXPECT_EQ(asked[1]->error, StreamError::kReset);
  EXPECT_TRUE(asked[1]->unsent);
  EXPECT_EQ(pool().connections(), 0U);
  const auto again = ask();
  backend(1, 1).answer(1, "again");
  pump_until([&] { return again->over(); });
  EXPECT_EQ(again->body, "again");
}

TEST_F(H2PoolTest, ABackendThatFloodsIsToldOfByTheLimitThatItMet) {
  const auto asked = ask();
  backend(0, 1);
  string flood;
  for (int i = 0; i < 500; ++i) flood += http::h2_frame(http::H2Frame::kPing, 0, 0, "12345678");
  backends_[0]->peer.send(flood);
  run_until([&] { return asked->over(); });
  EXPECT_EQ(asked->error, StreamError::kProtocol);
  EXPECT_EQ(asked->detail, "the backend met the limit http2_pings");
}

TEST_F(H2PoolTest, WhoDoesNotSpeakHttp2IsAProtocolError) {
  const auto asked = ask();
  run_until([&] { return !backends_.empty() && !backends_[0]->peer.received().empty(); });
  backends_[0]->peer.send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  run_until([&] { return asked->over(); });
  EXPECT_EQ(asked->error, StreamError::kProtocol);
}

TEST_F(H2PoolTest, NobodyListens) {
  listener_.reset();
  const auto asked = ask_many(2);
  run_until([&] { return asked[0]->over() && asked[1]->over(); });
  EXPECT_EQ(asked[1]->error, StreamError::kConnectRefused);
  EXPECT_TRUE(asked[1]->unsent);
}

TEST_F(H2PoolTest, IdleConnectionsCloseInTime) {
  const auto asked = ask();
  backend(0, 1).answer(1, "x");
  pump_until([&] { return asked->over(); });
  pump_all();
  for (int i = 0; i < 12; ++i) scheduler_.advance(5s);
  pump_until([&] { return backends_[0]->peer.ended(); });
  EXPECT_EQ(pool().connections(), 0U);
}

TEST_F(H2PoolTest, AnEndedPoolEndsItsRequests) {
  const auto asked = ask_many(2);
  backend(0, 2);
  pool_.reset();
  EXPECT_EQ(asked[0]->error, StreamError::kCancelled);
  EXPECT_EQ(asked[1]->error, StreamError::kCancelled);
}

TEST_F(H2PoolTest, ASilentBackendIsPingedAndGivenUp) {
  const auto asked = ask();
  backend(0, 1);
  pump_all();  // it has heard the backend's settings
  scheduler_.advance(limits_.ping_after);
  settle();
  scheduler_.advance(limits_.ping_timeout - Duration(1));
  settle();
  EXPECT_FALSE(asked->over());
  scheduler_.advance(Duration(1));
  run_until([&] { return asked->over(); });
  EXPECT_EQ(asked->error, StreamError::kReset);
  EXPECT_TRUE(asked->unsent) << "a GET may go to another";
  EXPECT_EQ(pool().connections(), 0U);
}

TEST_F(H2PoolTest, ABackendThatAnswersPingsMayThinkForLong) {
  const auto asked = ask();
  Backend& peer = backend(0, 1);
  for (Duration spent{0}; spent < 15min; spent += limits_.ping_timeout) {
    scheduler_.advance(limits_.ping_timeout);
    pump_all();
    ASSERT_FALSE(asked->over()) << std::chrono::duration_cast<std::chrono::seconds>(spent).count();
  }
  peer.answer(1, "at last");
  pump_until([&] { return asked->over(); });
  EXPECT_EQ(asked->body, "at last");
}

TEST_F(H2PoolTest, PingsOfOneSilenceAreFewerThanServersMind) {
  const auto asked = ask();
  Backend& peer = backend(0, 1);
  pump_all();
  int pings = 0;
  for (Duration spent{0}; spent < 5min; spent += limits_.ping_timeout) {
    scheduler_.advance(limits_.ping_timeout);
    settle();
    const string in = peer.peer.take();
    for (const http::RawFrame& frame : http::h2_frames(in))
      pings += frame.type == http::H2Frame::kPing ? 1 : 0;
    peer.end.session.receive(in, peer.end.now);
    peer.pump();
    settle();
  }
  EXPECT_EQ(pings, 1);
  EXPECT_FALSE(asked->over());
}

class H2PoolTunnelTest : public H2PoolTest {
 protected:
  std::unique_ptr<Asked> ask_for_websocket() {
    http::RequestHead head;
    head.method = "GET";
    head.target = "/chat";
    head.authority = "a";
    head.headers.add("upgrade", "websocket");
    auto asked = std::make_unique<Asked>();
    asked->stream = pool().request(head, false, *asked);
    return asked;
  }
};

TEST_F(H2PoolTunnelTest, AsksOnceTheBackendHasOfferedIt) {
  const auto asked = ask_for_websocket();
  Backend& peer = backend(0, 1);
  EXPECT_EQ(peer.end.story.messages[1].request.target, "/chat");
  http::ResponseHead head;
  head.status = 101;
  peer.end.session.respond(1, head, false);
  peer.end.session.send_data(1, "hello");
  pump_until([&] { return asked->body == "hello"; });
  EXPECT_EQ(asked->head->status, 101);
  asked->stream->send_data("you");
  pump_until([&] { return peer.end.story.messages[1].body == "you"; });
  asked->stream->send_end();
  pump_until([&] { return peer.end.story.messages[1].ended; });
  EXPECT_FALSE(asked->over()) << "the backend's half stays open";
  peer.end.session.send_end(1, {});
  pump_until([&] { return asked->ended; });
}

// A server's settings without SETTINGS_ENABLE_CONNECT_PROTOCOL.
TEST_F(H2PoolTunnelTest, IsToldWhereTheBackendDoesNotOfferIt) {
  std::unique_ptr<RawPeer> plain;
  auto listener = net::Listener::open(loop_.io(), {{"127.0.0.1", 0}}, [&](net::TcpSocket socket) {
    plain = std::make_unique<RawPeer>(net::make_tcp_stream(std::move(socket)));
    plain->send(http::h2_frame(http::H2Frame::kSettings, 0, 0, {}));
  });
  ASSERT_TRUE(listener);
  endpoint_.address = (*listener)->address();
  const auto asked = ask_for_websocket();
  run_until([&] { return asked->over(); });
  EXPECT_EQ(asked->error, StreamError::kUnsupported);
  EXPECT_FALSE(asked->unsent) << "sending it again would not help";
  settle();
  run_until([&] { return plain->received().size() > http::kH2Preface.size(); });
  for (const http::RawFrame& frame :
       http::h2_frames(std::string_view(plain->received()).substr(http::kH2Preface.size())))
    EXPECT_NE(frame.type, http::H2Frame::kHeaders);
}

}  // namespace
}  // namespace tidegate::session
