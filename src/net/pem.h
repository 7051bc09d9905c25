// SPDX-License-Identifier: Apache-2.0
// Certificates and keys between PEM text and OpenSSL's types. Private to net/. Total: bad text is kInvalid.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace tidegate::net {

template <auto Free>
struct Freeing {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using CertificatePtr = std::unique_ptr<X509, Freeing<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;

Result<std::vector<CertificatePtr>> read_certificates(const std::string& pem);  // one at least
Result<KeyPtr> read_private_key(const std::string& pem);                        // without a pass phrase
std::string write_certificate(X509* certificate);
std::string write_private_key(EVP_PKEY* key);

}  // namespace tidegate::net
