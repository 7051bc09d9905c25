// SPDX-License-Identifier: Apache-2.0
#include "net/tls_tickets.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "base/assert.h"
#include "net/limits.h"

namespace tidegate::net {
namespace {

TicketKeys& ticket_keys() {
  static TicketKeys keys;
  return keys;
}

void fill(TicketKeys::Key& key) {
  const auto with_random = [](auto& bytes) {
    TIDEGATE_ASSERT(::RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  };
  with_random(key.name);
  with_random(key.cipher);
  with_random(key.mac);
}

// Once: OpenSSL 3 looks it up again for each ticket otherwise.
const EVP_CIPHER* ticket_cipher() {
  static const EVP_CIPHER* const found = ::EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  return found;
}

bool set_up(const TicketKeys::Key& key, const unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
            int seals) {
  std::array<char, 7> digest{"SHA256"};
  auto secret = key.mac;
  const OSSL_PARAM parameters[] = {
      ::OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret.data(), secret.size()),
      ::OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      ::OSSL_PARAM_construct_end()};
  return ::EVP_MAC_CTX_set_params(mac, parameters) == 1 &&
         ::EVP_CipherInit_ex(cipher, ticket_cipher(), nullptr, key.cipher.data(), iv, seals) == 1;
}

// As SSL_CTX_set_tlsext_ticket_key_evp_cb() asks: -1 an error, 0 no key, 1 done, 2 done and the client needs
// another ticket: RFC 8446 appendix C.4 has it use each once. TLS 1.2 would seal the very same secret again,
// past the lifetime of keys.
int choose_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
               int seals) {
  const SteadyTime now = system_clock().steady_now();
  if (seals == 0) {
    const auto key = ticket_keys().find(name, now);
    if (!key) return 0;
    if (!set_up(*key, iv, cipher, mac, seals)) return -1;
    return ::SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
  }
  const auto key = ticket_keys().newest(now);
  std::copy(key.name.begin(), key.name.end(), name);
  if (::RAND_bytes(iv, ::EVP_CIPHER_get_iv_length(ticket_cipher())) != 1) return -1;
  return set_up(key, iv, cipher, mac, seals) ? 1 : -1;
}

int judge_ticket(SSL*, SSL_SESSION* session, const unsigned char*, std::size_t, int status, void*) {
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  if (has_expired(session)) return SSL_TICKET_RETURN_IGNORE_RENEW;
  return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

}  // namespace

TicketKeys::Key TicketKeys::newest(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  turn(now);
  return newest_;
}

std::optional<TicketKeys::Key> TicketKeys::find(const unsigned char* name, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  turn(now);
  for (const Key* key : {&newest_, &previous_}) {
    if (std::equal(key->name.begin(), key->name.end(), name)) return *key;
  }
  return std::nullopt;
}

void TicketKeys::turn(SteadyTime now) {
  if (made_ && now < *made_ + kTlsSessionLifetime) return;
  if (made_ && now < *made_ + 2 * kTlsSessionLifetime) {
    previous_ = newest_;
  } else {
    fill(previous_);  // opens nothing
  }
  fill(newest_);
  made_ = now;
}

bool has_expired(const SSL_SESSION* session) {
  const X509* peer = ::SSL_SESSION_get0_peer(const_cast<SSL_SESSION*>(session));
  return peer != nullptr && ::X509_cmp_current_time(::X509_get0_notAfter(peer)) <= 0;
}

void allow_resumption(TlsContext& context, std::string scope) {
  SSL_CTX* native = context.native();
  context.scope() = std::move(scope);
  // Without tickets it would be kept here, for 20480 clients.
  ::SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_timeout(native,
                        std::chrono::duration_cast<std::chrono::seconds>(kTlsSessionLifetime).count());
  ::SSL_CTX_set_num_tickets(native, 1);  // a client that wants more connections resumes from one
  ::SSL_CTX_set_tlsext_ticket_key_evp_cb(native, choose_key);
  ::SSL_CTX_set_session_ticket_cb(native, nullptr, judge_ticket, nullptr);
}

}  // namespace tidegate::net
