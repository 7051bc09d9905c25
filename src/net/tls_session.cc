// SPDX-License-Identifier: Apache-2.0
#include "net/tls_session.h"

#include "net/tls_tickets.h"

namespace tidegate::net {
namespace {

int place_of_session() {
  static const int index = ::SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

std::shared_ptr<TlsSession> make_tls_session() { return std::make_shared<TlsSession>(); }

void TlsSession::serve(SSL* ssl) {
  ::SSL_set_ex_data(ssl, place_of_session(), this);
  if (!session_ || has_expired(session_.get())) return;
  // A copy: OpenSSL voids that of a connection which was cut.
  const std::unique_ptr<SSL_SESSION, Free> copy(::SSL_SESSION_dup(session_.get()));
  if (copy) ::SSL_set_session(ssl, copy.get());
}

void keep_sessions(SSL_CTX* context) {
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  ::SSL_CTX_sess_set_new_cb(context, [](SSL* ssl, SSL_SESSION* session) {
    if (auto* place = static_cast<TlsSession*>(::SSL_get_ex_data(ssl, place_of_session())))
      place->session_.reset(::SSL_SESSION_dup(session));
    return 0;  // the session stays OpenSSL's
  });
}

}  // namespace tidegate::net
