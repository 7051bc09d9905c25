// SPDX-License-Identifier: Apache-2.0
// A TLS connection while it shakes hands and after. Private to net/. Thread: the loop's.
#pragma once

#include <boost/asio/ssl/stream.hpp>

#include "net/basic_stream.h"
#include "net/tls_context.h"

namespace tidegate::net {

struct TlsState final : StreamState {
  TlsState(TcpSocket socket, std::shared_ptr<TlsContext> context)
      : context(std::move(context)), stream(std::move(socket), this->context->asio()) {}
  TcpSocket& lowest() override { return stream.next_layer(); }
  auto& transport() { return stream; }

  std::shared_ptr<TlsContext> context;
  boost::asio::ssl::stream<TcpSocket> stream;
};

// For a connection whose handshake is done.
std::unique_ptr<Stream> make_tls_stream(std::shared_ptr<TlsState> state);

}  // namespace tidegate::net
