// SPDX-License-Identifier: Apache-2.0
// Heads of HTTP messages, whatever the protocol version: what codecs produce and take, what routing matches
// on, what sessions carry. Thread: none; plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/headers.h"

namespace tidegate::http {

enum class Version : std::uint8_t { kHttp10, kHttp11, kHttp2 };

struct RequestHead {
  std::string method;  // a token, case kept
  std::string target;  // origin-form "/path?query", or "*" for OPTIONS (RFC 9112 section 3.2); absolute-form
                       // is split by the codec
  std::string scheme;  // "http" or "https": of the connection, not of what the client claims
  std::string authority;  // host[:port]: from an absolute-form target or Host (RFC 9112 section 3.2.2), or
                          // :authority; lower case not assured
  Version version = Version::kHttp11;
  Headers headers;  // without Host: that is `authority`, written back by the codec
  // Body length where the sender declared one; nullopt: chunked or HTTP/2 without content-length. 0: no body.
  std::optional<std::uint64_t> content_length = 0;

  std::string_view path() const;   // of target, without the query
  std::string_view query() const;  // without '?'; empty where there is none
  std::string_view host() const;   // of authority, without the port and without brackets changed
};

struct ResponseHead {
  int status = 200;
  std::string reason;  // HTTP/1 only; empty: the standard phrase
  Version version = Version::kHttp11;
  Headers headers;
  std::optional<std::uint64_t> content_length;  // nullopt: chunked, or until the connection ends (HTTP/1.0)
};

// The standard phrase (RFC 9110 section 15), or "" for codes without one.
std::string_view reason_phrase(int status);

// RFC 9110 section 9.2.2.
bool is_idempotent(std::string_view method);

// Whether a response to this request has no body whatever its headers say (RFC 9112 section 6.3): HEAD, 1xx,
// 204, 304.
bool response_has_no_body(std::string_view method, int status);

// Whether a head that goes to a backend, or came over HTTP/2, asks for a WebSocket: GET with "upgrade:
// websocket", which no other head holds.
bool opens_websocket(const RequestHead& head);

// Fields of RFC 9110 section 7.6.1 that belong to one connection, and those that Connection names. Never
// forwarded.
void remove_hop_by_hop(Headers& headers);

}  // namespace tidegate::http
