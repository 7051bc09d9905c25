// SPDX-License-Identifier: Apache-2.0
#include "http/h1_decoder.h"

#include <gtest/gtest.h>

#include "http/decoded.h"

namespace tidegate::http {
namespace {

using Role = H1Decoder::Role;

TEST(H1Decoder, ReadsARequestWithoutBody) {
  const Decoded decoded =
      decode(Role::kRequests, "GET /a?b=c HTTP/1.1\r\nHost: shop.example:8080\r\nX-One:  1 \r\n\r\n");
  ASSERT_EQ(decoded.error, DecodeError::kNone) << decoded.detail;
  ASSERT_EQ(decoded.messages.size(), 1u);
  const DecodedMessage& message = decoded.messages[0];
  EXPECT_EQ(message.request.method, "GET");
  EXPECT_EQ(message.request.target, "/a?b=c");
  EXPECT_EQ(message.request.path(), "/a");
  EXPECT_EQ(message.request.query(), "b=c");
  EXPECT_EQ(message.request.authority, "shop.example:8080");
  EXPECT_EQ(message.request.host(), "shop.example");
  EXPECT_EQ(message.request.headers.get("x-one"), "1");
  EXPECT_FALSE(message.request.headers.has("host"));
  EXPECT_EQ(message.request.content_length, 0u);
  EXPECT_TRUE(message.complete);
  EXPECT_TRUE(message.keep_alive);
}

TEST(H1Decoder, ReadsABodyOfDeclaredLength) {
  const Decoded decoded =
      decode(Role::kRequests,
             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: b\r\n\r\n");
  ASSERT_EQ(decoded.messages.size(), 2u);
  EXPECT_EQ(decoded.messages[0].body, "hello");
  EXPECT_EQ(decoded.messages[0].request.content_length, 5u);
  EXPECT_EQ(decoded.messages[1].request.authority, "b");
}

TEST(H1Decoder, ReadsChunksAndTrailers) {
  const Decoded decoded = decode(Role::kRequests,
                                 "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
                                 "5\r\nhello\r\n0A;name=value\r\n, world!!!\r\n0\r\nX-Sum: 9\r\n\r\n");
  ASSERT_EQ(decoded.error, DecodeError::kNone) << decoded.detail;
  ASSERT_EQ(decoded.messages.size(), 1u);
  EXPECT_EQ(decoded.messages[0].body, "hello, world!!!");
  EXPECT_EQ(decoded.messages[0].request.content_length, std::nullopt);
  EXPECT_EQ(decoded.messages[0].trailers.get("x-sum"), "9");
}

TEST(H1Decoder, EndsACloseDelimitedResponseWithTheConnection) {
  H1Decoder decoder(Role::kResponses, {});
  std::string_view input = "HTTP/1.1 200 OK\r\n\r\nall of it";
  ASSERT_EQ(decoder.next(input), H1Decoder::Event::kHead);
  EXPECT_FALSE(decoder.keep_alive());
  ASSERT_EQ(decoder.next(input), H1Decoder::Event::kData);
  EXPECT_EQ(decoder.body(), "all of it");
  EXPECT_EQ(decoder.finish(), H1Decoder::Event::kEnd);
}

struct BodylessCase {
  const char* method;
  const char* head;
};

TEST(H1Decoder, KnowsResponsesWithoutBodyWhateverTheirFieldsSay) {
  const BodylessCase cases[] = {
      {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"},
      {"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"GET", "HTTP/1.1 204 No Content\r\n\r\n"},
      {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n"},
      {"GET", "HTTP/1.1 100 Continue\r\n\r\n"},
  };
  for (const BodylessCase& test : cases) {
    SCOPED_TRACE(test.head);
    H1Decoder decoder(Role::kResponses, {});
    decoder.expect_response_to(test.method);
    std::string_view input = test.head;
    ASSERT_EQ(decoder.next(input), H1Decoder::Event::kHead);
    EXPECT_EQ(decoder.next(input), H1Decoder::Event::kEnd);
    EXPECT_TRUE(decoder.at_message_start());
  }
}

TEST(H1Decoder, KeepsTheDeclaredLengthOfAResponseToHead) {
  H1Decoder decoder(Role::kResponses, {});
  decoder.expect_response_to("HEAD");
  std::string_view input = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
  ASSERT_EQ(decoder.next(input), H1Decoder::Event::kHead);
  EXPECT_EQ(decoder.response().content_length, 10u);
}

TEST(H1Decoder, AnEndWithinAMessageIsAnError) {
  for (const std::string_view text :
       {"GE", "GET / HTTP/1.1\r\nHost: a\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"}) {
    SCOPED_TRACE(text);
    H1Decoder decoder(Role::kRequests, {});
    std::string_view input = text;
    while (decoder.next(input) != H1Decoder::Event::kNeedMore) {
    }
    EXPECT_EQ(decoder.finish(), H1Decoder::Event::kError);
    EXPECT_EQ(decoder.error(), DecodeError::kUnexpectedEnd);
  }
}

TEST(H1Decoder, AnEndBetweenMessagesIsNone) {
  H1Decoder decoder(Role::kRequests, {});
  EXPECT_EQ(decoder.finish(), H1Decoder::Event::kNeedMore);
  std::string_view input = "GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n";
  while (decoder.next(input) != H1Decoder::Event::kNeedMore) {
  }
  EXPECT_TRUE(decoder.at_message_start());
  EXPECT_EQ(decoder.finish(), H1Decoder::Event::kNeedMore);
}

struct PersistenceCase {
  const char* head;
  bool keep_alive;
};

TEST(H1Decoder, TellsWhetherTheConnectionPersists) {
  const PersistenceCase cases[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", false},
      {"GET / HTTP/1.0\r\nHost: a\r\n\r\n", false},
      {"GET / HTTP/1.0\r\n\r\n", false},
      {"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", true},
  };
  for (const PersistenceCase& test : cases) {
    SCOPED_TRACE(test.head);
    const Decoded decoded = decode(Role::kRequests, test.head);
    ASSERT_EQ(decoded.messages.size(), 1u);
    EXPECT_EQ(decoded.messages[0].keep_alive, test.keep_alive);
  }
}

struct TargetCase {
  const char* line;
  const char* target;
  const char* authority;
};

TEST(H1Decoder, SplitsAbsoluteTargets) {
  const TargetCase cases[] = {
      {"GET http://shop.example/a?b HTTP/1.1", "/a?b", "shop.example"},
      {"GET HTTPS://shop.example:1 HTTP/1.1", "/", "shop.example:1"},
      {"GET http://[::1]:80?q HTTP/1.1", "/?q", "[::1]:80"},
      {"OPTIONS * HTTP/1.1", "*", "other"},
      {"GET // HTTP/1.1", "//", "other"},
  };
  for (const TargetCase& test : cases) {
    SCOPED_TRACE(test.line);
    const Decoded decoded = decode(Role::kRequests, std::string(test.line) + "\r\nHost: other\r\n\r\n");
    ASSERT_EQ(decoded.messages.size(), 1u) << decoded.detail;
    EXPECT_EQ(decoded.messages[0].request.target, test.target);
    EXPECT_EQ(decoded.messages[0].request.authority, test.authority);
  }
}

TEST(H1Decoder, AMovedHeadLeavesTheDecoderUsable) {
  H1Decoder decoder(Role::kRequests, {});
  std::string_view input =
      "GET /1 HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\nX: 2\r\n\r\n";
  ASSERT_EQ(decoder.next(input), H1Decoder::Event::kHead);
  const RequestHead first = std::move(decoder.request());
  ASSERT_EQ(decoder.next(input), H1Decoder::Event::kEnd);
  ASSERT_EQ(decoder.next(input), H1Decoder::Event::kHead);
  EXPECT_EQ(first.headers.get("x"), "1");
  EXPECT_EQ(decoder.request().headers.get("x"), "2");
  EXPECT_EQ(decoder.request().headers.size(), 1u);
}

TEST(H1Decoder, ContinueIsExpectedOnlyWithABody) {
  const std::string head = "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n";
  EXPECT_TRUE(decode(Role::kRequests, head + "Content-Length: 1\r\n\r\nx").messages[0].expects_continue);
  EXPECT_FALSE(decode(Role::kRequests, head + "\r\n").messages[0].expects_continue);
}

}  // namespace
}  // namespace tidegate::http
