// SPDX-License-Identifier: Apache-2.0
// Everything that a decoder makes of some bytes, for tests and fuzz targets. Thread: none.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "http/h1_decoder.h"

namespace tidegate::http {

struct DecodedMessage {
  RequestHead request;
  ResponseHead response;
  std::string body;
  Headers trailers;
  bool complete = false;
  bool keep_alive = false;
  bool expects_continue = false;
};

struct Decoded {
  std::vector<DecodedMessage> messages;
  DecodeError error = DecodeError::kNone;
  std::string detail;
};

// Feeds `text` in pieces of `step` bytes.
inline Decoded decode(H1Decoder::Role role, std::string_view text, std::size_t step = std::string_view::npos,
                      Limits limits = {}) {
  using Event = H1Decoder::Event;
  H1Decoder decoder(role, limits);
  Decoded decoded;
  while (true) {
    std::string_view piece = text.substr(0, step);
    text.remove_prefix(std::min(step, text.size()));
    for (Event event = decoder.next(piece); event != Event::kNeedMore; event = decoder.next(piece)) {
      if (event == Event::kError) {
        decoded.error = decoder.error();
        decoded.detail = decoder.error_detail();
        return decoded;
      }
      if (event == Event::kHead) decoded.messages.emplace_back();
      DecodedMessage& message = decoded.messages.back();
      if (event == Event::kHead) {
        message.request = decoder.request();
        message.response = decoder.response();
        message.keep_alive = decoder.keep_alive();
        message.expects_continue = decoder.expects_continue();
      } else if (event == Event::kData) {
        message.body += decoder.body();
      } else {
        message.trailers = decoder.trailers();
        message.complete = true;
      }
    }
    if (text.empty()) return decoded;
  }
}

}  // namespace tidegate::http
