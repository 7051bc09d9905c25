// SPDX-License-Identifier: Apache-2.0
// Certificates that clients show: asked for and verified in the handshake, and again where the authorities
// change while the connection stays.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <boost/asio/ssl/error.hpp>

#include "base/text.h"
#include "net/asio.h"
#include "net/limits.h"
#include "net/pem.h"
#include "net/tls.h"
#include "net/tls_context.h"

namespace tidegate::net {

class ClientProof {
 public:
  explicit ClientProof(SSL* ssl) : leaf_(::SSL_get1_peer_certificate(ssl)) {
    if (STACK_OF(X509)* sent = ::SSL_get_peer_cert_chain(ssl)) others_.reset(::X509_chain_up_ref(sent));
  }
  X509* leaf() const { return leaf_.get(); }
  STACK_OF(X509) * others() const { return others_.get(); }

 private:
  struct FreeChain {
    void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
  };
  CertificatePtr leaf_;
  std::unique_ptr<STACK_OF(X509), FreeChain> others_;  // that the client has sent beside it
};

namespace {

constexpr const char* kOfClients = "ssl_client";  // OpenSSL's parameters: purpose and trust

// The connection's result keeps what was wrong, so that nobody takes the client for verified.
int take_any(int, X509_STORE_CTX*) { return 1; }

void name_authorities(SSL_CTX* native, const std::vector<CertificatePtr>& authorities) {
  std::size_t bytes = 0;
  for (const auto& authority : authorities) {
    const int size = ::i2d_X509_NAME(::X509_get_subject_name(authority.get()), nullptr);
    bytes += size > 0 ? static_cast<std::size_t>(size) : 0;
  }
  if (bytes > kAuthorityNameBytes) return;
  for (const auto& authority : authorities) ::SSL_CTX_add_client_CA(native, authority.get());
}

bool verify(X509_STORE* store, const ClientProof& proof) {
  const std::unique_ptr<X509_STORE_CTX, Freeing<X509_STORE_CTX_free>> context(::X509_STORE_CTX_new());
  return context && ::X509_STORE_CTX_init(context.get(), store, proof.leaf(), proof.others()) == 1 &&
         ::X509_STORE_CTX_set_default(context.get(), kOfClients) == 1 &&
         ::X509_verify_cert(context.get()) == 1;
}

}  // namespace

Result<void> ask_for_certificate(TlsContext& context, const ServerTlsOptions& options) {
  if (options.client_ca_pem.empty()) return {};
  const auto authorities = read_certificates(options.client_ca_pem);
  if (!authorities) return tidegate::context("CA certificate of clients", authorities.error());
  SSL_CTX* native = context.native();
  X509_STORE* store = ::SSL_CTX_get_cert_store(native);
  for (const auto& authority : *authorities) ::X509_STORE_add_cert(store, authority.get());
  // On the store, as connections have their own parameters from the context that they begin with.
  ::X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  ::X509_STORE_set_depth(store, kClientChainDepth);
  ::SSL_CTX_set_max_cert_list(native, static_cast<long>(kClientChainBytes));
  name_authorities(native, *authorities);
  const int required = options.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  ::SSL_CTX_set_verify(native, SSL_VERIFY_PEER | required, options.take_any_certificate ? take_any : nullptr);
  return {};
}

std::shared_ptr<const ClientProof> proof_of(SSL* ssl) {
  if (::SSL_is_server(ssl) == 0 || ::SSL_get0_peer_certificate(ssl) == nullptr ||
      ::SSL_get_verify_result(ssl) != X509_V_OK)
    return nullptr;
  return std::make_shared<const ClientProof>(ssl);
}

std::string certificate_fault(SSL* ssl, const boost::system::error_code& error) {
  if (::SSL_is_server(ssl) == 0) return {};
  const long result = ::SSL_get_verify_result(ssl);
  if (result != X509_V_OK && ::SSL_get_verify_callback(ssl) == nullptr)
    return std::string("the client's certificate is refused: ") + ::X509_verify_cert_error_string(result);
  const bool of_tls = error.category() == asio::error::get_ssl_category();
  return of_tls && ERR_GET_REASON(static_cast<unsigned long>(error.value())) ==
                       SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE
             ? "the client shows no certificate"
             : "";
}

bool admits(TlsContext& server, const std::string& server_name, const ClientProof* proof) {
  if (server.refuses()) return false;
  TlsContext* chosen = find_by_name(server, text::lower(server_name));
  if (chosen == nullptr) return true;  // nothing is served under this name
  SSL_CTX* native = chosen->native();
  if ((::SSL_CTX_get_verify_mode(native) & SSL_VERIFY_FAIL_IF_NO_PEER_CERT) == 0) return true;
  return proof != nullptr && verify(::SSL_CTX_get_cert_store(native), *proof);
}

}  // namespace tidegate::net
