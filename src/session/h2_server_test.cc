// SPDX-License-Identifier: Apache-2.0
// HTTP/2 with prior knowledge, beside HTTP/1, against a client over a real socket.
#include <gtest/gtest.h>

#include "http/h2_peer.h"
#include "session/h1_server_fixture.h"
#include "session/serve.h"

namespace tidegate::session {
namespace {

using namespace std::chrono_literals;
using http::H2Code;
using http::H2StreamId;

class H2ServerTest : public H1ServerTest {
 protected:
  H2ServerTest() { serve_ = serve_http; }

  void SetUp() override {
    H1ServerTest::SetUp();
    peer_ = client();
  }
  // Bytes both ways until `holds`.
  bool pump_until(const std::function<bool()>& holds) {
    return run_until([&] {
      pump();
      return holds();
    });
  }
  void pump() {
    if (const string in = peer_->take(); !in.empty()) client_.session.receive(in, client_.now);
    if (string out = client_.take(); !out.empty()) peer_->send(std::move(out));
  }
  void pump_all() {
    for (int i = 0; i < 3; ++i) {
      pump();
      settle();
    }
  }
  H2StreamId ask(const string& target = "/", bool end = true) {
    http::RequestHead head;
    head.method = end ? "GET" : "POST";
    head.target = target;
    head.authority = "shop.example";
    if (!end) head.content_length.reset();
    return client_.session.request(head, "http", end);
  }
  http::H2Story::Message& got(H2StreamId id) { return client_.story.messages[id]; }
  Seen& asked(std::size_t index) {
    pump_until([&] { return requests_.size() > index; });
    return *requests_[index];
  }

