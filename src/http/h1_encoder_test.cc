// SPDX-License-Identifier: Apache-2.0
#include "http/h1_encoder.h"

#include <gtest/gtest.h>

#include "http/decoded.h"

namespace tidegate::http {
namespace {

std::string encode(const RequestHead& head, EncodeOptions options = {}) {
  std::string out;
  encode_head(head, options, out);
  return out;
}

std::string encode(const ResponseHead& head, std::string_view method, Version version = Version::kHttp11,
                   EncodeOptions options = {}) {
  std::string out;
  encode_head(head, method, version, options, out);
  return out;
}

RequestHead request(std::string method, std::optional<std::uint64_t> length, Headers headers = {}) {
  RequestHead head;
  head.method = std::move(method);
  head.target = "/a?b";
  head.authority = "shop.example";
  head.content_length = length;
  head.headers = std::move(headers);
  return head;
}

TEST(H1Encoder, WritesARequest) {
  EXPECT_EQ(encode(request("GET", 0, {{"X-One", "1"}})),
            "GET /a?b HTTP/1.1\r\nHost: shop.example\r\nX-One: 1\r\n\r\n");
  EXPECT_EQ(encode(request("POST", 0)),
            "POST /a?b HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(encode(request("PUT", std::nullopt)),
            "PUT /a?b HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(encode(request("GET", 0), {.keep_alive = false}),
            "GET /a?b HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n");
}

TEST(H1Encoder, FramesByLengthWhateverTheFieldsSay) {
  const Headers lies = {{"Content-Length", "99"},
                        {"transfer-encoding", "gzip"},
                        {"Connection", "upgrade"},
                        {"Host", "other"},
                        {"Upgrade", "x"}};
  EXPECT_EQ(encode(request("PUT", 3, lies)),
            "PUT /a?b HTTP/1.1\r\nHost: shop.example\r\nUpgrade: x\r\nContent-Length: 3\r\n\r\n");
}

// Fields as they came, fields taken away among them, and fields of ours: each is written once, in order.
TEST(H1Encoder, WritesWhatIsLeftOfADecodedHead) {
  Decoded decoded = decode(H1Decoder::Role::kRequests,
                           "GET /a?b HTTP/1.1\r\nA: 1\r\nHost: shop.example\r\nB:2\r\nGone: x\r\nConnection: "
                           "keep-alive\r\nC: 3 4\r\nD:\r\n\r\n");
  ASSERT_EQ(decoded.messages.size(), 1u);
  RequestHead& head = decoded.messages[0].request;
  head.headers.remove("gone");
  head.headers.add("x-ours", "5");
  EXPECT_EQ(encode(head),
            "GET /a?b HTTP/1.1\r\nHost: shop.example\r\nA: 1\r\nB: 2\r\nC: 3 4\r\nD: \r\nx-ours: 5\r\n\r\n");
}

TEST(H1Encoder, MendsValuesAndDropsNamesAmongGoodFields) {
  EXPECT_EQ(
      encode(request("GET", 0, {{"A", "1"}, {"B", "2\r\nEvil: 3"}, {"C D", "4"}, {"", "5"}, {"E", "6"}})),
      "GET /a?b HTTP/1.1\r\nHost: shop.example\r\nA: 1\r\nB: 2  Evil: 3\r\nE: 6\r\n\r\n");
}

struct ResponseCase {
  const char* method;
  int status;
  std::optional<std::uint64_t> length;
  Version client;
  bool keep_alive;
  const char* expected;
};

TEST(H1Encoder, FramesResponsesForTheirClient) {
  const ResponseCase cases[] = {
      {"GET", 200, 2, Version::kHttp11, true, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"},
      {"GET", 200, std::nullopt, Version::kHttp11, true,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"GET", 200, std::nullopt, Version::kHttp10, true, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"},
      {"GET", 200, 2, Version::kHttp10, true,
       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n"},
      {"GET", 200, 2, Version::kHttp11, false,
       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"},
      {"HEAD", 200, 2, Version::kHttp11, true, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"},
      {"HEAD", 200, std::nullopt, Version::kHttp11, true, "HTTP/1.1 200 OK\r\n\r\n"},
      {"GET", 204, 0, Version::kHttp11, true, "HTTP/1.1 204 No Content\r\n\r\n"},
      {"GET", 304, 7, Version::kHttp11, true, "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"},
      {"GET", 100, 0, Version::kHttp11, true, "HTTP/1.1 100 Continue\r\n\r\n"},
      {"GET", 299, 0, Version::kHttp11, true, "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n"},
  };
  for (const ResponseCase& test : cases) {
    ResponseHead head;
    head.status = test.status;
    head.content_length = test.length;
    EXPECT_EQ(encode(head, test.method, test.client, {.keep_alive = test.keep_alive}), test.expected);
  }
}

TEST(H1Encoder, NeverWritesALineBreakThatItWasHanded) {
  RequestHead head = request("GE\r\nT", 0, {{"X", "a\r\nY: b"}, {"Bad\r\nName", "c"}, {"", "d"}});
  head.target = "/\r\nZ: 1";
  head.authority = "a\r\nW: 1";
  EXPECT_EQ(encode(head), "GE  T /  Z: 1 HTTP/1.1\r\nHost: a  W: 1\r\nX: a  Y: b\r\n\r\n");
  ResponseHead response;
  response.reason = "OK\r\n\r\n";
  response.content_length = 0;
  EXPECT_EQ(encode(response, "GET"), "HTTP/1.1 200 OK    \r\nContent-Length: 0\r\n\r\n");
}

TEST(H1Encoder, WritesChunks) {
  std::string out;
  encode_chunk(std::string(26, 'x'), out);
  encode_last_chunk({{"X-Sum", "1"}}, out);
  EXPECT_EQ(out, "1a\r\n" + std::string(26, 'x') + "\r\n0\r\nX-Sum: 1\r\n\r\n");
}

TEST(H1Encoder, WritesAnUpgrade) {
  EXPECT_EQ(encode(request("GET", 0, {{"Upgrade", "other"}}), {.upgrade = "websocket"}),
            "GET /a?b HTTP/1.1\r\nHost: shop.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
}

TEST(H1Encoder, IsReadBackUnchanged) {
  const RequestHead head = request("PATCH", std::nullopt, {{"X-One", "1"}, {"x-one", "2"}});
  std::string out = encode(head);
  encode_chunk("hello", out);
  encode_last_chunk({{"X-Sum", "5"}}, out);
  const Decoded decoded = decode(H1Decoder::Role::kRequests, out);
  ASSERT_EQ(decoded.messages.size(), 1u);
  const DecodedMessage& message = decoded.messages[0];
  EXPECT_EQ(message.request.method, "PATCH");
  EXPECT_EQ(message.request.target, "/a?b");
  EXPECT_EQ(message.request.authority, "shop.example");
  EXPECT_EQ(message.request.headers.count("X-ONE"), 2u);
  EXPECT_EQ(message.body, "hello");
  EXPECT_EQ(message.trailers.get("x-sum"), "5");
}

}  // namespace
}  // namespace tidegate::http
