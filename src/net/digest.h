// SPDX-License-Identifier: Apache-2.0
// SHA-256 and HMAC-SHA256 (FIPS 180-4, RFC 2104), as 32 raw bytes. Thread: any; pure.
#pragma once

#include <string>
#include <string_view>

namespace tidegate::net {

std::string sha256(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);

}  // namespace tidegate::net
