// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/asio/ssl/stream.hpp>

#include "net/basic_stream.h"
#include "net/tls_stream.h"

namespace tidegate::net {
namespace {

struct AsioTls final : StreamState, TlsConnection, std::enable_shared_from_this<AsioTls> {
  AsioTls(TcpSocket socket, std::shared_ptr<TlsContext> context, TlsRole role)
      : StreamState(socket.peer_address()),
        role(role),
        context(std::move(context)),
        stream(std::move(socket).to_asio(), this->context->asio()) {}

  AsioSocket& lowest() override { return stream.next_layer(); }
  auto& transport() { return stream; }
  SSL* ssl() override { return stream.native_handle(); }
  void shake_hands(std::function<void(const boost::system::error_code&)> done) override;
  void close() override { StreamState::close(); }
  std::unique_ptr<Stream> open() override;

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

  const TlsRole role;
  std::shared_ptr<TlsContext> context;
  boost::asio::ssl::stream<AsioSocket> stream;
  std::string received, sending;
};

class AsioTlsStream final : public BasicStream<AsioTls> {
 public:
  explicit AsioTlsStream(std::shared_ptr<AsioTls> state)
      : BasicStream(std::move(state)), names_(state_->ssl()) {}

  void shutdown_write() override {
    state_->stream.async_shutdown([state = state_](auto) {});
  }
  std::string_view alpn() const override { return names_.alpn; }
  std::string_view server_name() const override { return names_.server_name; }
  std::string_view peer_common_name() const override { return names_.peer_common_name; }
  std::shared_ptr<const ClientProof> client_proof() const override { return names_.client_proof; }

 private:
  const TlsNames names_;
};

void AsioTls::shake_hands(std::function<void(const boost::system::error_code&)> done) {
  using Base = boost::asio::ssl::stream_base;
  stream.async_handshake(role == TlsRole::kServer ? Base::server : Base::client,
                         [self = shared_from_this(), done = std::move(done)](auto error) {
                           if (!self->closed) done(error);
                         });
}

std::unique_ptr<Stream> AsioTls::open() { return std::make_unique<AsioTlsStream>(shared_from_this()); }

}  // namespace

TlsConnectionPtr make_asio_tls(TcpSocket socket, std::shared_ptr<TlsContext> context, TlsRole role) {
  return std::make_shared<AsioTls>(std::move(socket), std::move(context), role);
}

}  // namespace tidegate::net
