// SPDX-License-Identifier: Apache-2.0
#include "net/client_hello.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/text.h"
#include "net/limits.h"

namespace tidegate::net {
namespace {

constexpr std::size_t kRecordHeader = 5, kHandshakeHeader = 4;
constexpr std::size_t kRecordBytes = 1 << 14;  // of a plaintext fragment, RFC 8446 section 5.1
constexpr char kHandshakeRecord = 22, kClientHelloMessage = 1;
constexpr std::size_t kHostName = 0, kServerNameExtension = 0;
constexpr std::size_t kRandomBytes = 32, kSessionIdBytes = 32, kHostNameBytes = 255;

ClientHello more(std::size_t needed) {
  if (needed > kClientHelloBytes) return {ClientHello::State::kInvalid, 0, {}, "hello too long"};
  return {ClientHello::State::kMore, needed, {}, {}};
}
ClientHello invalid(std::string_view fault) { return {ClientHello::State::kInvalid, 0, {}, fault}; }

// Takes numbers and vectors off the front of a view; nullopt where it is too short.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : rest_(bytes) {}

  std::optional<std::string_view> take(std::size_t size) {
    if (rest_.size() < size) return std::nullopt;
    const auto out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  std::optional<std::size_t> number(std::size_t size) {
    const auto bytes = take(size);
    if (!bytes) return std::nullopt;
    std::size_t value = 0;
    for (const char byte : *bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
    return value;
  }
  std::optional<std::string_view> vector(std::size_t length_size) {
    const auto size = number(length_size);
    return size ? take(*size) : std::nullopt;
  }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool is_host_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  };
  return !name.empty() && name.size() <= kHostNameBytes && std::all_of(name.begin(), name.end(), fits);
}

// RFC 6066 section 3: no more than one name of a type; other types than host_name were never defined.
ClientHello read_server_name(std::string_view extension) {
  Cursor outer(extension);
  const auto list = outer.vector(2);
  if (!list || list->empty() || !outer.empty()) return invalid("server_name is malformed");
  Cursor names(*list);
  ClientHello out{ClientHello::State::kComplete, 0, {}, {}};
  while (!names.empty()) {
    const auto type = names.number(1);
    const auto name = names.vector(2);
    if (!type || !name) return invalid("server_name is malformed");
    if (*type != kHostName) continue;
    if (!out.server_name.empty()) return invalid("server_name names two hosts");
    if (!is_host_name(*name)) return invalid("server_name is no host name");
    out.server_name = text::lower(*name);
  }
  return out;
}

ClientHello read_hello(std::string_view body) {
  Cursor hello(body);
  const auto version = hello.number(2);
  const auto random = hello.take(kRandomBytes);
  const auto session = hello.vector(1), suites = hello.vector(2), compressions = hello.vector(1);
  if (!version || *version >> 8 != 3 || !random || !session || session->size() > kSessionIdBytes || !suites ||
      suites->empty() || suites->size() % 2 != 0 || !compressions || compressions->empty())
    return invalid("ClientHello is malformed");
  ClientHello out{ClientHello::State::kComplete, 0, {}, {}};
  if (hello.empty()) return out;  // before TLS 1.3 a hello may have no extensions
  const auto block = hello.vector(2);
  if (!block || !hello.empty()) return invalid("the extensions are malformed");
  Cursor extensions(*block);
  bool named = false;
  while (!extensions.empty()) {
    const auto type = extensions.number(2);
    const auto content = extensions.vector(2);
    if (!type || !content) return invalid("the extensions are malformed");
    if (*type != kServerNameExtension) continue;
    if (std::exchange(named, true)) return invalid("server_name comes twice");
    out = read_server_name(*content);
    if (out.state == ClientHello::State::kInvalid) return out;
  }
  return out;
}

}  // namespace

ClientHello parse_client_hello(std::string_view bytes) {
  bytes = bytes.substr(0, kClientHelloBytes);
  std::string message;  // what the records carry
  for (std::size_t at = 0;;) {
    const auto header = bytes.substr(at, kRecordHeader);
    // What can't become a hello is told from its first byte on.
    if (!header.empty() && header[0] != kHandshakeRecord) return invalid("no TLS handshake");
    if (header.size() > 1 && header[1] != 3) return invalid("no version of TLS that we know");
    if (header.size() < kRecordHeader) return more(at + kRecordHeader);
    const std::size_t size = *Cursor(header.substr(3)).number(2);
    if (size == 0 || size > kRecordBytes) return invalid("a record of a size that is not allowed");
    at += kRecordHeader;
    const std::size_t before = message.size();
    message.append(bytes.substr(at, size));
    if (!message.empty() && message[0] != kClientHelloMessage) return invalid("no ClientHello");
    std::size_t wanted = kHandshakeHeader;
    if (message.size() >= kHandshakeHeader) {
      wanted += *Cursor(std::string_view(message).substr(1)).number(3);
      if (message.size() >= wanted)
        return read_hello(std::string_view(message).substr(0, wanted).substr(kHandshakeHeader));
      if (wanted > kClientHelloBytes) return more(wanted);
    }
    if (bytes.size() - at < size) return more(at + std::min(size, wanted - before));
    at += size;
  }
}

}  // namespace tidegate::net
