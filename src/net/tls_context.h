// SPDX-License-Identifier: Apache-2.0
// The SSL_CTX behind net::TlsContext. Private to net/. Thread: immutable once made.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/tls.h"

namespace tidegate::net {

class TlsContext {
 public:
  TlsContext(bool server, bool verify_peer)
      : context_(server ? kServer : kClient), verify_peer_(verify_peer) {}

  boost::asio::ssl::context& asio() { return context_; }
  SSL_CTX* native() { return context_.native_handle(); }
  bool verify_peer() const { return verify_peer_; }
  // Contexts by SNI, as make_server_tls() takes the names; null: this one.
  std::map<std::string, std::shared_ptr<TlsContext>, std::less<>>& by_name() { return by_name_; }
  // What the peer's certificate must have one of; all empty: the name that is connected to.
  struct Identities {
    std::vector<std::string> dns_names, uris;
    bool empty() const { return dns_names.empty() && uris.empty(); }
  };
  Identities& identities() { return identities_; }
  // Of sessions: what a client must have proven to resume one (server).
  std::string& scope() { return scope_; }
  // Lets nobody in (server).
  bool& refuses() { return refuses_; }
  std::string& alpn_wire() { return alpn_wire_; }  // length-prefixed protocol names, as TLS sends them

 private:
  static constexpr auto kServer = boost::asio::ssl::context::tls_server;
  static constexpr auto kClient = boost::asio::ssl::context::tls_client;
  boost::asio::ssl::context context_;
  bool verify_peer_, refuses_ = false;
  std::string alpn_wire_, scope_;
  Identities identities_;
  std::map<std::string, std::shared_ptr<TlsContext>, std::less<>> by_name_;
};

// Server: a ClientHello chooses among by_name(), and which sessions may be resumed. The context stays put.
void choose_by_hello(TlsContext& context);

// The one for clients that ask for this name (empty: for none); null: there is none.
TlsContext* find_by_name(TlsContext& context, const std::string& name);

// Server: asks clients for certificates, as the options have it.
Result<void> ask_for_certificate(TlsContext& context, const ServerTlsOptions& options);

// Null: the peer is no client, or has no certificate that was verified.
std::shared_ptr<const ClientProof> proof_of(SSL* ssl);
// Why the handshake of this client has failed; empty: not for its certificate.
std::string certificate_fault(SSL* ssl, const boost::system::error_code& error);

}  // namespace tidegate::net
