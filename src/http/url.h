// SPDX-License-Identifier: Apache-2.0
// Addresses of web services as people write them: http:// and https://, split into what a client needs.
// Thread: none; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate::http {

struct Url {
  bool tls = false;
  std::string_view authority;  // as written: what Host says
  std::string_view host;       // a name or an address, the latter without brackets
  std::uint16_t port = 0;      // the scheme's where none is written
  std::string target;          // origin-form: path and query, with "/" for an empty path
};

// RFC 3986 section 3 with the schemes of RFC 9110 section 4.2. Views point into `text`. nullopt for all else,
// for user information (RFC 9110 section 4.2.4), for fragments, which are never sent, for percent-encodings
// that are none and for bytes that a request target can't hold.
std::optional<Url> parse_url(std::string_view text);

}  // namespace tidegate::http
