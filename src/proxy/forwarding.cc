// SPDX-License-Identifier: Apache-2.0
#include "proxy/forwarding.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"
#include "http/uri.h"
#include "net/digest.h"
#include "proxy/limits.h"

namespace tidegate::proxy {
namespace {

std::string_view ip_of(std::string_view address) {
  std::string_view ip = address.substr(0, address.rfind(':'));
  if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
  return ip;
}

bool sane_request_id(std::string_view id) {
  return !id.empty() && id.size() <= kRequestIdBytes &&
         std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

// Expect is answered by us: the body follows in any case. The others say what we know better.
constexpr http::KnownFields kOurs = {http::KnownField::kExpect, http::KnownField::kForwarded,
                                     http::KnownField::kXForwardedFor, http::KnownField::kXForwardedHost,
                                     http::KnownField::kXForwardedProto};

// The two hex digits of each byte.
constexpr std::array<char, 512> kHexPairs = [] {
  constexpr char kHex[] = "0123456789abcdef";
  std::array<char, 512> pairs{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    pairs[byte * 2] = kHex[byte >> 4];
    pairs[byte * 2 + 1] = kHex[byte & 15];
  }
  return pairs;
}();

std::array<char, 32> make_request_id(Random& random) {
  std::array<char, 32> id;
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint64_t bits = random.next();
    for (std::size_t i = 0; i < 8; ++i, bits >>= 8)
      std::memcpy(&id[half * 16 + i * 2], &kHexPairs[(bits & 255) * 2], 2);
  }
  return id;
}

}  // namespace

bool normalize_target(http::RequestHead& head) {
  if (head.target == "*") return true;  // OPTIONS *: no rule matches it
  if (http::is_plain_path(head.path())) return true;
  auto path = http::normalize_path(head.path());
  if (!path) return false;
  if (*path == head.path()) return true;
  const std::string_view rest = std::string_view(head.target).substr(head.path().size());
  head.target = std::move(*path).append(rest);
  return true;
}

bool wants_websocket(const http::RequestHead& head) {
  if (head.version == http::Version::kHttp2) return http::opens_websocket(head);
  return head.version == http::Version::kHttp11 && head.headers.has_token("connection", "upgrade") &&
         head.headers.has_token("upgrade", "websocket") && head.headers.get("sec-websocket-key");
}

void complete_handshake(http::RequestHead& asked, Random& random) {
  asked.headers.set("upgrade", "websocket");
  if (asked.headers.get("sec-websocket-key")) return;
  std::string key;
  for (std::uint64_t bits : {random.next(), random.next()}) {
    for (int i = 0; i < 8; ++i, bits >>= 8) key += static_cast<char>(bits);
  }
  asked.headers.set("sec-websocket-key", text::base64_encode(key));
}

bool complete_handshake(const http::RequestHead& asked, http::ResponseHead& answer) {
  constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::string key(asked.headers.get("sec-websocket-key").value_or(""));
  const std::string accept = text::base64_encode(net::sha1(key.append(kGuid)));
  if (answer.version != http::Version::kHttp2 && answer.headers.get("sec-websocket-accept") != accept)
    return false;
  answer.headers.set("sec-websocket-accept", accept);
  return true;
}

void prepare_request(http::RequestHead& head, std::string_view client, Random& random) {
  http::Headers& headers = head.headers;
  http::remove_hop_by_hop(headers);
  headers.remove(kOurs);
  headers.add("x-forwarded-for", ip_of(client));
  headers.add("x-forwarded-proto", head.scheme);
  headers.add("x-forwarded-host", head.authority);
  if (!sane_request_id(headers.get("x-request-id").value_or(""))) {
    const auto id = make_request_id(random);
    headers.set("x-request-id", {id.data(), id.size()});
  }
}

void prepare_response(http::ResponseHead& head) { http::remove_hop_by_hop(head.headers); }

}  // namespace tidegate::proxy
