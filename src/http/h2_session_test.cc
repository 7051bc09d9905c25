// SPDX-License-Identifier: Apache-2.0
// Two sessions, one in each role, and the messages that pass between them.
#include "http/h2_session.h"

#include <gtest/gtest.h>

#include "http/h2_peer.h"

namespace tidegate::http {
namespace {

using std::string;

RequestHead get(const string& target = "/") {
  RequestHead head;
  head.method = "GET";
  head.target = target;
  head.authority = "shop.example";
  head.headers = {{"X-Mixed", "Case"}, {"Connection", "keep-alive"}, {"Cookie", "a=1; b=2"}};
  return head;
}

class H2SessionTest : public testing::Test {
 protected:
  void exchange() {
    for (bool moved = true; moved;) {
      const string there = client.take(), back = server.take();
      moved = !there.empty() || !back.empty();
      server.session.receive(there, server.now);
      client.session.receive(back, client.now);
    }
  }
  H2Story::Message& at_server(H2StreamId id) { return server.story.messages[id]; }
  H2Story::Message& at_client(H2StreamId id) { return client.story.messages[id]; }

  H2End client{H2Session::Role::kClient}, server{H2Session::Role::kServer};
};

TEST_F(H2SessionTest, ARequestAndItsResponse) {
  const auto id = client.session.request(get("/x?y=1"), "http", true);
  exchange();
  const auto& seen = at_server(id).request;
  EXPECT_EQ(seen.method, "GET");
  EXPECT_EQ(seen.target, "/x?y=1");
  EXPECT_EQ(seen.authority, "shop.example");
  EXPECT_EQ(seen.version, Version::kHttp2);
  EXPECT_EQ(seen.content_length, 0U);
  EXPECT_EQ(seen.headers.get("x-mixed"), "Case");
  EXPECT_FALSE(seen.headers.has("connection"));
  EXPECT_TRUE(at_server(id).ended);
  ResponseHead head;
  head.headers = {{"Content-Type", "text/plain"}, {"Transfer-Encoding", "chunked"}};
  head.content_length = 5;
  server.session.respond(id, head, false);
  server.session.send_data(id, "hello");
  server.session.send_end(id, {});
  exchange();
  EXPECT_EQ(at_client(id).response.status, 200);
  EXPECT_EQ(at_client(id).response.content_length, 5U);
  EXPECT_FALSE(at_client(id).response.headers.has("transfer-encoding"));
  EXPECT_EQ(at_client(id).body, "hello");
  EXPECT_EQ(at_client(id).closed, H2Code::kNoError);
  EXPECT_EQ(at_server(id).closed, H2Code::kNoError);
}

TEST_F(H2SessionTest, BodiesAndTrailersBothWays) {
  RequestHead head = get();
  head.method = "POST";
  head.content_length.reset();
  const auto id = client.session.request(head, "http", false);
  client.session.send_data(id, "ping");
  client.session.send_end(id, {{"X-Sum", "1"}});
  exchange();
  EXPECT_EQ(at_server(id).request.content_length, std::nullopt);
  EXPECT_EQ(at_server(id).body, "ping");
  EXPECT_EQ(at_server(id).trailers.get("x-sum"), "1");
  server.session.respond(id, {.content_length = std::nullopt}, false);
  server.session.send_end(id, {{"grpc-status", "0"}});
  exchange();
  EXPECT_EQ(at_client(id).trailers.get("grpc-status"), "0");
  EXPECT_TRUE(at_client(id).ended);
}

TEST_F(H2SessionTest, TheEndOfAHeadIsAnEmptyBody) {
  const auto id = client.session.request(get(), "http", true);
  exchange();
  server.session.respond(id, {.headers = {{"grpc-status", "12"}}, .content_length = 0}, true);
  exchange();
  EXPECT_EQ(at_client(id).response.content_length, 0U);
  EXPECT_EQ(at_client(id).response.headers.get("grpc-status"), "12");
  EXPECT_FALSE(at_client(id).response.headers.has("content-length"));
}

TEST_F(H2SessionTest, CrumbsOfACookieAreOneFieldAgain) {
  H2End one{H2Session::Role::kServer};
  ASSERT_TRUE(
      one.feed(h2_hello() + h2_headers(1, h2_get({{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}}))));
  EXPECT_EQ(one.story.messages[1].request.headers.count("cookie"), 1U);
  EXPECT_EQ(one.story.messages[1].request.headers.get("cookie"), "a=1; b=2");
}

TEST_F(H2SessionTest, AHeldStreamStopsItsPeerAndNoOther) {
  RequestHead head = get();
  head.content_length.reset();
  const auto slow = client.session.request(head, "http", false),
             quick = client.session.request(head, "http", false);
  exchange();
  server.session.hold(slow, true);
  const string large(300'000, 'x');
  client.session.send_data(slow, large);
  client.session.send_data(quick, large);
  exchange();
  EXPECT_EQ(at_server(slow).body.size(), 65'535U);
  EXPECT_EQ(client.session.unsent(slow), large.size() - 65'535U);
  EXPECT_EQ(at_server(quick).body.size(), large.size());
  server.session.hold(slow, false);
  exchange();
  EXPECT_EQ(at_server(slow).body.size(), large.size());
  EXPECT_EQ(client.session.unsent(), 0U);
}

TEST_F(H2SessionTest, ProducesNoMoreThanThereIsRoomFor) {
  RequestHead head = get();
  head.content_length.reset();
  const auto id = client.session.request(head, "http", false);
  exchange();
  client.session.send_data(id, string(60'000, 'x'));
  string out;
  client.session.produce(out, 10'000);
  EXPECT_LT(out.size(), 10'000U + 16'384U + 9U);
  EXPECT_GT(client.session.unsent(id), 30'000U);
}

TEST_F(H2SessionTest, AnAnswerBeforeTheEndOfTheRequestStopsIt) {
  RequestHead head = get();
  head.content_length.reset();
  const auto id = client.session.request(head, "http", false);
  exchange();
  server.session.respond(id, {.status = 503, .content_length = 0}, true);
  server.session.ignore_rest(id);
  client.session.send_data(id, "more");
  exchange();
  EXPECT_EQ(at_client(id).response.status, 503);
  EXPECT_TRUE(at_client(id).ended);
  EXPECT_EQ(at_client(id).closed, H2Code::kNoError);
  EXPECT_EQ(at_server(id).body, "");
}

TEST_F(H2SessionTest, InterimResponsesAreNotFinal) {
  const auto id = client.session.request(get(), "http", true);
  exchange();
  server.session.send_continue(id);
  exchange();
  EXPECT_FALSE(at_client(id).has_head);
  server.session.respond(id, {.status = 204}, true);
  exchange();
  EXPECT_EQ(at_client(id).response.status, 204);
}

TEST_F(H2SessionTest, AResetEndsBothSides) {
  const auto id = client.session.request(get(), "http", true);
  exchange();
  client.session.reset(id, H2Code::kCancel);
  exchange();
  EXPECT_EQ(at_server(id).closed, H2Code::kCancel);
  EXPECT_EQ(at_client(id).closed, H2Code::kCancel);
  server.session.respond(id, {}, true);  // too late, and harmless
  exchange();
}

TEST_F(H2SessionTest, AShutdownServesWhatCameAndRefusesTheRest) {
  const auto served = client.session.request(get(), "http", true);
  exchange();
  server.session.announce_shutdown();
  server.session.ping();
  const auto late = client.session.request(get(), "http", true);
  const string in_flight = client.take();  // before the client hears
  exchange();
  EXPECT_EQ(server.story.pongs, 1);
  EXPECT_GE(client.story.goaways, 1);
  EXPECT_EQ(client.session.request(get(), "http", true), 0);
  server.session.receive(in_flight, server.now);
  server.session.shut_down();
  for (const auto id : {served, late}) server.session.respond(id, {}, true);
  exchange();
  EXPECT_EQ(at_client(served).closed, H2Code::kNoError);
  EXPECT_EQ(at_client(late).closed, H2Code::kNoError);
  EXPECT_TRUE(server.session.finished());
}

TEST_F(H2SessionTest, AShutdownAtOnceLeavesLaterStreamsUnprocessed) {
  const auto first = client.session.request(get(), "http", true);
  exchange();
  server.session.shut_down();
  const auto late = client.session.request(get(), "http", true);
  exchange();
  EXPECT_EQ(at_client(late).closed, H2Code::kRefused);
  EXPECT_FALSE(at_server(late).has_head);
  server.session.respond(first, {}, true);
  exchange();
  EXPECT_EQ(at_client(first).closed, H2Code::kNoError);
}

TEST_F(H2SessionTest, ExpectContinueIsSeen) {
  H2End one{H2Session::Role::kServer};
  ASSERT_TRUE(one.feed(h2_hello() + h2_headers(1, h2_get({{"expect", "100-continue"}}), false)));
  EXPECT_TRUE(one.story.messages[1].expects_continue);
}

// RFC 8441 section 5.1.
TEST_F(H2SessionTest, AWebSocketIsAnExtendedConnect) {
  exchange();
  EXPECT_TRUE(client.session.peer_takes_websockets());
  RequestHead head = get("/chat");
  head.headers = {{"Upgrade", "websocket"},
                  {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                  {"Sec-WebSocket-Version", "13"}};
  const auto id = client.session.request(head, "http", false);
  exchange();
  const auto& seen = at_server(id).request;
  EXPECT_TRUE(opens_websocket(seen));
  EXPECT_EQ(seen.target, "/chat");
  EXPECT_EQ(seen.content_length, 0U);
  EXPECT_EQ(seen.headers.get("sec-websocket-version"), "13");
  EXPECT_FALSE(seen.headers.has("sec-websocket-key"));
  ResponseHead answer;
  answer.status = 101;
  answer.headers = {
      {"Upgrade", "websocket"}, {"Sec-WebSocket-Accept", "x"}, {"Sec-WebSocket-Protocol", "chat"}};
  server.session.respond(id, answer, false);
  server.session.send_data(id, "from the server");
  client.session.send_data(id, "from the client");
  exchange();
  EXPECT_EQ(at_client(id).response.status, 101);
  EXPECT_EQ(at_client(id).response.headers.get("sec-websocket-protocol"), "chat");
  EXPECT_FALSE(at_client(id).response.headers.has("sec-websocket-accept"));
  EXPECT_EQ(at_client(id).body, "from the server");
  EXPECT_EQ(at_server(id).body, "from the client");
  EXPECT_FALSE(at_client(id).closed || at_server(id).closed);
}

}  // namespace
}  // namespace tidegate::http
