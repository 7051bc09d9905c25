// SPDX-License-Identifier: Apache-2.0
// What attackers send: each case gets its verdict, whole and cut at every byte, and holds no more memory than
// a connection may.
#include <gtest/gtest.h>
#include <malloc.h>

#include "http/h2_peer.h"

namespace tidegate::http {
namespace {

using std::string;

enum class Verdict : std::uint8_t {
  kTaken,       // the request reaches the handler
  kReset,       // the stream is reset, nothing reaches the handler
  kAnswered,    // with a status, nothing reaches the handler
  kConnection,  // GOAWAY, and the end
};

struct Case {
  const char* name;
  string bytes;
  Verdict verdict;
  std::uint32_t code = 0;  // of the reset, the answer or the GOAWAY
};

constexpr std::uint32_t kProtocol = 1, kFlow = 3, kStreamClosed = 5, kFrameSize = 6, kCompression = 9,
                        kCalm = 11;
constexpr std::size_t kMemoryBound = 512 * 1024;

string repeat(const string& piece, int count) {
  string out;
  for (int i = 0; i < count; ++i) out += piece;
  return out;
}
string request(H2FieldList more, const string& path = "/") {
  return h2_headers(1, h2_get(std::move(more), path));
}
string head(const H2FieldList& fields) { return h2_headers(1, fields); }

// `count` requests, each followed by what `after` says about its stream.
string streams(int count, const std::function<string(H2StreamId)>& after, bool end = false) {
  string out;
  for (int i = 0; i < count; ++i) {
    const H2StreamId id = 2 * i + 1;
    out += h2_headers(id, h2_get(), end) + after(id);
  }
  return out;
}

H2FieldList cookies(int count, std::size_t size) {
  H2FieldList out;
  for (int i = 0; i < count; ++i)
    out.emplace_back("cookie", "c" + std::to_string(i) + "=" + string(size, 'x'));
  return out;
}

// One large field in the table, then a reference to it by one byte each (CVE-2016-6581, and the bombs of
// 2026).
string bomb(int references) {
  const string block = hpack(h2_get()) + "\x40" + hpack_length(1) + "x" + hpack_length(3900) +
                       string(3900, 'y') + string(static_cast<std::size_t>(references), '\xbe');
  return h2_frame(H2Frame::kHeaders, kEndHeaders | kEndStream, 1, block);
}

string window(H2StreamId stream, std::uint32_t by) {
  return h2_frame(H2Frame::kWindowUpdate, 0, stream, big_endian(by));
}

string websocket(const H2FieldList& more = {}, const string& protocol = "websocket", bool end = true) {
  H2FieldList fields = {{":method", "CONNECT"},
                        {":protocol", protocol},
                        {":scheme", "http"},
                        {":path", "/"},
                        {":authority", "a"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return h2_headers(1, fields, end);
}

using V = Verdict;
const std::vector<Case> kCases = {
    {"a plain request", request({}), V::kTaken},
    {"te: trailers", request({{"te", "trailers"}}), V::kTaken},
    {"host equal to :authority", request({{"host", "A"}}), V::kTaken},
    {"120 cookies in 45 KiB", request(cookies(120, 350)), V::kTaken},
    {"OPTIONS *", head({{":method", "OPTIONS"}, {":scheme", "http"}, {":path", "*"}, {":authority", "a"}}),
     V::kTaken},

    // RFC 9113 section 8: heads.
    {"upper case in a name", request({{"X-Up", "1"}}), V::kReset, kProtocol},
    {"connection", request({{"connection", "close"}}), V::kReset, kProtocol},
    {"transfer-encoding (H2.TE)", request({{"transfer-encoding", "chunked"}}), V::kReset, kProtocol},
    {"upgrade", request({{"upgrade", "websocket"}}), V::kReset, kProtocol},
    {"keep-alive", request({{"keep-alive", "5"}}), V::kReset, kProtocol},
    {"te other than trailers", request({{"te", "gzip"}}), V::kReset, kProtocol},
    {"host other than :authority", request({{"host", "b"}}), V::kReset, kProtocol},
    {"two hosts", request({{"host", "a"}, {"host", "a"}}), V::kReset, kProtocol},
    {"user in :authority",
     head({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "u@a"}}), V::kReset,
     kProtocol},
    {"no :authority, no host", head({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}), V::kReset,
     kProtocol},
    {"no :path", head({{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}}), V::kReset, kProtocol},
    {"no :scheme", head({{":method", "GET"}, {":path", "/"}, {":authority", "a"}}), V::kReset, kProtocol},
    {"scheme of another kind",
     head({{":method", "GET"}, {":scheme", "ftp"}, {":path", "/"}, {":authority", "a"}}), V::kReset,
     kProtocol},
    {"empty :path", request({}, ""), V::kReset, kProtocol},
    {"relative :path", request({}, "x"), V::kReset, kProtocol},
    {"* with GET", request({}, "*"), V::kReset, kProtocol},
    {"space in :path (H2.split)", request({}, "/ HTTP/1.1"), V::kReset, kProtocol},
    {"fragment in :path", request({}, "/#x"), V::kReset, kProtocol},
    {"space in :method",
     head({{":method", "GET /x"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}}), V::kReset,
     kProtocol},
    {":method twice", request({{":method", "GET"}}), V::kReset, kProtocol},
    {"pseudo-header after a field", request({{"x", "y"}, {":path", "/"}}), V::kReset, kProtocol},
    {"unknown pseudo-header", head({{":method", "GET"}, {":x", "y"}, {":scheme", "http"}, {":path", "/"}}),
     V::kReset, kProtocol},
    {":status in a request", head({{":status", "200"}}), V::kReset, kProtocol},
    {"WebSocket that ended before it began", websocket(), V::kReset, kProtocol},
    {"WebSocket with a content-length", websocket({{"content-length", "0"}}, "websocket", false), V::kTaken},
    {"tunnel of another protocol", websocket({}, "connect-udp"), V::kAnswered, 501},
    {":protocol without CONNECT", request({{":protocol", "websocket"}}), V::kReset, kProtocol},
    {":protocol alone", head({{":method", "CONNECT"}, {":authority", "a:443"}, {":protocol", "websocket"}}),
     V::kReset, kProtocol},
    {"CRLF in a value (H2.CRLF)", request({{"x", "a\r\nhost: evil"}}), V::kReset, kProtocol},
    {"NUL in a value", request({{"x", string("a\0b", 3)}}), V::kReset, kProtocol},
    {"space around a value", request({{"x", " a"}}), V::kReset, kProtocol},
    {"colon in a name", request({{"x:y", "a"}}), V::kReset, kProtocol},
    {"empty name", request({{"", "a"}}), V::kReset, kProtocol},
    {"content-length with an empty body (H2.CL)", request({{"content-length", "5"}}), V::kReset, kProtocol},
    {"content-length with a sign", request({{"content-length", "+0"}}), V::kReset, kProtocol},
    {"two content-lengths", request({{"content-length", "0"}, {"content-length", "0"}}), V::kReset,
     kProtocol},
    {"CONNECT", head({{":method", "CONNECT"}, {":authority", "a:443"}}), V::kAnswered, 501},
    {"long :path", request({}, "/" + string(17'000, 'x')), V::kAnswered, 414},

    // Sizes.
    {"too many fields", request(cookies(129, 1)), V::kAnswered, 431},
    {"crumbs far beyond any use", request(cookies(600, 1)), V::kConnection, kCalm},
    {"small HPACK bomb", bomb(30), V::kAnswered, 431},
    {"HPACK bomb", bomb(10'000), V::kConnection, kCalm},
    {"table reference out of range", h2_frame(H2Frame::kHeaders, kEndHeaders, 1, "\xff\x7f"), V::kConnection,
     kCompression},
    {"table larger than offered", h2_frame(H2Frame::kHeaders, kEndHeaders, 1, "\x3f\xe2\x1f"), V::kConnection,
     kCompression},
    {"frame above SETTINGS_MAX_FRAME_SIZE", h2_frame(H2Frame::kData, 0, 1, string(16'385, 'x')),
     V::kConnection, kFrameSize},

    // Floods.
    {"CONTINUATION flood (CVE-2024-27316)",
     h2_frame(H2Frame::kHeaders, kEndStream, 1, hpack(h2_get())) +
         repeat(h2_frame(H2Frame::kContinuation, 0, 1, hpack({{"x", "y"}})), 2000),
     V::kConnection, kCalm},
    {"empty CONTINUATION flood",
     h2_frame(H2Frame::kHeaders, kEndStream, 1, hpack(h2_get())) +
         repeat(h2_frame(H2Frame::kContinuation, 0, 1, ""), 2000),
     V::kConnection, kCalm},
    {"rapid reset (CVE-2023-44487)",
     streams(
         1000, [](auto id) { return h2_reset(id); }, true),
     V::kConnection, kCalm},
    {"WINDOW_UPDATE of 0", h2_headers(1, h2_get(), false) + window(1, 0), V::kConnection, kProtocol},
    {"MadeYouReset by window overflow (CVE-2025-8671)",
     streams(300, [](auto id) { return window(id, 0x7fffffff); }), V::kConnection, kCalm},
    {"MadeYouReset by bad heads",
     [] {
       string out;
       for (H2StreamId id = 1; id < 600; id += 2) out += h2_headers(id, h2_get({{"te", "x"}}));
       return out;
     }(),
     V::kConnection, kCalm},
    {"PING flood (CVE-2019-9512)", repeat(h2_frame(H2Frame::kPing, 0, 0, string(8, 'p')), 1000),
     V::kConnection, kCalm},
    {"SETTINGS flood (CVE-2019-9515)", repeat(h2_frame(H2Frame::kSettings, 0, 0, ""), 1000), V::kConnection,
     kCalm},
    {"empty DATA flood (CVE-2019-9518)", h2_headers(1, h2_get(), false) + repeat(h2_data(1, "", false), 1000),
     V::kConnection, kCalm},
    {"PRIORITY flood (CVE-2019-9513)",
     repeat(h2_frame(H2Frame::kPriority, 0, 1, big_endian(3) + "\x10"), 5000), V::kConnection, kCalm},
    {"WINDOW_UPDATE flood", repeat(window(0, 1), 5000), V::kConnection, kCalm},
    {"connection window overflow", window(0, 0x7fffffff), V::kConnection, kFlow},
    {"connection window by 0", window(0, 0), V::kConnection, kProtocol},

    // Framing.
    {"DATA on an idle stream", h2_data(1, "x", true), V::kConnection, kProtocol},
    {"HEADERS on stream 0", h2_headers(0, h2_get()), V::kConnection, kProtocol},
    {"HEADERS on an even stream", h2_headers(2, h2_get()), V::kConnection, kProtocol},
    {"HEADERS behind the client's own reset",
     h2_headers(1, h2_get(), false) + h2_frame(H2Frame::kRstStream, 0, 1, big_endian(8)) +
         h2_headers(1, h2_get()),
     V::kConnection, kStreamClosed},
    {"a stream before the last one", h2_headers(5, h2_get()) + h2_headers(3, h2_get()), V::kConnection,
     kProtocol},
    {"PRIORITY on stream 0", h2_frame(H2Frame::kPriority, 0, 0, string(5, '\x01')), V::kConnection,
     kProtocol},
    {"a push from a client", h2_frame(H2Frame::kPushPromise, kEndHeaders, 1, big_endian(2) + hpack(h2_get())),
     V::kConnection, kProtocol},
    {"PING of 7 bytes", h2_frame(H2Frame::kPing, 0, 0, string(7, 'p')), V::kConnection, kFrameSize},
    {"SETTINGS of 5 bytes", h2_frame(H2Frame::kSettings, 0, 0, string(5, 's')), V::kConnection, kFrameSize},
    {"CONTINUATION out of the blue", h2_frame(H2Frame::kContinuation, kEndHeaders, 1, ""), V::kConnection,
     kProtocol},
    {"HEADERS broken by PING",
     h2_frame(H2Frame::kHeaders, 0, 1, hpack(h2_get())) + h2_frame(H2Frame::kPing, 0, 0, string(8, 'p')),
     V::kConnection, kProtocol},
};

// What became of it, by the frames that went back.
struct Outcome {
  Verdict verdict;
  std::uint32_t code = 0;
};
Outcome outcome(H2End& server) {
  if (const RawFrame* goaway = server.find(H2Frame::kGoaway))
    return {Verdict::kConnection, goaway->number(4)};
  const auto& message = server.story.messages[1];
  if (const RawFrame* reset = server.find(H2Frame::kRstStream); reset && !message.has_head)
    return {Verdict::kReset, reset->number()};
  if (message.refused) return {Verdict::kAnswered, static_cast<std::uint32_t>(*message.refused)};
  return {Verdict::kTaken};
}

class H2HostileTest : public testing::TestWithParam<Case> {};

TEST_P(H2HostileTest, GetsItsVerdict) {
  const Case& test = GetParam();
  const std::size_t steps[] = {string::npos, 1, 7, 1000};
  for (const std::size_t step : steps) {
    if (step == 1 && test.bytes.size() > 50'000) continue;  // enough is enough
    const auto before = ::mallinfo2().uordblks;
    H2End server(H2Session::Role::kServer);
    server.feed(h2_hello() + test.bytes, step);
    const auto held = ::mallinfo2().uordblks - before;
    const Outcome got = outcome(server);
    EXPECT_EQ(static_cast<int>(got.verdict), static_cast<int>(test.verdict)) << test.name << " by " << step;
    EXPECT_EQ(got.code, test.code) << test.name << " by " << step;
    if (test.verdict != Verdict::kTaken) {
      EXPECT_FALSE(server.story.messages[1].has_head && test.verdict != Verdict::kConnection) << test.name;
    }
    if (test.verdict == Verdict::kConnection) {
      EXPECT_TRUE(server.session.finished()) << test.name;
    }
    EXPECT_LT(held, kMemoryBound + server.out.capacity()) << test.name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, H2HostileTest, testing::ValuesIn(kCases), [](const auto& info) {
  string name;
  for (const char c : string(info.param.name)) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
});

TEST(H2Patience, WhatAClientDoesOverTimeIsNoFlood) {
  H2End server(H2Session::Role::kServer);
  server.feed(h2_hello());
  for (int i = 0; i < 2000; ++i) {  // a keep-alive each second, an abandoned request every other
    server.now += std::chrono::seconds(1);
    const H2StreamId id = 2 * i + 1;
    const string bytes =
        h2_frame(H2Frame::kPing, 0, 0, string(8, 'p')) + h2_headers(id, h2_get()) + h2_reset(id);
    ASSERT_TRUE(server.feed(bytes)) << i;
    server.out.clear();
  }
}

TEST(H2Patience, WindowUpdatesThatAnswerDataAreFree) {
  H2End server(H2Session::Role::kServer);
  server.feed(h2_hello() + h2_headers(1, h2_get()) + window(0, 1 << 30) + window(1, 1 << 30));
  server.session.respond(1, {.content_length = std::nullopt}, false);
  for (int i = 0; i < 10'000; ++i) {
    server.session.send_data(1, string(100, 'x'));
    server.take();
    ASSERT_TRUE(server.feed(window(0, 100) + window(1, 100))) << i;
  }
}

// gRPC's libraries measure the bandwidth so: behind each DATA they send a ping, unless one is under way.
TEST(H2Patience, PingsThatMeasureDataAreFree) {
  H2End server(H2Session::Role::kServer);
  server.feed(h2_hello() + h2_headers(1, h2_get()) + window(0, 1 << 30) + window(1, 1 << 30));
  server.session.respond(1, {.content_length = std::nullopt}, false);
  for (int i = 0; i < 10'000; ++i) {
    server.session.send_data(1, string(100, 'x'));
    server.take();
    ASSERT_TRUE(server.feed(window(0, 100) + h2_frame(H2Frame::kPing, 0, 0, "bdp-ping"))) << i;
  }
}

// Of the ids between, the nearest alone are looked at: there are a thousand million of them.
TEST(H2Hostile, TheLastStreamIdOfAllMayComeFirst) {
  constexpr H2StreamId kLast = 0x7fffffff;
  H2End server(H2Session::Role::kServer);
  ASSERT_TRUE(server.feed(h2_hello() + h2_headers(kLast, h2_get())));
  EXPECT_TRUE(server.story.messages[kLast].ended);
  EXPECT_FALSE(server.feed(h2_headers(kLast - 2, h2_get())));
}

TEST(H2Hostile, ATrailerThatDecidesOnFramingIsRefused) {
  H2End server(H2Session::Role::kServer);
  server.feed(h2_hello() + h2_headers(1, h2_get(), false) +
              h2_frame(H2Frame::kHeaders, kEndHeaders | kEndStream, 1, hpack({{"host", "evil"}})));
  EXPECT_FALSE(server.story.messages[1].ended);
  ASSERT_NE(server.find(H2Frame::kRstStream), nullptr);
}

TEST(H2Hostile, OnlySoManyStreamsAtOnce) {
  H2End server(H2Session::Role::kServer);
  server.feed(h2_hello());
  server.feed(h2_frame(H2Frame::kSettings, kAck, 0, ""));
  server.feed(streams(150, [](auto) { return string(); }));
  std::size_t open = 0;
  for (const auto& [_, message] : server.story.messages) open += message.has_head ? 1 : 0;
  EXPECT_EQ(open, 100U);
}

TEST(H2Hostile, BytesThatAreNoPrefaceEndIt) {
  H2End server(H2Session::Role::kServer);
  EXPECT_FALSE(server.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
}

}  // namespace
}  // namespace tidegate::http
