// SPDX-License-Identifier: Apache-2.0
#include "net/tls_stream.h"

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

class TlsStream final : public BasicStream<TlsState> {
 public:
  explicit TlsStream(std::shared_ptr<TlsState> state)
      : BasicStream(std::move(state)),
        alpn_(negotiated_alpn(state_->stream.native_handle())),
        server_name_(sent_server_name(state_->stream.native_handle())),
        peer_common_name_(verified_common_name(state_->stream.native_handle())) {}

  void shutdown_write() override {
    state_->stream.async_shutdown([state = state_](auto) {});
  }
  std::string_view alpn() const override { return alpn_; }
  std::string_view server_name() const override { return server_name_; }
  std::string_view peer_common_name() const override { return peer_common_name_; }

 private:
  std::string alpn_, server_name_, peer_common_name_;
};

// Closes the socket where the caller gives up, and is silent from then on.
class TlsHandshake final : public Handshake {
 public:
  explicit TlsHandshake(std::shared_ptr<TlsState> state) : state_(std::move(state)) {}
  ~TlsHandshake() override {
    if (auto state = state_.lock(); state && !*done_) state->close();
  }
  std::shared_ptr<bool> done() const { return done_; }

 private:
  std::weak_ptr<TlsState> state_;
  std::shared_ptr<bool> done_ = std::make_shared<bool>(false);
};

}  // namespace

std::unique_ptr<Stream> make_tls_stream(std::shared_ptr<TlsState> state) {
  return std::make_unique<TlsStream>(std::move(state));
}

std::unique_ptr<Handshake> accept_tls(TcpSocket socket, std::shared_ptr<TlsContext> context,
                                      StreamCallback done) {
  auto state = std::make_shared<TlsState>(std::move(socket), std::move(context));
  auto handshake = std::make_unique<TlsHandshake>(state);
  state->stream.async_handshake(boost::asio::ssl::stream_base::server,
                                [state, finished = handshake->done(), done = std::move(done)](auto error) {
                                  if (state->closed) return;
                                  *finished = true;
                                  if (error) return done(to_error("TLS handshake", error));
                                  done(make_tls_stream(state));
                                });
  return handshake;
}

}  // namespace tidegate::net
