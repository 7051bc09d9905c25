// SPDX-License-Identifier: Apache-2.0
// One HTTP/2 header block, field by field, to a head of message.h or to trailers (RFC 9113 section 8), so
// that nobody above sees which protocol it came by. Refuses what HTTP/1 would not carry or could read in two
// ways; keeps a bounded part of what is too large. What nghttp2 has checked before (lower case, order and
// number of pseudo-header fields, fields of connections, controls in values) isn't checked again. Thread:
// none. Private to h2_session.
#pragma once

#include <string>
#include <string_view>

#include "http/h1_decoder.h"
#include "http/limits.h"
#include "http/message.h"

namespace tidegate::http {

class H2HeadReader {
 public:
  enum class Kind : std::uint8_t { kRequest, kResponse, kTrailers };

  H2HeadReader(const Limits& limits, std::size_t flood_factor)
      : limits_(limits), flood_factor_(flood_factor) {}

  void begin(Kind kind);
  // False: so far beyond the limits that the block is no mistake.
  bool add(std::string_view name, std::string_view value);
  void refuse(DecodeError error);  // the first one stays
  // After the last field. `end`: the message ends with this block.
  DecodeError finish(bool end);

  // Valid after finish() returned kNone, until begin(); may be moved from.
  RequestHead& request() { return request_; }
  ResponseHead& response() { return response_; }
  Headers& trailers() { return request_.headers; }
  bool websocket() const { return !protocol_.empty(); }
  bool expects_continue() const { return expects_continue_; }
  Kind kind() const { return kind_; }

 private:
  void add_pseudo(std::string_view name, std::string_view value);
  void add_field(std::string_view name, std::string_view value);
  void finish_request(bool end);
  void finish_websocket();
  Headers& fields() { return kind_ == Kind::kResponse ? response_.headers : request_.headers; }

  const Limits limits_;
  const std::size_t flood_factor_;
  Kind kind_ = Kind::kRequest;
  RequestHead request_;
  ResponseHead response_;
  std::string cookies_;
  std::string host_, protocol_;
  bool has_host_ = false, expects_continue_ = false;
  std::optional<std::uint64_t> length_;
  std::size_t bytes_ = 0, count_ = 0;
  DecodeError error_ = DecodeError::kNone;
};

}  // namespace tidegate::http
