// SPDX-License-Identifier: Apache-2.0
// A TLS connection while it shakes hands and after: over Asio (asio_tls.cc), or over the loop's poller where
// it has one (polled_tls.cc). Private to net/. Thread: the loop's.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "net/poller.h"
#include "net/stream.h"
#include "net/tls_context.h"

namespace tidegate::net {

enum class TlsRole : std::uint8_t { kServer, kClient };

// Kept alive by its handshake, then by its stream.
class TlsConnection {
 public:
  virtual ~TlsConnection() = default;
  virtual SSL* ssl() = 0;
  // Once. `done` is not called after close(), and not from within this call.
  virtual void shake_hands(std::function<void(const boost::system::error_code&)> done) = 0;
  virtual void close() = 0;
  virtual std::unique_ptr<Stream> open() = 0;  // once, when the handshake is done

  std::shared_ptr<TlsSession> session;  // that serves ssl(), if any
};
using TlsConnectionPtr = std::shared_ptr<TlsConnection>;

TlsConnectionPtr make_tls_connection(TcpSocket socket, std::shared_ptr<TlsContext> context, TlsRole role);

// What the handshake has told.
struct TlsNames {
  explicit TlsNames(SSL* ssl);
  std::string alpn, server_name, peer_common_name;
  std::shared_ptr<const ClientProof> client_proof;
};

// The two kinds.
TlsConnectionPtr make_asio_tls(TcpSocket socket, std::shared_ptr<TlsContext> context, TlsRole role);
TlsConnectionPtr make_polled_tls(Poller& poller, TcpSocket socket, std::shared_ptr<TlsContext> context,
                                 TlsRole role);

}  // namespace tidegate::net
