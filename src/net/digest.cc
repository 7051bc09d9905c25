// SPDX-License-Identifier: Apache-2.0
#include "net/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <climits>

#include "base/assert.h"

namespace tidegate::net {
namespace {

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string sha256(std::string_view bytes) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  ::SHA256(octets(bytes), bytes.size(), reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

std::string sha1(std::string_view bytes) {
  std::string out(SHA_DIGEST_LENGTH, '\0');
  ::SHA1(octets(bytes), bytes.size(), reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  TIDEGATE_ASSERT(key.size() < INT_MAX);
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  unsigned int size = 0;
  const auto* made = ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()), octets(bytes),
                            bytes.size(), reinterpret_cast<unsigned char*>(out.data()), &size);
  TIDEGATE_ASSERT(made != nullptr && size == out.size());
  return out;
}

}  // namespace tidegate::net
