// SPDX-License-Identifier: Apache-2.0
// A TLS connection while it shakes hands and after. Private to net/. Thread: the loop's.
#pragma once

#include <algorithm>
#include <boost/asio/ssl/stream.hpp>
#include <string>

#include "net/basic_stream.h"
#include "net/tls_context.h"

namespace tidegate::net {

struct TlsState final : StreamState {
  TlsState(TcpSocket socket, std::shared_ptr<TlsContext> context)
      : context(std::move(context)), stream(std::move(socket), this->context->asio()) {}
  TcpSocket& lowest() override { return stream.next_layer(); }
  auto& transport() { return stream; }

  // Asio's TLS operations go on decrypting and encrypting after the socket was closed, when the caller's
  // buffers may be gone: they get these.
  boost::asio::mutable_buffer inbox(std::span<char> into) {
    received.resize(std::min(into.size(), kMaxRead));
    return boost::asio::buffer(received);
  }
  void taken(std::span<char> into, std::size_t bytes) { std::copy_n(received.data(), bytes, into.data()); }
  boost::asio::const_buffer outgoing(std::span<const std::string_view> parts) {
    sending.clear();
    for (const auto part : parts) sending.append(part);
    return boost::asio::buffer(sending);
  }
  static constexpr std::size_t kMaxRead = 16 * 1024;  // a TLS record holds no more

  std::shared_ptr<TlsContext> context;
  boost::asio::ssl::stream<TcpSocket> stream;
  std::string received, sending;
};

// For a connection whose handshake is done.
std::unique_ptr<Stream> make_tls_stream(std::shared_ptr<TlsState> state);

}  // namespace tidegate::net
