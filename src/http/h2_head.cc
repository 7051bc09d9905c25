// SPDX-License-Identifier: Apache-2.0
#include "http/h2_head.h"

#include "http/chars.h"
#include "http/h1_head.h"
#include "http/uri.h"

namespace tidegate::http {
namespace {

constexpr std::size_t kFieldOverhead = 32;  // RFC 9113 section 6.5.2: as SETTINGS_MAX_HEADER_LIST_SIZE counts

}  // namespace

void H2HeadReader::begin(Kind kind) {
  kind_ = kind;
  request_ = {};
  response_ = {};
  request_.version = response_.version = Version::kHttp2;
  cookies_.clear();
  host_.clear();
  protocol_.clear();
  has_host_ = expects_continue_ = false;
  length_.reset();
  bytes_ = count_ = 0;
  error_ = DecodeError::kNone;
}

void H2HeadReader::refuse(DecodeError error) {
  if (error_ == DecodeError::kNone) error_ = error;
}

bool H2HeadReader::add(std::string_view name, std::string_view value) {
  const bool pseudo = name.starts_with(':');
  bytes_ += name.size() + value.size() + kFieldOverhead;
  count_ += pseudo ? 0 : 1;  // every crumb of a cookie counts
  const std::size_t max_bytes = kind_ == Kind::kTrailers ? limits_.trailer_bytes : limits_.header_bytes;
  if (bytes_ > max_bytes || count_ > limits_.header_count) refuse(DecodeError::kHeadersTooLarge);
  if (error_ == DecodeError::kNone) pseudo ? add_pseudo(name, value) : add_field(name, value);
  return bytes_ <= max_bytes * flood_factor_ && count_ <= limits_.header_count * flood_factor_;
}

void H2HeadReader::add_pseudo(std::string_view name, std::string_view value) {
  if (name == ":method") {
    if (!all(value, kTokenChar)) return refuse(DecodeError::kBadStartLine);
    request_.method = value;
  } else if (name == ":path") {
    if (value.size() > limits_.start_line_bytes) return refuse(DecodeError::kStartLineTooLong);
    if (!all(value, kTargetChar)) return refuse(DecodeError::kBadStartLine);
    request_.target = value;
  } else if (name == ":scheme") {
    if (value != "http" && value != "https") return refuse(DecodeError::kBadStartLine);
    request_.scheme = value;
  } else if (name == ":authority") {
    if (!parse_authority(value)) return refuse(DecodeError::kBadHost);
    request_.authority = value;
  } else if (name == ":status") {
    const auto status = parse_decimal(value);
    if (!status || value.size() != 3 || *status < 100 || *status > 599 || *status == 101)
      return refuse(DecodeError::kBadStartLine);
    response_.status = static_cast<int>(*status);
  } else if (name == ":protocol") {
    protocol_ = value;
  } else {
    refuse(DecodeError::kBadStartLine);
  }
}

void H2HeadReader::add_field(std::string_view name, std::string_view value) {
  if (kind_ == Kind::kTrailers) {
    if (!allowed_in_trailers(name)) return refuse(DecodeError::kBadTrailer);
  } else if (name == "content-length") {
    length_ = parse_decimal(value);
    if (!length_) refuse(DecodeError::kBadFraming);
    return;  // written anew, from the head
  } else if (kind_ == Kind::kRequest) {
    if (name == "cookie") {  // RFC 9113 section 8.2.3
      if (!cookies_.empty()) cookies_ += "; ";
      cookies_ += value;
      return;
    }
    if (name == "host") {
      if (std::exchange(has_host_, true) || !parse_authority(value)) return refuse(DecodeError::kBadHost);
      host_ = value;
      return;
    }
    if (name == "expect") expects_continue_ |= iequals(value, "100-continue");
  }
  fields().add(name, value);
}

DecodeError H2HeadReader::finish(bool end) {
  if (kind_ == Kind::kRequest) finish_request(end);
  if (kind_ == Kind::kTrailers || error_ != DecodeError::kNone) return error_;
  if (!cookies_.empty()) request_.headers.add("cookie", cookies_);
  request_.content_length = end ? 0 : length_;
  if (websocket()) finish_websocket();
  // What has no body may still say how long one would be: HEAD, 304.
  response_.content_length = end && !length_ ? 0 : length_;
  return error_;
}

void H2HeadReader::finish_request(bool end) {
  if (request_.method == "CONNECT" && protocol_ != "websocket")
    return refuse(DecodeError::kUnsupportedMethod);
  if (websocket() && end) return refuse(DecodeError::kBadFraming);  // it would end before it begins
  // RFC 9113 section 8.3.1: both may stand, if they agree.
  if (has_host_ && !request_.authority.empty() && !iequals(host_, request_.authority))
    return refuse(DecodeError::kBadHost);
  if (request_.authority.empty()) request_.authority = host_;
  if (request_.authority.empty()) return refuse(DecodeError::kBadHost);
  const bool all_of_server = request_.target == "*" && request_.method == "OPTIONS";
  if (!request_.target.starts_with('/') && !all_of_server) refuse(DecodeError::kBadStartLine);
}

// RFC 8441 section 5: what the handshake of HTTP/1.1 proves, HTTP/2 proves itself.
void H2HeadReader::finish_websocket() {
  request_.method = "GET";
  request_.content_length = 0;  // DATA is the tunnel's
  request_.headers.remove("sec-websocket-key");
  request_.headers.set("upgrade", "websocket");
}

}  // namespace tidegate::http
