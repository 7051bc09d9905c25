// SPDX-License-Identifier: Apache-2.0
#include "http/h2_fields.h"

#include <algorithm>
#include <string>

#include "http/chars.h"

namespace tidegate::http {
namespace {

// Framing is HTTP/2's own, and the rest of these it forbids (RFC 9113 section 8.2.2).
constexpr KnownFields kStayBehind = {
    KnownField::kHost, KnownField::kConnection,       KnownField::kKeepAlive, KnownField::kProxyConnection,
    KnownField::kTe,   KnownField::kTransferEncoding, KnownField::kUpgrade,   KnownField::kContentLength};

// Of HTTP/1.1's handshake; HTTP/2 needs no such proof (RFC 8441 section 5).
bool of_handshake(std::string_view name) {
  return iequals(name, "sec-websocket-key") || iequals(name, "sec-websocket-accept");
}

}  // namespace

void H2Fields::clear() {
  fields_.clear();
  kept_.clear();
}

// Whoever made the value: a control in it would make the peer reset the stream.
std::string_view H2Fields::clean(std::string_view value) {
  value = trim_whitespace(value);
  if (find_bad_value_byte(value) == value.size()) return value;
  std::string changed(value);
  for (std::size_t bad = 0; (bad = find_bad_value_byte(changed)) < changed.size();) changed[bad] = ' ';
  return kept_.store(trim_whitespace(changed));
}

void H2Fields::add(std::string_view name, std::string_view value) { fields_.push_back({name, clean(value)}); }

void H2Fields::add_number(std::string_view name, std::uint64_t number) {
  fields_.push_back({name, kept_.store(std::to_string(number))});
}

void H2Fields::add_all(const Headers& headers, bool tunnel) {
  for (const Field& field : headers) {
    // A name that is no token can't be repaired into one that means the same.
    if (kStayBehind.contains(field.known)) continue;
    if (!field.checked && (field.name.empty() || !all(field.name, kTokenChar))) continue;
    if (tunnel && of_handshake(field.name)) continue;
    std::string_view name = field.name;
    if (std::any_of(name.begin(), name.end(), [](char c) { return c != to_lower(c); })) {
      std::string lower(name);
      std::transform(lower.begin(), lower.end(), lower.begin(), to_lower);
      name = kept_.store(lower);
    }
    add(name, field.value);
  }
}

const std::vector<Field>& H2Fields::of(const RequestHead& head, std::string_view scheme, bool end) {
  clear();
  const bool tunnel = opens_websocket(head);
  add(":method", tunnel ? std::string_view("CONNECT") : std::string_view(head.method));
  if (tunnel) add(":protocol", "websocket");
  add(":scheme", scheme);
  add(":authority", head.authority);
  add(":path", head.target.empty() ? std::string_view("/") : std::string_view(head.target));
  add_all(head.headers, tunnel);
  // Of this hop, and true: trailers are passed on. gRPC servers look for it.
  add("te", "trailers");
  if (!end && !tunnel && head.content_length) add_number("content-length", *head.content_length);
  return fields_;
}

const std::vector<Field>& H2Fields::of(const ResponseHead& head, bool end) {
  clear();
  const bool tunnel = head.status == 101;
  add_number(":status", tunnel ? 200 : static_cast<std::uint64_t>(head.status));
  add_all(head.headers, tunnel);
  // END_STREAM says 0 by itself; what has no body may say how long one would be (HEAD, 304).
  const bool implied = end && head.content_length == 0;
  const bool never = head.status / 100 == 1 || head.status == 204;
  if (!never && !implied && head.content_length) add_number("content-length", *head.content_length);
  return fields_;
}

const std::vector<Field>& H2Fields::of(const Headers& trailers) {
  clear();
  add_all(trailers);
  return fields_;
}

}  // namespace tidegate::http
