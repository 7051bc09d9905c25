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

// Once: OpenSSL 3 looks an algorithm up by its name each time that it is not given one it has found.
const EVP_MD* found_sha256() {
  static const EVP_MD* const found = ::EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return found;
}

}  // namespace

std::string sha256(std::string_view bytes) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  const int made = ::EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()),
                                nullptr, found_sha256(), nullptr);
  TIDEGATE_ASSERT(made == 1);
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
  const auto* made = ::HMAC(found_sha256(), key.data(), static_cast<int>(key.size()), octets(bytes),
                            bytes.size(), reinterpret_cast<unsigned char*>(out.data()), &size);
  TIDEGATE_ASSERT(made != nullptr && size == out.size());
  return out;
}

}  // namespace tidegate::net
