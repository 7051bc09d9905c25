// SPDX-License-Identifier: Apache-2.0
#include <openssl/x509v3.h>

#include <algorithm>

#include "net/errors.h"
#include "net/tls_session.h"
#include "net/tls_stream.h"

namespace tidegate::net {
namespace {

using Identities = TlsContext::Identities;

bool has_uri(X509* certificate, const std::vector<std::string>& uris) {
  auto* names =
      static_cast<GENERAL_NAMES*>(::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  bool found = false;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_URI) continue;
    const ASN1_STRING* text = name->d.uniformResourceIdentifier;
    const std::string_view uri(reinterpret_cast<const char*>(::ASN1_STRING_get0_data(text)),
                               static_cast<std::size_t>(::ASN1_STRING_length(text)));
    found = found || std::find(uris.begin(), uris.end(), uri) != uris.end();
  }
  ::GENERAL_NAMES_free(names);
  return found;
}

// No common names: RFC 9525 section 2 knows subject alternative names alone.
bool is_any_of(SSL* ssl, const Identities& wanted) {
  X509* certificate = ::SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr) return false;
  const auto is = [&](const std::string& name) {
    return ::X509_check_host(certificate, name.data(), name.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                             nullptr) == 1;
  };
  return std::any_of(wanted.dns_names.begin(), wanted.dns_names.end(), is) ||
         has_uri(certificate, wanted.uris);
}

// Connects, shakes hands, hands over. Keeps itself alive by its pending operation; muted once the caller's
// handle is gone.
class Connecting : public std::enable_shared_from_this<Connecting> {
 public:
  Connecting(asio::io_context& io, const ConnectOptions& options, StreamCallback done)
      : socket_(io.get_executor()), options_(options), done_(std::move(done)) {}

  void start();
  void give_up();

 private:
  void connected(const boost::system::error_code& error);
  void shake_hands(TcpSocket socket);
  void finish(Result<std::unique_ptr<Stream>> result) {
    if (auto done = std::exchange(done_, nullptr)) done(std::move(result));
  }

  AsioSocket socket_;
  asio::ip::tcp::endpoint endpoint_;
  ConnectOptions options_;
  StreamCallback done_;
  TlsConnectionPtr tls_;
};

void Connecting::start() {
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(options_.address.ip, error);
  if (error) {
    asio::post(socket_.get_executor(), [self = shared_from_this()] {
      self->finish(Error{ErrorCode::kInvalid, "\"" + self->options_.address.ip + "\" is not an IP address"});
    });
    return;
  }
  endpoint_ = {ip, options_.address.port};
  socket_.async_connect(endpoint_, [self = shared_from_this()](auto error) { self->connected(error); });
}

void Connecting::give_up() {
  done_ = nullptr;
  boost::system::error_code ignored;
  socket_.close(ignored);
  if (tls_) tls_->close();
}

void Connecting::connected(const boost::system::error_code& error) {
  if (!done_) return;
  if (error) return finish(to_error("connect to " + to_string(options_.address), error));
  auto socket = TcpSocket::of(std::move(socket_), endpoint_);
  if (options_.tls) return shake_hands(std::move(socket));
  finish(make_tcp_stream(std::move(socket)));
}

void Connecting::shake_hands(TcpSocket socket) {
  tls_ = make_tls_connection(std::move(socket), options_.tls, TlsRole::kClient);
  SSL* ssl = tls_->ssl();
  const std::string& name = options_.server_name;
  X509_VERIFY_PARAM* verify = ::SSL_get0_param(ssl);
  // RFC 6066 section 3: no literal addresses in SNI; they are verified as addresses.
  if (::X509_VERIFY_PARAM_set1_ip_asc(verify, name.c_str()) != 1 && !name.empty()) {
    ::SSL_set_tlsext_host_name(ssl, name.c_str());
    ::X509_VERIFY_PARAM_set1_host(verify, name.c_str(), name.size());
  }
  if (!options_.tls->identities().empty()) {  // is_any_of() looks at them in place of the name
    ::X509_VERIFY_PARAM_set1_ip(verify, nullptr, 0);
    ::X509_VERIFY_PARAM_set1_host(verify, nullptr, 0);
  }
  if ((tls_->session = options_.session)) tls_->session->serve(ssl);
  tls_->shake_hands([self = shared_from_this()](const boost::system::error_code& error) {
    if (!self->done_) return;
    const auto tls = std::exchange(self->tls_, nullptr);
    const std::string doing = "TLS handshake with " + to_string(self->options_.address);
    if (error && tls->session) tls->session->forget();
    if (error) return self->finish(to_error(doing, error));
    auto& identities = self->options_.tls->identities();
    if (!identities.empty() && !is_any_of(tls->ssl(), identities)) {
      return self->finish(Error{ErrorCode::kUnavailable,
                                doing + ": its certificate has none of the names that are expected"});
    }
    self->finish(tls->open());
  });
}

class ConnectHandle final : public Handshake {
 public:
  explicit ConnectHandle(std::weak_ptr<Connecting> connecting) : connecting_(std::move(connecting)) {}
  ~ConnectHandle() override {
    if (auto connecting = connecting_.lock()) connecting->give_up();
  }

 private:
  std::weak_ptr<Connecting> connecting_;
};

}  // namespace

std::unique_ptr<Handshake> connect(asio::io_context& io, const ConnectOptions& options, StreamCallback done) {
  auto connecting = std::make_shared<Connecting>(io, options, std::move(done));
  connecting->start();
  return std::make_unique<ConnectHandle>(connecting);
}

}  // namespace tidegate::net
