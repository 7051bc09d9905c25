// SPDX-License-Identifier: Apache-2.0
#include "net/pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace tidegate::net {
namespace {

using BioPtr = std::unique_ptr<BIO, Freeing<BIO_free_all>>;

BioPtr reading(const std::string& text) {
  return BioPtr(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

// Never asks at a terminal.
int no_pass_phrase(char*, int, int, void*) { return -1; }

}  // namespace

Result<std::vector<CertificatePtr>> read_certificates(const std::string& pem) {
  auto bio = reading(pem);
  std::vector<CertificatePtr> chain;
  while (X509* certificate = ::PEM_read_bio_X509(bio.get(), nullptr, no_pass_phrase, nullptr)) {
    chain.emplace_back(certificate);
  }
  ::ERR_clear_error();
  if (chain.empty()) return Error{ErrorCode::kInvalid, "no PEM block CERTIFICATE in it"};
  return chain;
}

Result<KeyPtr> read_private_key(const std::string& pem) {
  auto bio = reading(pem);
  KeyPtr key(::PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr));
  ::ERR_clear_error();
  if (!key) return Error{ErrorCode::kInvalid, "no PEM block PRIVATE KEY without a pass phrase in it"};
  return key;
}

std::string write_certificate(X509* certificate) {
  BioPtr bio(::BIO_new(::BIO_s_mem()));
  ::PEM_write_bio_X509(bio.get(), certificate);
  return text_of(bio.get());
}

std::string write_private_key(EVP_PKEY* key) {
  BioPtr bio(::BIO_new(::BIO_s_mem()));
  ::PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio.get());
}

}  // namespace tidegate::net
