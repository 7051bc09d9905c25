// SPDX-License-Identifier: Apache-2.0
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "net/pem.h"
#include "net/tls.h"

namespace tidegate::net {
namespace {

constexpr long kSecondsADay = 24 * 60 * 60;
constexpr int kAuthorityDays = 3650;

void set_name(X509_NAME* name, const char* field, const std::string& value) {
  if (value.empty()) return;
  ::X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(value.data()),
                               static_cast<int>(value.size()), -1, 0);
}

void set_serial(X509* certificate) {
  unsigned char bytes[16];
  ::RAND_bytes(bytes, sizeof bytes);
  bytes[0] &= 0x7f;  // positive (RFC 5280 section 4.1.2.2)
  std::unique_ptr<BIGNUM, Freeing<BN_free>> number(::BN_bin2bn(bytes, sizeof bytes, nullptr));
  ::BN_to_ASN1_INTEGER(number.get(), ::X509_get_serialNumber(certificate));
}

void set_validity(X509* certificate, TimePoint now, int days) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  ::ASN1_TIME_set(::X509_getm_notBefore(certificate), static_cast<time_t>(seconds - 3600));
  ::ASN1_TIME_set(::X509_getm_notAfter(certificate), static_cast<time_t>(seconds + days * kSecondsADay));
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  std::unique_ptr<X509_EXTENSION, Freeing<X509_EXTENSION_free>> extension(
      ::X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && ::X509_add_ext(certificate, extension.get(), -1) == 1;
}

std::string subject_alternative_names(const CertificateRequest& request) {
  std::string names;
  for (const auto& dns : request.dns_names) names += (names.empty() ? "" : ",") + ("DNS:" + dns);
  for (const auto& ip : request.ip_addresses) names += (names.empty() ? "" : ",") + ("IP:" + ip);
  for (const auto& uri : request.uris) names += (names.empty() ? "" : ",") + ("URI:" + uri);
  return names;
}

struct Draft {
  CertificatePtr certificate;
  KeyPtr key;
};

Result<Draft> begin(const std::string& common_name, const std::string& organization, TimePoint now,
                    int days) {
  Draft draft{CertificatePtr(::X509_new()), KeyPtr(EVP_EC_gen("P-256"))};
  if (!draft.certificate || !draft.key) return Error{ErrorCode::kInternal, "no P-256 key could be made"};
  X509* certificate = draft.certificate.get();
  ::X509_set_version(certificate, X509_VERSION_3);
  set_serial(certificate);
  set_validity(certificate, now, days);
  set_name(::X509_get_subject_name(certificate), "O", organization);
  set_name(::X509_get_subject_name(certificate), "CN", common_name);
  ::X509_set_pubkey(certificate, draft.key.get());
  return draft;
}

Result<KeyPair> sign(Draft draft, EVP_PKEY* key) {
  if (::X509_sign(draft.certificate.get(), key, ::EVP_sha256()) == 0) {
    return Error{ErrorCode::kInternal, "the certificate could not be signed"};
  }
  return KeyPair{write_certificate(draft.certificate.get()), write_private_key(draft.key.get())};
}

}  // namespace

Result<KeyPair> make_certificate_authority(const std::string& common_name, TimePoint now) {
  auto draft = begin(common_name, "", now, kAuthorityDays);
  if (!draft) return draft.error();
  X509* certificate = draft->certificate.get();
  ::X509_set_issuer_name(certificate, ::X509_get_subject_name(certificate));
  const bool ok = add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE") &&
                  add_extension(certificate, certificate, NID_key_usage,
                                "critical,keyCertSign,cRLSign,digitalSignature") &&
                  add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
  if (!ok)
    return Error{ErrorCode::kInternal, "certificate authority \"" + common_name + "\": extensions refused"};
  EVP_PKEY* key = draft->key.get();
  return sign(std::move(*draft), key);
}

Result<KeyPair> make_certificate(const KeyPair& authority, const CertificateRequest& request, TimePoint now) {
  auto issuers = read_certificates(authority.certificate_pem);
  if (!issuers) return context("certificate authority", issuers.error());
  auto issuer_key = read_private_key(authority.private_key_pem);
  if (!issuer_key) return context("certificate authority", issuer_key.error());
  auto draft = begin(request.common_name, request.organization, now, request.days);
  if (!draft) return draft.error();
  X509* certificate = draft->certificate.get();
  X509* issuer = issuers->front().get();
  ::X509_set_issuer_name(certificate, ::X509_get_subject_name(issuer));
  const std::string names = subject_alternative_names(request);
  const bool ok =
      add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
      add_extension(certificate, issuer, NID_ext_key_usage, request.client ? "clientAuth" : "serverAuth") &&
      add_extension(certificate, issuer, NID_authority_key_identifier, "keyid") &&
      (names.empty() || add_extension(certificate, issuer, NID_subject_alt_name, names));
  if (!ok)
    return Error{ErrorCode::kInvalid, "certificate \"" + request.common_name + "\": bad name among " + names};
  return sign(std::move(*draft), issuer_key->get());
}

}  // namespace tidegate::net
