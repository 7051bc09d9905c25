// SPDX-License-Identifier: Apache-2.0
// Input that other parsers have read in two ways: each case is refused for the right reason, whole and cut at
// every byte.
#include <gtest/gtest.h>

#include "http/decoded.h"

namespace tidegate::http {
namespace {

using Role = H1Decoder::Role;
using std::string;

struct HostileCase {
  const char* name;
  string text;
  DecodeError error;  // kNone: must be taken
};

string get(const string& fields) { return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n"; }
string post(const string& fields, const string& body = "") {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}
string line(const string& request_line) { return request_line + "\r\nHost: a\r\n\r\n"; }
string chunked(const string& body) { return post("Transfer-Encoding: chunked\r\n", body); }
string ok(const string& fields, const string& body = "") {
  return "HTTP/1.1 200 OK\r\n" + fields + "\r\n" + body;
}
string chunked_ok(const string& body) { return ok("Transfer-Encoding: chunked\r\n", body); }

constexpr auto kTaken = DecodeError::kNone;
constexpr auto kStart = DecodeError::kBadStartLine;
constexpr auto kHeader = DecodeError::kBadHeader;
constexpr auto kFraming = DecodeError::kBadFraming;
constexpr auto kCoding = DecodeError::kUnsupportedCoding;
constexpr auto kHost = DecodeError::kBadHost;
constexpr auto kChunk = DecodeError::kBadChunk;
constexpr auto kTrailer = DecodeError::kBadTrailer;

void expect(Role role, const std::vector<HostileCase>& cases) {
  for (const HostileCase& test : cases) {
    SCOPED_TRACE(test.name);
    const Decoded whole = decode(role, test.text);
    EXPECT_STREQ(to_string(whole.error), to_string(test.error)) << whole.detail;
    EXPECT_EQ(whole.detail.empty(), test.error == kTaken);
    for (const std::size_t step : {1, 2, 3, 7}) {
      const Decoded pieces = decode(role, test.text, step);
      EXPECT_STREQ(to_string(pieces.error), to_string(whole.error)) << "in pieces of " << step;
      EXPECT_EQ(pieces.detail, whole.detail) << "in pieces of " << step;
      ASSERT_EQ(pieces.messages.size(), whole.messages.size()) << "in pieces of " << step;
      for (std::size_t i = 0; i < whole.messages.size(); ++i) {
        EXPECT_EQ(pieces.messages[i].body, whole.messages[i].body);
        EXPECT_EQ(pieces.messages[i].complete, whole.messages[i].complete);
        EXPECT_EQ(pieces.messages[i].request.target, whole.messages[i].request.target);
        EXPECT_EQ(pieces.messages[i].request.headers.size(), whole.messages[i].request.headers.size());
      }
    }
  }
}

TEST(H1Hostile, RequestLines) {
  expect(Role::kRequests,
         {
             {"plain", line("GET / HTTP/1.1"), kTaken},
             {"HTTP/1.0", line("GET / HTTP/1.0"), kTaken},
             {"lower-case method", line("get / HTTP/1.1"), kTaken},
             {"unknown method", line("FROB / HTTP/1.1"), kTaken},
             {"one empty line before", "\r\n" + line("GET / HTTP/1.1"), kTaken},
             {"two empty lines before", "\r\n\r\n" + line("GET / HTTP/1.1"), kStart},
             {"bare LF before", "\n" + line("GET / HTTP/1.1"), kStart},
             {"HTTP/1.2", line("GET / HTTP/1.2"), DecodeError::kBadVersion},
             {"HTTP/2.0 as text", line("GET / HTTP/2.0"), DecodeError::kBadVersion},
             {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", DecodeError::kBadVersion},
             {"HTTP/0.9", "GET /\r\n\r\n", kStart},
             {"HTTP/1.10", line("GET / HTTP/1.10"), kStart},
             {"lower-case version", line("GET / http/1.1"), kStart},
             {"space behind the version", line("GET / HTTP/1.1 "), kStart},
             {"two spaces first", line("GET  / HTTP/1.1"), kStart},
             {"two spaces last", line("GET /  HTTP/1.1"), kStart},
             {"tab as separator", line("GET\t/\tHTTP/1.1"), kStart},
             {"space in the target", line("GET /a b HTTP/1.1"), kStart},
             {"leading space", line(" GET / HTTP/1.1"), kStart},
             {"no method", line("/ HTTP/1.1"), kStart},
             {"method with a colon", line("GE:T / HTTP/1.1"), kStart},
             {"NUL in the target", line(string("GET /\0 HTTP/1.1", 15)), kStart},
             {"0xFF in the target", line("GET /\xff HTTP/1.1"), kStart},
             {"DEL in the target", line("GET /\x7f HTTP/1.1"), kStart},
             {"fragment", line("GET /a#b HTTP/1.1"), kStart},
             {"CR in the target", line("GET /a\rb HTTP/1.1"), kStart},
             {"bare LF line end", "GET / HTTP/1.1\nHost: a\n\n", kStart},
             {"CR CR LF", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", kStart},
             {"relative target", line("GET a HTTP/1.1"), kStart},
             {"query alone", line("GET ?a HTTP/1.1"), kStart},
             {"star with GET", line("GET * HTTP/1.1"), kStart},
             {"star with OPTIONS", line("OPTIONS * HTTP/1.1"), kTaken},
             {"CONNECT", line("CONNECT a:443 HTTP/1.1"), DecodeError::kUnsupportedMethod},
             {"CONNECT to a path", line("CONNECT / HTTP/1.1"), DecodeError::kUnsupportedMethod},
             {"absolute form", line("GET http://b/ HTTP/1.1"), kTaken},
             {"absolute form of another scheme", line("GET ftp://b/ HTTP/1.1"), kStart},
             {"absolute form without authority", line("GET http:///x HTTP/1.1"), kHost},
             {"absolute form with user info", line("GET http://u@b/ HTTP/1.1"), kHost},
             {"absolute form with a bad port", line("GET http://b:99999/ HTTP/1.1"), kHost},
             {"absolute form with a backslash", line("GET http://b\\@c/ HTTP/1.1"), kHost},
         });
}

TEST(H1Hostile, HeaderFields) {
  expect(Role::kRequests, {
                              {"empty value", get("X:\r\n"), kTaken},
                              {"tab in a value", get("X: a\tb\r\n"), kTaken},
                              {"obs-text in a value", get("X: \xc3\xa9\r\n"), kTaken},
                              {"obs-fold", get("X: a\r\n b\r\n"), kHeader},
                              {"obs-fold with tab", get("X: a\r\n\tb\r\n"), kHeader},
                              {"first line begins with SP", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", kHeader},
                              {"bare LF in one field", get("X: a\nY: b\r\n"), kHeader},
                              {"bare LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", kHeader},
                              {"bare CR in a value", get("X: a\rb\r\n"), kHeader},
                              {"bare CR hides a field", get("X:\rTransfer-Encoding: chunked\r\n"), kHeader},
                              {"CR CR LF", get("X: a\r\r\n"), kHeader},
                              {"NUL in a value", get(string("X: a\0b\r\n", 8)), kHeader},
                              {"NUL in a name", get(string("X\0Y: a\r\n", 8)), kHeader},
                              {"control in a value", get("X: a\x01\r\n"), kHeader},
                              {"DEL in a value", get("X: a\x7f\r\n"), kHeader},
                              {"vertical tab around a value",
                               get("Transfer-Encoding:\x0b"
                                   "chunked\r\n"),
                               kHeader},
                              {"space before the colon", get("X : a\r\n"), kHeader},
                              {"tab before the colon", get("Transfer-Encoding\t: chunked\r\n"), kHeader},
                              {"space in a name", get("X Y: a\r\n"), kHeader},
                              {"empty name", get(": a\r\n"), kHeader},
                              {"no colon", get("nonsense\r\n"), kHeader},
                              {"0xFF in a name", get("X\xff: a\r\n"), kHeader},
                              {"parenthesis in a name", get("X(: a\r\n"), kHeader},
                          });
}

TEST(H1Hostile, Hosts) {
  const string start = "GET / HTTP/1.1\r\n";
  expect(Role::kRequests, {
                              {"none", start + "\r\n", kHost},
                              {"none in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", kTaken},
                              {"none with an absolute target", "GET http://a/ HTTP/1.1\r\n\r\n", kHost},
                              {"two", start + "Host: a\r\nHost: b\r\n\r\n", kHost},
                              {"two alike", start + "Host: a\r\nhost: a\r\n\r\n", kHost},
                              {"two in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", kHost},
                              {"empty", start + "Host:\r\n\r\n", kHost},
                              {"list", start + "Host: a, b\r\n\r\n", kHost},
                              {"with a path", start + "Host: a/b\r\n\r\n", kHost},
                              {"with user info", start + "Host: u@a\r\n\r\n", kHost},
                              {"with a bad port", start + "Host: a:b\r\n\r\n", kHost},
                              {"with two ports", start + "Host: a:1:2\r\n\r\n", kHost},
                              {"IPv6", start + "Host: [::1]:80\r\n\r\n", kTaken},
                              {"IPv6 without end", start + "Host: [::1\r\n\r\n", kHost},
                          });
}

TEST(H1Hostile, LengthsAndCodings) {
  expect(
      Role::kRequests,
      {
          {"TE and CL", post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), kFraming},
          {"CL and TE", post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), kFraming},
          {"same CL twice", post("Content-Length: 2\r\nContent-Length: 2\r\n", "ab"), kFraming},
          {"two CL", post("Content-Length: 2\r\nContent-Length: 3\r\n", "ab"), kFraming},
          {"CL list", post("Content-Length: 2, 2\r\n", "ab"), kFraming},
          {"CL +2", post("Content-Length: +2\r\n", "ab"), kFraming},
          {"CL -2", post("Content-Length: -2\r\n", "ab"), kFraming},
          {"CL 0x2", post("Content-Length: 0x2\r\n", "ab"), kFraming},
          {"CL 2.0", post("Content-Length: 2.0\r\n", "ab"), kFraming},
          {"CL with a space", post("Content-Length: 2 2\r\n", "ab"), kFraming},
          {"CL empty", post("Content-Length:\r\n"), kFraming},
          {"CL 2^64+2", post("Content-Length: 18446744073709551618\r\n", "ab"), kFraming},
          {"CL 2^63", post("Content-Length: 9223372036854775808\r\n", "ab"), kFraming},
          {"CL with leading zeros", post("Content-Length: 0002\r\n", "ab"), kTaken},
          {"TE xchunked", post("Transfer-Encoding: xchunked\r\n"), kCoding},
          {"TE identity", post("Transfer-Encoding: identity\r\n"), kCoding},
          {"TE empty", post("Transfer-Encoding:\r\n"), kCoding},
          {"TE identity, chunked", post("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n"), kCoding},
          {"TE gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), kCoding},
          {"TE chunked, identity", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"), kCoding},
          {"TE chunked;q=1", post("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n"), kCoding},
          {"TE quoted", post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"), kCoding},
          {"TE comma, chunked", post("Transfer-Encoding: ,chunked\r\n", "0\r\n\r\n"), kCoding},
          {"TE chunked twice in a list", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"),
           kCoding},
          {"TE chunked twice",
           post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), kFraming},
          {"TE in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           kFraming},
          {"TE in capitals", post("TRANSFER-ENCODING: CHUNKED\r\n", "0\r\n\r\n"), kTaken},
      });
}

TEST(H1Hostile, Chunks) {
  expect(Role::kRequests,
         {
             {"plain", chunked("2\r\nab\r\n0\r\n\r\n"), kTaken},
             {"leading zeros", chunked("0002\r\nab\r\n00\r\n\r\n"), kTaken},
             {"extension", chunked("2;a=b\r\nab\r\n0\r\n\r\n"), kTaken},
             {"quoted extension", chunked("2;a=\"b;c\"\r\nab\r\n0;d\r\n\r\n"), kTaken},
             {"bare LF in an extension", chunked("2;a\nb\r\nab\r\n0\r\n\r\n"), kChunk},
             {"bare CR in an extension", chunked("2;a\rb\r\nab\r\n0\r\n\r\n"), kChunk},
             {"NUL in an extension", chunked(string("2;\0\r\nab\r\n0\r\n\r\n", 14)), kChunk},
             {"size with bare LF", chunked("2\nab\r\n0\r\n\r\n"), kChunk},
             {"0x2", chunked("0x2\r\nab\r\n0\r\n\r\n"), kChunk},
             {"space before the size", chunked(" 2\r\nab\r\n0\r\n\r\n"), kChunk},
             {"space after the size", chunked("2 \r\nab\r\n0\r\n\r\n"), kChunk},
             {"+2", chunked("+2\r\nab\r\n0\r\n\r\n"), kChunk},
             {"-2", chunked("-2\r\nab\r\n0\r\n\r\n"), kChunk},
             {"2_0", chunked("2_0\r\nab\r\n0\r\n\r\n"), kChunk},
             {"overflow", chunked("10000000000000002\r\nab\r\n0\r\n\r\n"), kChunk},
             {"2^63", chunked("8000000000000000\r\nab"), kChunk},
             {"seventeen digits", chunked("00000000000000002\r\nab\r\n0\r\n\r\n"), kChunk},
             {"empty size", chunked("\r\nab\r\n0\r\n\r\n"), kChunk},
             {"no CRLF behind the data", chunked("2\r\nab0\r\n\r\n"), kChunk},
             {"LF behind the data", chunked("2\r\nab\n0\r\n\r\n"), kChunk},
             {"longer than its size", chunked("2\r\nabc\r\n0\r\n\r\n"), kChunk},
             {"extensions over the limit", chunked("2;" + string(1024, 'x') + "\r\nab\r\n0\r\n\r\n"), kChunk},
             {"trailer", chunked("0\r\nX: a\r\n\r\n"), kTaken},
             {"trailer Content-Length", chunked("0\r\nContent-Length: 2\r\n\r\n"), kTrailer},
             {"trailer Transfer-Encoding", chunked("0\r\nTransfer-Encoding: chunked\r\n\r\n"), kTrailer},
             {"trailer Host", chunked("0\r\nHost: b\r\n\r\n"), kTrailer},
             {"trailer with bare LF", chunked("0\r\nX: a\n\r\n"), kTrailer},
             {"trailer ends in bare LF", chunked("0\r\n\n"), kTrailer},
             {"folded trailer", chunked("0\r\nX: a\r\n b\r\n\r\n"), kTrailer},
             {"NUL in a trailer", chunked(string("0\r\nX: \0\r\n\r\n", 11)), kTrailer},
         });
}

TEST(H1Hostile, ManySmallExtensionsCountTogether) {
  string body;
  for (int i = 0; i < 500; ++i) body += "1;abc\r\nx\r\n";
  expect(Role::kRequests, {{"together", chunked(body + "0\r\n\r\n"), kChunk}});
}

TEST(H1Hostile, Sizes) {
  string many;
  for (int i = 0; i < 1000; ++i) many += "X-" + std::to_string(i) + ": a\r\n";
  string trailers = "0\r\n";
  for (int i = 0; i < 1000; ++i) trailers += "X-" + std::to_string(i) + ": a\r\n";
  expect(Role::kRequests,
         {
             {"70 KiB field", get("X: " + string(70 * 1024, 'a') + "\r\n"), DecodeError::kHeadersTooLarge},
             {"1000 fields", get(many), DecodeError::kHeadersTooLarge},
             {"128 fields", get([] {
                string fields;
                for (int i = 0; i < 128; ++i) fields += "X: a\r\n";
                return fields;
              }()),
              kTaken},
             {"17 KiB target", line("GET /" + string(17 * 1024, 'a') + " HTTP/1.1"),
              DecodeError::kStartLineTooLong},
             {"15 KiB target", line("GET /" + string(15 * 1024, 'a') + " HTTP/1.1"), kTaken},
             {"endless start line", string(20 * 1024, 'a'), DecodeError::kStartLineTooLong},
             {"endless field", "GET / HTTP/1.1\r\nHost: a\r\nX" + string(70 * 1024, 'a'),
              DecodeError::kHeadersTooLarge},
             {"1000 trailers", chunked(trailers + "\r\n"), kTrailer},
             {"endless trailer", chunked("0\r\nX" + string(10 * 1024, 'a')), kTrailer},
         });
}

TEST(H1Hostile, SmuggledRequestsNeverAppear) {
  // The classic pairs: whatever the front takes, exactly one request comes of it.
  const string inner = "GET /inner HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const string& text : {
           post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + inner),
           post("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", "0\r\n\r\n" + inner),
           post("Content-Length: 0\r\nContent-Length: 44\r\n", inner),
           "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
           chunked("0;\nx\r\n\r\n" + inner),
       }) {
    SCOPED_TRACE(text);
    const Decoded decoded = decode(Role::kRequests, text);
    EXPECT_NE(decoded.error, kTaken);
    for (const DecodedMessage& message : decoded.messages) EXPECT_NE(message.request.target, "/inner");
  }
}

TEST(H1Hostile, Responses) {
  expect(Role::kResponses,
         {
             {"plain", ok("Content-Length: 2\r\n", "ab"), kTaken},
             {"no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", kTaken},
             {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab", kTaken},
             {"until close", ok("", "ab"), kTaken},
             {"HTTP/2.0 as text", "HTTP/2.0 200 OK\r\n\r\n", DecodeError::kBadVersion},
             {"ICY", "ICY 200 OK nonsense\r\n\r\n", kStart},
             {"empty line first", "\r\n" + ok("Content-Length: 2\r\n", "ab"), kStart},
             {"two digits", "HTTP/1.1 20 OK\r\n\r\n", kStart},
             {"four digits", "HTTP/1.1 2000 OK\r\n\r\n", kStart},
             {"status 099", "HTTP/1.1 099 Low\r\n\r\n", kStart},
             {"status 600", "HTTP/1.1 600 High\r\n\r\n", kStart},
             {"status with a sign", "HTTP/1.1 +20 OK\r\n\r\n", kStart},
             {"two spaces", "HTTP/1.1  200 OK\r\n\r\n", kStart},
             {"CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", kStart},
             {"NUL in the reason", string("HTTP/1.1 200 O\0K\r\n\r\n", 20), kStart},
             {"bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", kStart},
             {"TE and CL", ok("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "0\r\n\r\n"), kFraming},
             {"two CL", ok("Content-Length: 2\r\nContent-Length: 3\r\n", "ab"), kFraming},
             {"same CL twice", ok("Content-Length: 2\r\nContent-Length: 2\r\n", "ab"), kFraming},
             {"CL list", ok("Content-Length: 2, 2\r\n", "ab"), kFraming},
             {"CL -2", ok("Content-Length: -2\r\n", "ab"), kFraming},
             {"CL 2^64+2", ok("Content-Length: 18446744073709551618\r\n", "ab"), kFraming},
             {"TE gzip, chunked", ok("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), kCoding},
             {"TE in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", kFraming},
             {"TE and CL on 304", "HTTP/1.1 304 N\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
              kFraming},
             {"obs-fold", ok("X: a\r\n b\r\n"), kHeader},
             {"bare CR in a value", ok("X: a\rb\r\n"), kHeader},
             {"NUL in a value", ok(string("X: \0\r\n", 6)), kHeader},
             {"space before the colon", ok("Content-Length : 2\r\n", "ab"), kHeader},
             {"70 KiB field", ok("X: " + string(70 * 1024, 'a') + "\r\n"), DecodeError::kHeadersTooLarge},
             {"chunks", chunked_ok("2\r\nab\r\n0\r\nX: a\r\n\r\n"), kTaken},
             {"chunk without CRLF", chunked_ok("2\r\nab0\r\n\r\n"), kChunk},
             {"chunk size 0x2", chunked_ok("0x2\r\nab\r\n0\r\n\r\n"), kChunk},
             {"trailer Content-Length", chunked_ok("0\r\nContent-Length: 2\r\n\r\n"), kTrailer},
             {"interim, then final", "HTTP/1.1 100 Continue\r\n\r\n" + ok("Content-Length: 2\r\n", "ab"),
              kTaken},
         });
}

TEST(H1Hostile, PipelinedMessagesAreCutApartAtEveryByte) {
  const string text = get("") + chunked("3\r\nabc\r\n0\r\nX: 1\r\n\r\n") + "\r\n" +
                      post("Content-Length: 4\r\n", "GET ") + get("Y: 1\r\n");
  for (std::size_t step = 1; step <= text.size(); ++step) {
    const Decoded decoded = decode(Role::kRequests, text, step);
    ASSERT_EQ(decoded.error, kTaken) << decoded.detail;
    ASSERT_EQ(decoded.messages.size(), 4u) << "in pieces of " << step;
    EXPECT_EQ(decoded.messages[1].body, "abc");
    EXPECT_EQ(decoded.messages[1].trailers.get("x"), "1");
    EXPECT_EQ(decoded.messages[2].body, "GET ");
    EXPECT_EQ(decoded.messages[3].request.headers.get("y"), "1");
  }
}

TEST(H1Hostile, EveryErrorHasAStatusToAnswerWith) {
  EXPECT_EQ(status_for(DecodeError::kBadVersion), 505);
  EXPECT_EQ(status_for(DecodeError::kStartLineTooLong), 414);
  EXPECT_EQ(status_for(DecodeError::kHeadersTooLarge), 431);
  EXPECT_EQ(status_for(DecodeError::kUnsupportedCoding), 501);
  EXPECT_EQ(status_for(DecodeError::kUnsupportedMethod), 501);
  for (const auto error : {kStart, kHeader, kHost, kFraming, kChunk, kTrailer})
    EXPECT_EQ(status_for(error), 400);
}

}  // namespace
}  // namespace tidegate::http
