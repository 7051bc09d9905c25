// SPDX-License-Identifier: Apache-2.0
// SHA-256 and HMAC-SHA256 (FIPS 180-4, RFC 2104), as 32 raw bytes; SHA-1, as 20, where a protocol asks for no
// more than a handshake (RFC 6455). Thread: any; pure.
#pragma once

#include <string>
#include <string_view>

namespace tidegate::net {

std::string sha256(std::string_view bytes);
std::string sha1(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);

}  // namespace tidegate::net
