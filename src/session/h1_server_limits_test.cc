// SPDX-License-Identifier: Apache-2.0
// Bounds of served connections: time-outs, and senders held back by slow readers.
#include "session/h1_server_fixture.h"

namespace tidegate::session {
namespace {

class H1ServerLimitsTest : public H1ServerTest {};

TEST_F(H1ServerLimitsTest, ASlowHeadIsAnswered408) {
  const auto peer = client();
  peer->send("GET / HTTP/1.1\r\nHo");
  settle();
  scheduler_.advance(limits_.header_timeout - Duration(1));
  peer->send("st");
  settle();
  EXPECT_FALSE(peer->ended()) << "cut too early";
  scheduler_.advance(Duration(1));
  run_until([&] { return peer->ended(); });
  EXPECT_TRUE(peer->received().starts_with("HTTP/1.1 408 ")) << peer->received();
  EXPECT_EQ(refused_, std::vector<int>{408});
}

TEST_F(H1ServerLimitsTest, TheTimeOfALaterHeadRunsFromItsFirstByte) {
  answer_all("ok");
  const auto peer = client();
  exchange(*peer, kGet, "ok");
  scheduler_.advance(limits_.header_timeout * 2);
  settle();
  ASSERT_FALSE(peer->ended()) << "an idle connection was cut by the head's time";
  peer->send("GET");
  settle();
  scheduler_.advance(limits_.header_timeout);
  run_until([&] { return peer->ended(); });
  EXPECT_TRUE(peer->received().starts_with("HTTP/1.1 408 ")) << peer->received();
}

TEST_F(H1ServerLimitsTest, ASilentClientIsClosedWithoutAnswer) {
  const auto peer = client();
  scheduler_.advance(limits_.header_timeout);
  run_until([&] { return peer->ended(); });
  EXPECT_EQ(peer->received(), "");
}

TEST_F(H1ServerLimitsTest, AnIdleConnectionIsClosedAfterItsTime) {
  answer_all("ok");
  const auto peer = client();
  exchange(*peer, kGet, "ok");
  scheduler_.advance(limits_.keep_alive_timeout - Duration(1));
  settle();
  EXPECT_FALSE(peer->ended());
  scheduler_.advance(Duration(1));
  run_until([&] { return peer->ended(); });
  EXPECT_EQ(peer->received(), "");
}

TEST_F(H1ServerLimitsTest, ATunnelEndsOnceNothingMovesInIt) {
  const auto peer = client();
  peer->send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  run_until([&] { return !requests_.empty() && requests_[0]->ended; });
  Seen& seen = *requests_[0];
  http::ResponseHead head;
  head.status = 101;
  head.headers.add("upgrade", "websocket");
  seen.stream->send_head(head, false);
  run_until([&] { return peer->received().ends_with("\r\n\r\n"); });
  peer->send("\r\nGET no HTTP");
  run_until([&] { return seen.body == "\r\nGET no HTTP"; });
  scheduler_.advance(limits_.tunnel_idle_timeout - Duration(1));
  seen.stream->send_data("pong");
  settle();
  scheduler_.advance(limits_.tunnel_idle_timeout - Duration(1));
  settle();
  EXPECT_FALSE(seen.aborted) << "what is sent counts as well";
  scheduler_.advance(Duration(1));
  run_until([&] { return peer->ended(); });
  EXPECT_EQ(seen.aborted, StreamError::kTimeout);
  EXPECT_TRUE(peer->received().ends_with("\r\n\r\npong")) << peer->received();
}

TEST_F(H1ServerLimitsTest, NoTimeRunsWhileAHandlerThinks) {
  const auto peer = client();
  peer->send(kGet);
  run_until([&] { return !requests_.empty() && requests_[0]->ended; });
  scheduler_.advance(std::chrono::hours(10));
  settle();
  EXPECT_FALSE(peer->ended());
  requests_[0]->answer("ok");
  run_until([&] { return peer->received().ends_with("ok"); });
}

TEST_F(H1ServerLimitsTest, AStalledBodyIsAborted) {
  const auto peer = client();
  peer->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  run_until([&] { return !requests_.empty() && requests_[0]->body == "abc"; });
  scheduler_.advance(limits_.body_idle_timeout - Duration(1));
  peer->send("d");
  run_until([&] { return requests_[0]->body == "abcd"; });
  scheduler_.advance(limits_.body_idle_timeout - Duration(1));
  settle();
  EXPECT_FALSE(requests_[0]->aborted) << "a byte did not renew the time";
  scheduler_.advance(Duration(1));
  run_until([&] { return peer->ended(); });
  EXPECT_EQ(requests_[0]->aborted, StreamError::kTimeout);
  EXPECT_TRUE(peer->received().starts_with("HTTP/1.1 408 ")) << peer->received();
}

TEST_F(H1ServerLimitsTest, AClientThatLeavesAbortsItsRequest) {
  const auto peer = client();
  peer->send(kGet);
  run_until([&] { return !requests_.empty() && requests_[0]->ended; });
  peer->close();
  run_until([&] { return requests_[0]->aborted.has_value(); });
  EXPECT_EQ(*requests_[0]->aborted, StreamError::kReset);
  EXPECT_EQ(closed_, 1);
}

TEST_F(H1ServerLimitsTest, AClientThatLeavesWithinItsBodyAbortsTheRequest) {
  const auto peer = client();
  peer->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  run_until([&] { return !requests_.empty() && requests_[0]->body == "abc"; });
  peer->close();
  run_until([&] { return requests_[0]->aborted.has_value(); });
  EXPECT_FALSE(requests_[0]->ended);
}

TEST_F(H1ServerLimitsTest, ASlowReaderHoldsBackTheSender) {
  const auto peer = client();
  peer->stop_reading();
  peer->send(kGet);
  request().begin();
  ServerStream& stream = *requests_[0]->stream;
  const string block(16 * 1024, 'x');
  std::size_t sent = 0;
  // Until the socket's own buffers are full and ours passes its mark.
  while (stream.unsent_bytes() <= kHighWater && sent < (64u << 20)) {
    stream.send_data(block);
    sent += block.size();
    loop_.io().poll();
  }
  settle();
  EXPECT_GT(stream.unsent_bytes(), kLowWater);
  EXPECT_LE(stream.unsent_bytes(), kHighWater + 2 * block.size());
  EXPECT_EQ(requests_[0]->writable, 0);
  peer->resume_reading();
  run_until([&] { return requests_[0]->writable == 1; });
  EXPECT_LE(stream.unsent_bytes(), kLowWater);
  stream.send_end();
  run_until([&] { return peer->received().ends_with("0\r\n\r\n"); });
  EXPECT_EQ(requests_[0]->writable, 1);
}

TEST_F(H1ServerLimitsTest, AReaderThatTakesNothingIsCut) {
  const auto peer = client();
  peer->stop_reading();
  peer->send(kGet);
  request().begin();
  while (requests_[0]->stream->unsent_bytes() <= kHighWater)
    requests_[0]->stream->send_data(string(64 * 1024, 'x'));
  settle();
  scheduler_.advance(limits_.write_idle_timeout);
  run_until([&] { return requests_[0]->aborted.has_value(); });
  EXPECT_EQ(*requests_[0]->aborted, StreamError::kTimeout);
  EXPECT_EQ(closed_, 1);
}

struct SlowEndCase {
  const char* name;
  string request;
  bool half_close;
};

TEST_F(H1ServerLimitsTest, ACompleteResponseIsReadToItsEndHoweverSlowly) {
  const SlowEndCase cases[] = {
      {"kept alive", kGet, false},
      {"closed after it", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
      {"half closed by the client", kGet, true},
  };
  limits_.keep_alive_timeout = std::chrono::seconds(5);
  limits_.header_timeout = std::chrono::seconds(5);
  const std::size_t size = 16u << 20;
  for (const SlowEndCase& test : cases) {
    SCOPED_TRACE(test.name);
    requests_.clear();
    const auto peer = client();
    peer->stop_reading();
    peer->send(test.request);
    run_until([&] { return !requests_.empty() && requests_[0]->ended; });
    requests_[0]->answer(string(size, 'x'));
    settle();
    if (test.half_close) peer->half_close();
    settle();
    scheduler_.advance(std::chrono::seconds(20));
    settle();
    peer->resume_reading();
    run_until([&] { return peer->received().size() > size || peer->ended(); });
    EXPECT_GT(peer->received().size(), size);
    connection_->close();
    connection_.reset();
    settle();
  }
}

TEST_F(H1ServerLimitsTest, APausedHandlerStopsTheReading) {
  at_head_ = [](Seen& seen) { seen.stream->pause(); };
  const auto peer = client();
  const std::size_t size = 64u << 20;
  peer->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
             string(size, 'x'));
  request();
  settle();
  EXPECT_EQ(requests_[0]->body.size(), 0u);
  EXPECT_FALSE(peer->all_sent()) << "64 MiB were read with nobody taking them";
  requests_[0]->stream->resume();
  run_until([&] { return requests_[0]->ended; });
  EXPECT_EQ(requests_[0]->body.size(), size);
}

TEST_F(H1ServerLimitsTest, APauseWithinTheLastPieceKeepsTheEndBack) {
  const auto peer = client();
  at_head_ = [](Seen& seen) { seen.stream->pause(); };
  peer->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
  request();
  settle();
  EXPECT_FALSE(requests_[0]->ended);
  requests_[0]->stream->resume();
  EXPECT_FALSE(requests_[0]->ended) << "an event came from within a call";
  run_until([&] { return requests_[0]->ended; });
  requests_[0]->answer("ok");
  run_until([&] { return peer->received().ends_with("ok"); });
}

}  // namespace
}  // namespace tidegate::session
