// SPDX-License-Identifier: Apache-2.0
// Rules on single lines of an HTTP/1.1 head and on what its fields say about framing (RFC 9112 sections 3 to
// 6). The decoder collects lines and asks here; nothing here keeps state between messages. Thread: none;
// pure. Part of h1_decoder, used by it alone.
#pragma once

#include <optional>
#include <string_view>

#include "http/h1_decoder.h"

namespace tidegate::http {

// A refusal and the rule behind it; kNone where all is well.
struct Refusal {
  DecodeError error = DecodeError::kNone;
  std::string_view detail = {};
  explicit operator bool() const { return error != DecodeError::kNone; }
};

// What the fields seen so far say about framing; Host is kept apart as it isn't a field to those above.
struct FramingFields {
  int hosts = 0;
  int lengths = 0;
  int codings = 0;
  bool chunked = false;
  bool close = false;
  bool keep_alive = false;
  bool expects_continue = false;
  std::uint64_t length = 0;
  std::string_view host = {};
};

Refusal parse_request_line(std::string_view line, RequestHead& head);
Refusal parse_status_line(std::string_view line, ResponseHead& head);

// Checks one field line (without CRLF) and splits it into views of it.
Refusal parse_field_line(std::string_view line, Field& field);

// Takes note of a field that bears on framing. `seen.host` stays a view of field.value.
Refusal note_field(const Field& field, FramingFields& seen);

// What all fields together must satisfy.
Refusal check_request(const FramingFields& seen, RequestHead& head);
Refusal check_response(const FramingFields& seen, const ResponseHead& head);

// Fields that decide on framing, routing or rights have no business behind the body (RFC 9110 section 6.5.1).
bool allowed_in_trailers(std::string_view name);

}  // namespace tidegate::http
