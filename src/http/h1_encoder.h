// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 bytes out of messages (RFC 9112): start line, Host, fields, framing fields; chunk framing for
// bodies. Always re-serialised, never copied from what came in. Thread: none.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace tidegate::http {

// Appends to `out`. Content-Length, Transfer-Encoding and Connection in `headers` are ignored: framing
// follows `content_length` (nullopt: chunked), Connection follows `keep_alive` (and `upgrade`: the protocol
// to switch to, as in RFC 9110 section 7.8).
struct EncodeOptions {
  bool keep_alive = true;
  std::string_view upgrade = {};
};
void encode_head(const RequestHead& head, EncodeOptions options, std::string& out);
// `request_method` and `client_version` decide on framing: no body for HEAD; no chunks towards HTTP/1.0.
void encode_head(const ResponseHead& head, std::string_view request_method, Version client_version,
                 EncodeOptions options, std::string& out);

void encode_chunk(std::string_view data, std::string& out);  // data must not be empty
void encode_chunk_size(std::size_t size,
                       std::string& out);  // for data that is sent from where it is; CRLF must follow it
void encode_last_chunk(const Headers& trailers, std::string& out);

}  // namespace tidegate::http
