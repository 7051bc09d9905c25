// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 messages out of bytes, sans I/O (RFC 9112): strict, incremental, one message after the other on
// one connection. Refuses whatever could be framed in two ways: TE with CL, several or malformed
// Content-Length, any coding but `chunked`, TE in HTTP/1.0, obs-fold, bare CR or LF, white space before the
// colon, missing or several Host, NUL and other controls, bytes past 0x7e in targets. Total: bad bytes are an
// Event::kError with a DecodeError, never an exception. Thread: none.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "http/limits.h"
#include "http/message.h"

namespace tidegate::http {

enum class DecodeError : std::uint8_t {
  kNone,
  kBadStartLine,
  kBadVersion,        // 505
  kStartLineTooLong,  // 414
  kBadHeader,
  kHeadersTooLarge,  // 431
  kBadHost,
  kBadFraming,         // Content-Length and Transfer-Encoding
  kUnsupportedCoding,  // 501
  kUnsupportedMethod,  // 501: CONNECT, which no server of ours tunnels
  kBadChunk,
  kBadTrailer,
  kUnexpectedEnd,
};

const char* to_string(DecodeError error);
int status_for(DecodeError error);  // what a server answers: 400, 414, 431, 501, 505

class H1Decoder {
 public:
  enum class Role : std::uint8_t { kRequests, kResponses };
  enum class Event : std::uint8_t {
    kNeedMore,  // all input is consumed
    kHead,      // request() or response() is filled; the body follows as kData*, kEnd
    kData,      // body() views into the input just passed: use it before the next call
    kEnd,    // message complete; trailers() may hold fields. Input after it belongs to the next message: call
             // next() again
    kError,  // error(); the connection can't be used further
  };

  H1Decoder(Role role, Limits limits);

  // Consumes from the front of `input`, advancing it, until one event stands. Bytes of an incomplete head are
  // kept inside (bounded).
  Event next(std::string_view& input);

  // Responses only: the method of the request that the next response answers (HEAD and CONNECT change the
  // framing).
  void expect_response_to(std::string_view method);
  // The peer closed: ends a close-delimited response (kEnd), is an error inside a message, kNeedMore between
  // messages.
  Event finish();

  RequestHead& request();  // valid from kHead to the first byte of the next message; may be moved from
  ResponseHead& response();
  std::string_view body() const;
  Headers& trailers();
  DecodeError error() const;
  std::string_view error_detail() const;  // a few words for a log line: which rule, never raw bytes

  // After kHead: whether the connection may carry another message (RFC 9112 section 9.3), and whether the
  // client asked to hear 100 first.
  bool keep_alive() const;
  bool expects_continue() const;
  bool at_message_start() const;  // no byte of a next message has come: an idle connection

 private:
  friend struct H1DecoderTestPeer;
  struct State;
  struct StateDeleter {
    void operator()(State*) const;
  };
  std::unique_ptr<State, StateDeleter> state_;
};

}  // namespace tidegate::http
