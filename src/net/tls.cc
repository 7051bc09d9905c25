// SPDX-License-Identifier: Apache-2.0
#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/pem.h"
#include "net/tls_context.h"
#include "net/tls_session.h"
#include "net/tls_tickets.h"

namespace tidegate::net {
namespace {

Error tls_error(const std::string& doing) {
  const unsigned long code = ::ERR_get_error();
  ::ERR_clear_error();
  const char* reason = code ? ::ERR_reason_error_string(code) : nullptr;
  return {ErrorCode::kInvalid, doing + (reason ? ": " + std::string(reason) : "")};
}

std::string alpn_wire(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const auto& protocol : protocols) {
    TIDEGATE_ASSERT(!protocol.empty() && protocol.size() < 256);
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

// RFC 7301 section 3.2: the server's preference; a client without a common protocol goes on without ALPN.
int select_alpn(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                unsigned in_length, void* argument) {
  const auto& ours = *static_cast<const std::string*>(argument);
  auto* chosen = const_cast<unsigned char**>(out);
  const int found =
      ::SSL_select_next_proto(chosen, out_length, reinterpret_cast<const unsigned char*>(ours.data()),
                              static_cast<unsigned>(ours.size()), in, in_length);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

Result<void> use_identity(TlsContext& context, const KeyPair& identity) {
  auto chain = read_certificates(identity.certificate_pem);
  if (!chain) return tidegate::context("certificate", chain.error());
  auto key = read_private_key(identity.private_key_pem);
  if (!key) return tidegate::context("private key", key.error());
  SSL_CTX* native = context.native();
  if (::SSL_CTX_use_certificate(native, chain->front().get()) != 1) return tls_error("certificate");
  for (std::size_t i = 1; i < chain->size(); ++i) {
    if (::SSL_CTX_add1_chain_cert(native, (*chain)[i].get()) != 1) return tls_error("certificate chain");
  }
  if (::SSL_CTX_use_PrivateKey(native, key->get()) != 1) return tls_error("private key");
  if (::SSL_CTX_check_private_key(native) != 1)
    return tls_error("the private key does not belong to the certificate");
  return {};
}

Result<void> trust(TlsContext& context, const std::string& ca_pem) {
  auto authorities = read_certificates(ca_pem);
  if (!authorities) return tidegate::context("CA certificate", authorities.error());
  X509_STORE* store = ::SSL_CTX_get_cert_store(context.native());
  for (const auto& authority : *authorities) ::X509_STORE_add_cert(store, authority.get());
  return {};
}

void set_common(TlsContext& context) {
  ::SSL_CTX_set_min_proto_version(context.native(), TLS1_2_VERSION);
  ::SSL_CTX_set_mode(context.native(), SSL_MODE_RELEASE_BUFFERS);
  ::SSL_CTX_set_options(context.native(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
}

}  // namespace

Result<std::shared_ptr<TlsContext>> make_server_tls(const ServerTlsOptions& options) {
  auto context = std::make_shared<TlsContext>(true, !options.client_ca_pem.empty());
  set_common(*context);
  if (auto used = use_identity(*context, options.identity); !used) return used.error();
  if (auto asked = ask_for_certificate(*context, options); !asked) return asked.error();
  // Resumed where the client would be asked for the same.
  allow_resumption(*context, options.client_ca_pem + (options.require_client_certificate ? "!" : "?") +
                                 (options.take_any_certificate ? "*" : ""));
  choose_by_hello(*context);
  if (options.alpn.empty()) return context;
  context->alpn_wire() = alpn_wire(options.alpn);
  ::SSL_CTX_set_alpn_select_cb(context->native(), select_alpn, &context->alpn_wire());
  return context;
}

std::shared_ptr<TlsContext> make_refusing_tls() {
  auto context = std::make_shared<TlsContext>(true, false);
  context->refuses() = true;
  choose_by_hello(*context);
  return context;
}

Result<std::shared_ptr<TlsContext>> make_client_tls(const ClientTlsOptions& options) {
  auto context = std::make_shared<TlsContext>(false, options.verify_peer);
  set_common(*context);
  if (options.ca_pem.empty()) {
    ::SSL_CTX_set_default_verify_paths(context->native());
  } else if (auto trusted = trust(*context, options.ca_pem); !trusted) {
    return trusted.error();
  }
  if (!options.identity.certificate_pem.empty()) {
    if (auto used = use_identity(*context, options.identity); !used) return used.error();
  }
  ::SSL_CTX_set_verify(context->native(), options.verify_peer ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  keep_sessions(context->native());
  context->identities() = {options.dns_names, options.uris};
  const std::string wire = alpn_wire(options.alpn);
  ::SSL_CTX_set_alpn_protos(context->native(), reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned>(wire.size()));
  return context;
}

}  // namespace tidegate::net