  std::unique_ptr<RawPeer> peer_;
  http::H2End client_{http::H2Session::Role::kClient};
};

TEST_F(H2ServerTest, ServesManyRequestsAtOnce) {
  std::vector<H2StreamId> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(ask("/" + std::to_string(i)));
  pump_until([&] { return requests_.size() == 20; });
  EXPECT_EQ(requests_[7]->head.target, "/7");
  EXPECT_EQ(requests_[7]->head.scheme, "http");
  EXPECT_EQ(requests_[7]->head.authority, "shop.example");
  for (std::size_t i = 20; i-- > 0;) requests_[i]->answer("answer " + std::to_string(i));
  pump_until([&] { return got(ids[0]).ended; });
  EXPECT_EQ(got(ids[7]).body, "answer 7");
  EXPECT_EQ(got(ids[7]).response.content_length, 8U);
}

TEST_F(H2ServerTest, ServesHttp1OnTheSamePort) {
  answer_all("one");
  const string reply = exchange(*peer_, kGet, "one");
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 200 OK\r\n")) << reply;
  for (const char* piece : {"P", "OST / HTTP/1.1\r\nHost: a\r\n", "Content-Length: 1\r\n\r\nx"})
    peer_->send(piece);
  run_until([&] { return peer_->received().ends_with("one"); });
}

TEST_F(H2ServerTest, APrefaceInPiecesIsStillOne) {
  answer_all("two");
  const auto id = ask();
  for (const char c : client_.take()) {
    peer_->send({c});
    settle();
  }
  pump_until([&] { return got(id).ended; });
  EXPECT_EQ(got(id).body, "two");
}

TEST_F(H2ServerTest, BodiesAndTrailersBothWays) {
  const auto id = ask("/", false);
  client_.session.send_data(id, "ping");
  client_.session.send_end(id, {{"x-sum", "4"}});
  Seen& seen = asked(0);
  pump_until([&] { return seen.ended; });
  EXPECT_EQ(seen.body, "ping");
  seen.begin();
  seen.stream->send_data("pong");
  seen.stream->send_end({{"grpc-status", "0"}});
  pump_until([&] { return got(id).ended; });
  EXPECT_EQ(got(id).body, "pong");
  EXPECT_EQ(got(id).trailers.get("grpc-status"), "0");
}

TEST_F(H2ServerTest, APausedRequestStopsItsClient) {
  const auto id = ask("/", false);
  at_head_ = [](Seen& seen) { seen.stream->pause(); };
  const string large(400'000, 'x');
  client_.session.send_data(id, large);
  client_.session.send_end(id, {});
  Seen& seen = asked(0);
  pump_all();
  EXPECT_LE(seen.body.size(), 65'535U);
  seen.stream->resume();
  pump_until([&] { return seen.ended; });
  EXPECT_EQ(seen.body.size(), large.size());
}

TEST_F(H2ServerTest, AResponseWaitsForItsReader) {
  client_.session.hold(ask(), true);
  Seen& seen = asked(0);
  const H2StreamId id = 1;
  client_.session.hold(id, true);
  seen.begin();
  while (seen.stream->unsent_bytes() <= kHighWater) {
    seen.stream->send_data(string(16'384, 'y'));
    pump_all();
  }
  EXPECT_EQ(seen.writable, 0);
  client_.session.hold(id, false);
  pump_until([&] { return seen.writable == 1; });
  EXPECT_LE(seen.stream->unsent_bytes(), kLowWater);
}

TEST_F(H2ServerTest, ACancelledRequestAborts) {
  const auto id = ask();
  Seen& seen = asked(0);
  client_.session.reset(id, H2Code::kCancel);
  pump_until([&] { return seen.aborted.has_value(); });
  EXPECT_EQ(seen.aborted, StreamError::kReset);
  seen.answer("nobody hears it");
  EXPECT_EQ(closed_, 0);
}

TEST_F(H2ServerTest, AResponseThatBreaksOffIsReset) {
  const auto id = ask();
  Seen& seen = asked(0);
  seen.begin(10);
  seen.stream->send_data("12345");
  pump_until([&] { return !got(id).body.empty(); });
  seen.stream->reset();
  pump_until([&] { return got(id).closed.has_value(); });
  EXPECT_EQ(got(id).closed, H2Code::kInternal);
}

TEST_F(H2ServerTest, ALostClientAbortsAllItsRequests) {
  ask(), ask();
  asked(1);
  peer_->close();
  run_until([&] { return closed_ == 1; });
  for (const auto& seen : requests_) EXPECT_TRUE(seen->aborted);
}

TEST_F(H2ServerTest, DrainsWithTheResponsesUnderWay) {
  const auto id = ask();
  Seen& seen = asked(0);
  connection_->drain();
  pump_until([&] { return client_.story.goaways == 2; });  // the notice, and after our ping's answer the last
  EXPECT_EQ(closed_, 0);
  seen.answer("last");
  pump_until([&] { return got(id).ended; });
  EXPECT_EQ(got(id).body, "last");
  peer_->close();
  run_until([&] { return closed_ == 1; });
}

TEST_F(H2ServerTest, AFloodEndsTheConnection) {
  ask();
  Seen& seen = asked(0);
  string flood;
  for (int i = 0; i < 500; ++i) flood += http::h2_frame(http::H2Frame::kPing, 0, 0, "12345678");
  peer_->send(flood);
  pump_until([&] { return client_.story.goaways == 1; });
  EXPECT_TRUE(seen.aborted);
  peer_->close();
  run_until([&] { return closed_ == 1; });
}

TEST_F(H2ServerTest, TimeOutsOfEachStream) {
  const auto slow_body = ask("/", false);
  ask();
  Seen &first = asked(0), &second = asked(1);
  for (int i = 0; i < 9; ++i) scheduler_.advance(10s);
  pump_until([&] { return got(slow_body).closed.has_value(); });
  EXPECT_EQ(first.aborted, StreamError::kTimeout);
  EXPECT_FALSE(second.aborted);  // its request is whole: the response may take its time
}

TEST_F(H2ServerTest, AStalledReaderIsGivenUp) {
  const auto id = ask();
  Seen& seen = asked(0);
  client_.session.hold(id, true);
  seen.begin();
  seen.stream->send_data(string(200'000, 'z'));
  pump_all();
  for (int i = 0; i < 9; ++i) scheduler_.advance(10s);
  pump_until([&] { return seen.aborted.has_value(); });
  EXPECT_EQ(seen.aborted, StreamError::kTimeout);
}

TEST_F(H2ServerTest, IdleConnectionsEnd) {
  answer_all("x");
  const auto id = ask();
  pump_until([&] { return got(id).ended; });
  for (int i = 0; i < 10; ++i) scheduler_.advance(10s);
  pump_until([&] { return client_.story.goaways == 1; });
}

TEST_F(H2ServerTest, SilenceBeforeTheFirstRequestEndsSooner) {
  peer_->send("PRI * HTT");
  settle();
  scheduler_.advance(11s);
  run_until([&] { return closed_ == 1; });
}

TEST_F(H2ServerTest, RefusedHeadsAreCountedAndAnswered) {
  http::RequestHead head;
  head.method = "GET";
  head.authority = "a";
  for (int i = 0; i < 200; ++i) head.headers.add("x-" + std::to_string(i), "1");
  const auto id = client_.session.request(head, "http", true);
  pump_until([&] { return got(id).ended; });
  EXPECT_EQ(got(id).response.status, 431);
  EXPECT_EQ(refused_, std::vector<int>{431});
  EXPECT_TRUE(requests_.empty());
}

class H2TunnelTest : public H2ServerTest {
 protected:
  H2StreamId ask_for_websocket() {
    http::RequestHead head;
    head.method = "GET";
    head.target = "/";
    head.authority = "a";
    head.headers.add("upgrade", "websocket");
    return client_.session.request(head, "http", false);
  }
  void grant(Seen& seen) {
    http::ResponseHead head;
    head.status = 101;
    seen.stream->send_head(head, false);
  }
};

TEST_F(H2TunnelTest, WhatComesEarlyWaitsForTheAnswer) {
  pump_all();
  const auto id = ask_for_websocket();
  client_.session.send_data(id, "early");
  Seen& seen = asked(0);
  pump_all();
  EXPECT_TRUE(seen.ended) << "the request is whole, as over HTTP/1.1";
  EXPECT_EQ(seen.body, "");
  grant(seen);
  EXPECT_EQ(seen.body, "") << "no event from within a call";
  pump_until([&] { return !seen.body.empty(); });
  EXPECT_EQ(seen.body, "early");
  client_.session.send_data(id, ", late");
  pump_until([&] { return seen.body == "early, late"; });
  seen.ended = false;
  client_.session.send_end(id, {});
  pump_until([&] { return seen.ended; });
  EXPECT_FALSE(seen.aborted);
}

TEST_F(H2TunnelTest, HoldsNoMoreThanAWindowBeforeTheAnswer) {
  pump_all();
  const auto id = ask_for_websocket();
  client_.session.send_data(id, string(1'000'000, 'x'));
  Seen& seen = asked(0);
  pump_all();
  pump_all();
  EXPECT_GE(client_.session.unsent(id), 1'000'000U - limits_.h2.stream_window);
  seen.answer("no", 403);
  pump_until([&] { return got(id).ended; });
  EXPECT_EQ(got(id).response.status, 403);
}

TEST_F(H2TunnelTest, EndsOnceNothingMovesInIt) {
  pump_all();
  const auto id = ask_for_websocket();
  Seen& seen = asked(0);
  grant(seen);
  const auto most = limits_.tunnel_idle_timeout - 1min;
  client_.session.send_data(id, "ping");
  pump_until([&] { return seen.body == "ping"; });
  scheduler_.advance(most);
  seen.stream->send_data("pong");
  pump_until([&] { return got(id).body == "pong"; });
  scheduler_.advance(most);
  pump_all();
  EXPECT_FALSE(seen.aborted) << "what is sent counts as well";
  scheduler_.advance(limits_.tunnel_idle_timeout);
  pump_until([&] { return got(id).closed.has_value(); });
  EXPECT_EQ(seen.aborted, StreamError::kTimeout);
}

}  // namespace
}  // namespace tidegate::session
