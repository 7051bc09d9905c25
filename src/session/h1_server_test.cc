// SPDX-License-Identifier: Apache-2.0
#include "session/h1_server_fixture.h"

namespace tidegate::session {
namespace {

TEST_F(H1ServerTest, AnswersSeveralRequestsOnOneConnection) {
  answer_all("ok");
  const auto peer = client();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(exchange(*peer, kGet, "ok"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  }
  EXPECT_EQ(requests_.size(), 3u);
  EXPECT_TRUE(connection_->idle());
  EXPECT_EQ(requests_[0]->head.scheme, "http");
  EXPECT_TRUE(requests_[0]->stream->client_address().starts_with("127.0.0.1:"));
}

TEST_F(H1ServerTest, AnswersPipelinedRequestsInOrder) {
  const auto peer = client();
  peer->send(
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /3 "
      "HTTP/1.1\r\nHost: a\r\n\r\n");
  request(0);
  settle();
  ASSERT_EQ(requests_.size(), 1u) << "the second request began before the first was answered";
  request(0).answer("one");
  EXPECT_EQ(requests_.size(), 1u) << "the next request was delivered from within a call";
  request(1);
  run_until([&] { return requests_[1]->ended; });
  EXPECT_EQ(requests_[1]->body, "abc");
  requests_[1]->answer("two");
  request(2).answer("three");
  run_until([&] { return peer->received().ends_with("three"); });
  EXPECT_LT(peer->received().find("one"), peer->received().find("two"));
}

TEST_F(H1ServerTest, ManyPipelinedRequestsFitThroughASmallBuffer) {
  answer_all("x");
  const auto peer = client();
  string all;
  for (int i = 0; i < 2000; ++i) all += kGet;
  peer->send(all);
  const string one = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
  run_until([&] { return peer->received().size() == 2000 * one.size(); });
  EXPECT_EQ(requests_.size(), 2000u);
}

struct FramingCase {
  const char* request;
  std::optional<std::uint64_t> length;
  int status;
  string expected;
  bool closes;
};

TEST_F(H1ServerTest, FramesResponsesForTheRequest) {
  const FramingCase cases[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", std::nullopt, 200,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", false},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 2, 200,
       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab", true},
      {"GET / HTTP/1.0\r\n\r\n", std::nullopt, 200, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nab", true},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 2, 200,
       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nab", false},
      {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 2, 200, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", false},
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", std::nullopt, 204, "HTTP/1.1 204 No Content\r\n\r\n", false},
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 2, 304, "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
       false},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", 2, 200,
       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", false},
  };
  for (const FramingCase& test : cases) {
    SCOPED_TRACE(test.request);
    then_ = [&](Seen& seen) {
      http::ResponseHead head;
      head.status = test.status;
      head.content_length = test.length;
      seen.stream->send_head(head, false);
      seen.stream->send_data("ab");
      seen.stream->send_end();
    };
    const auto peer = client();
    peer->send(test.request);
    run_until([&] { return peer->received().size() >= test.expected.size(); });
    settle();
    EXPECT_EQ(peer->received(), test.expected);
    EXPECT_EQ(peer->ended(), test.closes);
    connection_->close();
    connection_.reset();
  }
}

TEST_F(H1ServerTest, SendsNoMoreThanItDeclared) {
  at_head_ = [](Seen& seen) {
    seen.begin(2);
    seen.stream->send_data("abcd");
    seen.stream->send_end();
  };
  const auto peer = client();
  EXPECT_EQ(exchange(*peer, kGet, "ab"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
}

TEST_F(H1ServerTest, CutsAResponseThatEndsBeforeItsDeclaredLength) {
  at_head_ = [](Seen& seen) {
    seen.begin(4);
    seen.stream->send_data("ab");
    seen.stream->send_end();
  };
  const auto peer = client();
  peer->send(kGet);
  run_until([&] { return peer->ended(); });
  EXPECT_EQ(closed_, 1);
}

TEST_F(H1ServerTest, ResetCutsTheConnectionWithoutALastChunk) {
  const auto peer = client();
  peer->send(kGet);
  request().begin();
  requests_[0]->stream->send_data("ab");
  run_until([&] { return peer->received().ends_with("ab\r\n"); });
  requests_[0]->stream->reset();
  run_until([&] { return peer->ended(); });
  EXPECT_TRUE(peer->received().ends_with("ab\r\n"));
  EXPECT_FALSE(requests_[0]->aborted) << "told of what it did itself";
  requests_[0]->stream->send_data("late");
  requests_[0]->stream->send_end();
  EXPECT_EQ(requests_[0]->stream->unsent_bytes(), 0u);
}

TEST_F(H1ServerTest, ResetBreaksABodyThatOnlyTheCloseDelimits) {
  const auto peer = client();
  peer->send("GET / HTTP/1.0\r\n\r\n");
  request().begin();
  requests_[0]->stream->send_data("ab");
  run_until([&] { return peer->received().ends_with("ab"); });
  requests_[0]->stream->reset();
  run_until([&] { return peer->ended(); });
  EXPECT_TRUE(peer->broken()) << "looks like a complete response";
}

TEST_F(H1ServerTest, LateCallsAfterTheEndDoNothing) {
  answer_all("ok");
  const auto peer = client();
  exchange(*peer, kGet, "ok");
  requests_[0]->stream->send_head({}, true);
  requests_[0]->stream->send_data("late");
  requests_[0]->stream->send_end();
  requests_[0]->stream->reset();
  requests_[0]->stream->resume();
  requests_[0]->stream->set_events(nullptr);
  EXPECT_EQ(exchange(*peer, kGet, "ok"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

struct RefusalCase {
  const char* name;
  string bytes;
  int status;
};

TEST_F(H1ServerTest, AnswersMalformedInputAndCloses) {
  const RefusalCase cases[] = {
      {"nonsense", "nonsense\r\n\r\n", 400},
      {"TLS to the plain port", string("\x16\x03\x01\x02\x00\x01\n", 7), 400},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 501},
      {"long target", "GET /" + string(20000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"large head", "GET / HTTP/1.1\r\nHost: a\r\nX: " + string(70000, 'a') + "\r\n\r\n", 431},
      {"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
  };
  for (const RefusalCase& test : cases) {
    SCOPED_TRACE(test.name);
    refused_.clear();
    const auto peer = client();
    peer->send(test.bytes);
    run_until([&] { return peer->ended(); });
    EXPECT_TRUE(peer->received().starts_with("HTTP/1.1 " + std::to_string(test.status) + " "))
        << peer->received();
    EXPECT_NE(peer->received().find("Connection: close\r\n"), string::npos);
    EXPECT_EQ(refused_, std::vector<int>{test.status});
    EXPECT_TRUE(requests_.empty());
    connection_->close();
    connection_.reset();
  }
}

TEST_F(H1ServerTest, RefusesWhatFollowsAGoodRequestAfterAnsweringIt) {
  const auto peer = client();
  peer->send(kGet + "nonsense\r\n\r\n");
  request();
  settle();
  EXPECT_TRUE(refused_.empty());
  requests_[0]->answer("ok");
  run_until([&] { return peer->ended(); });
  EXPECT_LT(peer->received().find("200 OK"), peer->received().find("400 Bad Request"));
}

TEST_F(H1ServerTest, AMalformedBodyAbortsItsRequest) {
  const auto peer = client();
  peer->send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n");
  run_until([&] { return peer->ended(); });
  EXPECT_EQ(request().aborted, StreamError::kProtocol);
  EXPECT_EQ(request().body, "ab");
  EXPECT_TRUE(peer->received().starts_with("HTTP/1.1 400 ")) << peer->received();
}

TEST_F(H1ServerTest, ContinueIsSentWhereItIsAskedFor) {
  const auto peer = client();
  at_head_ = [](Seen& seen) {
    EXPECT_TRUE(seen.expects_continue);
    seen.stream->send_continue();
    seen.stream->send_continue();
  };
  answer_all("ok");
  const string head = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
  EXPECT_EQ(exchange(*peer, head, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(exchange(*peer, "abc", "ok"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(requests_[0]->body, "abc");
}

TEST_F(H1ServerTest, ARefusalInsteadOfContinueEndsTheConnection) {
  const auto peer = client();
  at_head_ = [](Seen& seen) {
    seen.answer("no", 403);
    seen.stream->set_events(nullptr);
  };
  peer->send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  run_until([&] { return peer->ended(); });
  EXPECT_NE(peer->received().find("Connection: close\r\n"), string::npos) << peer->received();
}

TEST_F(H1ServerTest, AnEarlyResponseLetsASmallBodyRunOut) {
  const auto peer = client();
  at_head_ = [](Seen& seen) {
    seen.answer("no", 403);
    seen.stream->set_events(nullptr);
  };
  peer->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
  run_until([&] { return peer->received().ends_with("no"); });
  EXPECT_EQ(peer->take().find("Connection: close"), string::npos);
  at_head_ = nullptr;
  answer_all("ok");
  EXPECT_TRUE(exchange(*peer, "def" + kGet, "ok").starts_with("HTTP/1.1 200 OK"));
}

TEST_F(H1ServerTest, AnEarlyResponseToALargeBodyEndsTheConnectionAndArrives) {
  const auto peer = client();
  at_head_ = [](Seen& seen) {
    seen.answer("no", 413);
    seen.stream->set_events(nullptr);
  };
  const std::size_t size = limits_.max_drain_bytes * 8;
  peer->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
             string(size / 8, 'x'));
  run_until([&] { return peer->ended(); });
  EXPECT_NE(peer->received().find("Connection: close\r\n"), string::npos);
  EXPECT_TRUE(peer->received().ends_with("no"));
  scheduler_.advance(limits_.linger_timeout);
  run_until([&] { return closed_ == 1; });
}

TEST_F(H1ServerTest, AnEarlyResponseDoesNotStopTheBodyForWhoWantsIt) {
  const auto peer = client();
  at_head_ = [](Seen& seen) { seen.begin(); };
  peer->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
  run_until([&] { return !requests_.empty() && requests_[0]->body == "abc"; });
  requests_[0]->stream->send_end();
  peer->send("def");
  run_until([&] { return requests_[0]->ended; });
  EXPECT_EQ(requests_[0]->body, "abcdef");
}

TEST_F(H1ServerTest, DrainingClosesAnIdleConnection) {
  answer_all("ok");
  const auto peer = client();
  exchange(*peer, kGet, "ok");
  connection_->drain();
  run_until([&] { return peer->ended(); });
  EXPECT_EQ(closed_, 1);
}

TEST_F(H1ServerTest, DrainingFinishesTheResponseUnderWay) {
  const auto peer = client();
  peer->send(kGet);
  run_until([&] { return !requests_.empty() && requests_[0]->ended; });
  connection_->drain();
  settle();
  EXPECT_FALSE(peer->ended());
  requests_[0]->answer("ok");
  run_until([&] { return peer->ended(); });
  EXPECT_EQ(peer->received(), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
}

TEST_F(H1ServerTest, ClosingAbortsTheRequestUnderWay) {
  const auto peer = client();
  peer->send(kGet);
  request();
  connection_->close();
  EXPECT_EQ(requests_[0]->aborted, StreamError::kCancelled);
  EXPECT_EQ(closed_, 1);
  connection_->close();
  EXPECT_EQ(closed_, 1);
}

TEST_F(H1ServerTest, PartsOfOneTurnLeaveInOneWrite) {
  const auto peer = client();
  peer->send(kGet);
  request();
  settle();
  Seen& seen = *requests_[0];
  seen.begin();
  seen.stream->send_data("a");
  seen.stream->send_data("b");
  peer->stop_reading();
  EXPECT_GT(seen.stream->unsent_bytes(), 0u) << "sent before the turn was over";
  peer->resume_reading();
  run_until([&] { return peer->received().ends_with("1\r\nb\r\n"); });
  EXPECT_EQ(seen.stream->unsent_bytes(), 0u);
  seen.stream->send_end();
  run_until([&] { return peer->received().ends_with("0\r\n\r\n"); });
}

TEST_F(H1ServerTest, LivesByItselfWhileItsReaderIsPaused) {
  const auto peer = client();
  peer->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
  Seen& seen = request();
  seen.stream->pause();
  peer->send("l");  // read, and then nothing more
  settle();
  connection_.reset();
  settle();
  seen.stream->resume();
  peer->send("lo");
  run_until([&] { return seen.ended; });
  EXPECT_EQ(seen.body, "hello");
  seen.answer("ok");
  run_until([&] { return peer->received().ends_with("ok"); });
}

}  // namespace
}  // namespace tidegate::session
