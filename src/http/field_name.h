// SPDX-License-Identifier: Apache-2.0
// Names of header fields. Those that the proxy itself reads, writes or drops have a number, found once when a
// field is stored, so that later passes over a head compare no letters. Thread: none; pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "http/chars.h"

namespace tidegate::http {

enum class KnownField : std::uint8_t {
  kNone,  // any other name
  kConnection,
  kContentLength,
  kExpect,
  kForwarded,
  kHost,
  kKeepAlive,
  kProxyConnection,
  kTe,
  kTransferEncoding,
  kUpgrade,
  kXForwardedFor,
  kXForwardedHost,
  kXForwardedProto,
  kXRequestId,
};

class KnownFields {
 public:
  constexpr KnownFields() = default;
  constexpr KnownFields(std::initializer_list<KnownField> fields) {
    for (const KnownField field : fields) add(field);
  }
  constexpr void add(KnownField field) { bits_ |= bit(field); }
  constexpr bool contains(KnownField field) const { return (bits_ & bit(field)) != 0; }
  constexpr bool intersects(KnownFields other) const { return (bits_ & other.bits_) != 0; }
  constexpr void remove(KnownFields other) { bits_ &= ~other.bits_; }

 private:
  static constexpr std::uint32_t bit(KnownField field) {
    return field == KnownField::kNone ? 0 : 1U << static_cast<unsigned>(field);
  }
  std::uint32_t bits_ = 0;
};

namespace detail {

// `lower` is as long as `name`.
constexpr KnownField if_equal(std::string_view name, std::string_view lower, KnownField field) {
  for (std::size_t i = 0; i < lower.size(); ++i) {
    if (to_lower(name[i]) != lower[i]) return KnownField::kNone;
  }
  return field;
}

// By length first, which tells nearly all names apart.
constexpr KnownField known_field(std::string_view name) {
  switch (name.size()) {
    case 2:
      return if_equal(name, "te", KnownField::kTe);
    case 4:
      return if_equal(name, "host", KnownField::kHost);
    case 6:
      return if_equal(name, "expect", KnownField::kExpect);
    case 7:
      return if_equal(name, "upgrade", KnownField::kUpgrade);
    case 9:
      return if_equal(name, "forwarded", KnownField::kForwarded);
    case 10:
      return to_lower(name[0]) == 'c' ? if_equal(name, "connection", KnownField::kConnection)
                                      : if_equal(name, "keep-alive", KnownField::kKeepAlive);
    case 12:
      return if_equal(name, "x-request-id", KnownField::kXRequestId);
    case 14:
      return if_equal(name, "content-length", KnownField::kContentLength);
    case 15:
      return if_equal(name, "x-forwarded-for", KnownField::kXForwardedFor);
    case 16:
      return to_lower(name[0]) == 'p' ? if_equal(name, "proxy-connection", KnownField::kProxyConnection)
                                      : if_equal(name, "x-forwarded-host", KnownField::kXForwardedHost);
    case 17:
      return to_lower(name[0]) == 't' ? if_equal(name, "transfer-encoding", KnownField::kTransferEncoding)
                                      : if_equal(name, "x-forwarded-proto", KnownField::kXForwardedProto);
    default:
      return KnownField::kNone;
  }
}

}  // namespace detail

KnownField known_field(std::string_view name);

// A name to look for; of a literal the number is found by the compiler.
class FieldName {
 public:
  consteval FieldName(const char* literal) : text(literal), known(detail::known_field(text)) {}
  FieldName(std::string_view name) : text(name), known(known_field(name)) {}
  FieldName(const std::string& name) : FieldName(std::string_view(name)) {}

  bool is(std::string_view name, KnownField its_known) const {
    return known == its_known && (known != KnownField::kNone || iequals(text, name));
  }

  const std::string_view text;
  const KnownField known;
};

}  // namespace tidegate::http
