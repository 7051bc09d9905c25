// SPDX-License-Identifier: Apache-2.0
// The one session with a server that was begun last, for the next connection to it. Private to net/. Thread:
// that of the connections.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "net/stream.h"

namespace tidegate::net {

class TlsSession {
 public:
  // `ssl` is to resume it, where there is one that may be, and to leave its own here: it must not outlive
  // this.
  void serve(SSL* ssl);
  void forget() { session_.reset(); }  // it did not work

 private:
  friend void keep_sessions(SSL_CTX* context);
  struct Free {
    void operator()(SSL_SESSION* session) const { ::SSL_SESSION_free(session); }
  };
  std::unique_ptr<SSL_SESSION, Free> session_;
};

// Client: sessions go to the TlsSession that serves the connection, and nowhere else.
void keep_sessions(SSL_CTX* context);

}  // namespace tidegate::net
