// SPDX-License-Identifier: Apache-2.0
// For tests of HTTP/2: frames written by hand, and what a session makes of them. Header blocks are literal
// fields without Huffman coding or a table, which any peer may send. Thread: none.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/h2_session.h"

namespace tidegate::http {

enum class H2Frame : std::uint8_t {
  kData,
  kHeaders,
  kPriority,
  kRstStream,
  kSettings,
  kPushPromise,
  kPing,
  kGoaway,
  kWindowUpdate,
  kContinuation
};

inline constexpr std::uint8_t kEndStream = 1, kAck = 1, kEndHeaders = 4;

inline std::string big_endian(std::uint32_t number, int bytes = 4) {
  std::string out;
  while (bytes-- > 0) out += static_cast<char>(number >> (8 * bytes));
  return out;
}

inline std::string h2_frame(H2Frame type, std::uint8_t flags, H2StreamId stream, const std::string& payload) {
  return big_endian(static_cast<std::uint32_t>(payload.size()), 3) + static_cast<char>(type) +
         static_cast<char>(flags) + big_endian(static_cast<std::uint32_t>(stream)) + payload;
}

inline std::string hpack_length(std::size_t size) {  // RFC 7541 section 5.1, prefix of 7 bits
  if (size < 127) return {static_cast<char>(size)};
  std::string out = "\x7f";
  for (size -= 127; size >= 128; size /= 128) out += static_cast<char>(size % 128 + 128);
  return out + static_cast<char>(size);
}

inline std::string hpack(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string out;
  for (const auto& [name, value] : fields)
    out += std::string(1, '\0') + hpack_length(name.size()) + name + hpack_length(value.size()) + value;
  return out;
}

using H2FieldList = std::vector<std::pair<std::string, std::string>>;

inline H2FieldList h2_get(H2FieldList more = {}, const std::string& path = "/") {
  H2FieldList fields = {{":method", "GET"}, {":scheme", "http"}, {":path", path}, {":authority", "a"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

// In as many frames as it takes.
inline std::string h2_headers(H2StreamId stream, const H2FieldList& fields, bool end = true) {
  constexpr std::size_t kFrameSize = 16'384;
  const std::string block = hpack(fields);
  std::string out;
  for (std::size_t at = 0; at == 0 || at < block.size(); at += kFrameSize) {
    const int flags = (at == 0 && end ? kEndStream : 0) | (at + kFrameSize >= block.size() ? kEndHeaders : 0);
    out += h2_frame(at == 0 ? H2Frame::kHeaders : H2Frame::kContinuation, static_cast<std::uint8_t>(flags),
                    stream, block.substr(at, kFrameSize));
  }
  return out;
}
inline std::string h2_data(H2StreamId stream, const std::string& data, bool end) {
  return h2_frame(H2Frame::kData, end ? kEndStream : 0, stream, data);
}
inline std::string h2_reset(H2StreamId stream, H2Code code = H2Code::kCancel) {
  return h2_frame(H2Frame::kRstStream, 0, stream, big_endian(static_cast<std::uint32_t>(code)));
}
inline std::string h2_hello() { return std::string(kH2Preface) + h2_frame(H2Frame::kSettings, 0, 0, {}); }

// The frames that a peer sent, headers of which are not decoded.
struct RawFrame {
  H2Frame type;
  std::uint8_t flags;
  H2StreamId stream;
  std::string payload;
  std::uint32_t number(std::size_t at = 0) const {
    std::uint32_t out = 0;
    for (std::size_t i = at; i < at + 4 && i < payload.size(); ++i)
      out = out << 8 | static_cast<std::uint8_t>(payload[i]);
    return out;
  }
};

inline std::vector<RawFrame> h2_frames(std::string_view bytes) {
  std::vector<RawFrame> out;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  while (bytes.size() >= 9) {
    const std::size_t size = static_cast<std::size_t>(byte(0)) << 16 | byte(1) << 8 | byte(2);
    if (bytes.size() < 9 + size) break;
    const auto stream = static_cast<H2StreamId>(byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8));
    out.push_back({static_cast<H2Frame>(byte(3)), byte(4), stream, std::string(bytes.substr(9, size))});
    bytes.remove_prefix(9 + size);
  }
  return out;
}

// All that a session says about each stream.
struct H2Story final : H2Session::Events {
  struct Message {
    RequestHead request;
    ResponseHead response;
    std::string body;
    Headers trailers;
    bool has_head = false, expects_continue = false, ended = false;
    std::optional<H2Code> closed;
    std::optional<int> refused;
  };
  std::map<H2StreamId, Message> messages;
  int goaways = 0, pongs = 0;
  std::function<void(H2StreamId)> then;  // once a message has ended

  void on_request(H2StreamId id, RequestHead head, bool expects_continue) override {
    messages[id].request = std::move(head);
    messages[id].expects_continue = expects_continue;
    messages[id].has_head = true;
  }
  void on_refused(H2StreamId id, int status) override { messages[id].refused = status; }
  void on_response(H2StreamId id, ResponseHead head) override {
    messages[id].response = std::move(head);
    messages[id].has_head = true;
  }
  void on_data(H2StreamId id, std::string_view data) override { messages[id].body += data; }
  void on_end(H2StreamId id, const Headers& trailers) override {
    messages[id].trailers = trailers;
    messages[id].ended = true;
    if (then) then(id);
  }
  void on_closed(H2StreamId id, H2Code code) override { messages[id].closed = code; }
  void on_goaway() override { ++goaways; }
  void on_ping_ack() override { ++pongs; }
};

// A session with its story, and the bytes that it wants sent.
struct H2End {
  explicit H2End(H2Session::Role role, Limits limits = {}, H2Limits h2_limits = {})
      : session(role, limits, h2_limits, story) {}

  // In pieces of `step` bytes, with what is answered taken after each.
  bool feed(std::string_view bytes, std::size_t step = std::string_view::npos) {
    bool open = true;
    while (!bytes.empty() && open) {
      open = session.receive(bytes.substr(0, step), now);
      bytes.remove_prefix(std::min(step, bytes.size()));
      session.produce(out, out.size() + (1 << 20));
    }
    return open;
  }
  std::string take() {
    session.produce(out, std::string::npos);
    return std::exchange(out, {});
  }
  const RawFrame* find(H2Frame type) {
    session.produce(out, std::string::npos);
    seen = h2_frames(out);
    for (const RawFrame& frame : seen) {
      if (frame.type == type) return &frame;
    }
    return nullptr;
  }

  H2Story story;
  H2Session session;
  SteadyTime now{std::chrono::hours(1)};
  std::string out;
  std::vector<RawFrame> seen;
};

}  // namespace tidegate::http
