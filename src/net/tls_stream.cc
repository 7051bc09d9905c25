// SPDX-License-Identifier: Apache-2.0
#include "net/tls_stream.h"

#include "net/errors.h"

namespace tidegate::net {
namespace {

std::string negotiated_alpn(SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned length = 0;
  ::SSL_get0_alpn_selected(ssl, &name, &length);
  return {reinterpret_cast<const char*>(name), length};
}

std::string sent_server_name(SSL* ssl) {
  const char* name = ::SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  return name ? name : "";
}

std::string verified_common_name(SSL* ssl) {
  const X509* certificate = ::SSL_get0_peer_certificate(ssl);
  if (!certificate || ::SSL_get_verify_result(ssl) != X509_V_OK) return {};
  const X509_NAME* subject = ::X509_get_subject_name(certificate);
  const int index = ::X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index < 0) return {};
  unsigned char* text = nullptr;
  const int length =
      ::ASN1_STRING_to_UTF8(&text, ::X509_NAME_ENTRY_get_data(::X509_NAME_get_entry(subject, index)));
  if (length < 0) return {};
  std::string name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(length));
  OPENSSL_free(text);
  return name;
}

// Closes the socket where the caller gives up, and is silent from then on.
class TlsHandshake final : public Handshake {
 public:
  explicit TlsHandshake(const TlsConnectionPtr& connection) : connection_(connection) {}
  ~TlsHandshake() override {
    if (auto connection = connection_.lock(); connection && !*done_) connection->close();
  }
  std::shared_ptr<bool> done() const { return done_; }

 private:
  std::weak_ptr<TlsConnection> connection_;
  std::shared_ptr<bool> done_ = std::make_shared<bool>(false);
};

}  // namespace

TlsNames::TlsNames(SSL* ssl)
    : alpn(negotiated_alpn(ssl)),
      server_name(sent_server_name(ssl)),
      peer_common_name(verified_common_name(ssl)),
      client_proof(proof_of(ssl)) {}

TlsConnectionPtr make_tls_connection(TcpSocket socket, std::shared_ptr<TlsContext> context, TlsRole role) {
  if (Poller* poller = Poller::of(socket.io()))
    return make_polled_tls(*poller, std::move(socket), std::move(context), role);
  return make_asio_tls(std::move(socket), std::move(context), role);
}

std::unique_ptr<Handshake> accept_tls(TcpSocket socket, std::shared_ptr<TlsContext> context,
                                      StreamCallback done) {
  const auto connection = make_tls_connection(std::move(socket), std::move(context), TlsRole::kServer);
  auto handshake = std::make_unique<TlsHandshake>(connection);
  connection->shake_hands([weak = std::weak_ptr(connection), finished = handshake->done(),
                           done = std::move(done)](const boost::system::error_code& error) {
    const auto connection = weak.lock();
    if (!connection) return;
    *finished = true;
    if (error) {
      const auto fault = certificate_fault(connection->ssl(), error);
      return done(fault.empty() ? to_error("TLS handshake", error)
                                : Error{ErrorCode::kForbidden, "TLS handshake: " + fault});
    }
    done(connection->open());
  });
  return handshake;
}

}  // namespace tidegate::net
