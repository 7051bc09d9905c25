// SPDX-License-Identifier: Apache-2.0
// TLS settings (OpenSSL, TLS 1.2 and up) and the certificates that one-machine set-ups make for themselves.
// Thread: contexts are immutable after their making and may be shared by threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace tidegate::net {

class TlsContext;  // an SSL_CTX; opaque

struct KeyPair {
  std::string certificate_pem;  // leaf first, then intermediates
  std::string private_key_pem;
  friend bool operator==(const KeyPair&, const KeyPair&) = default;
};

struct ServerTlsOptions {
  KeyPair identity;
  std::string client_ca_pem;  // non-empty: client certificates are verified against it
  bool require_client_certificate = false;
  std::vector<std::string> alpn = {
      "http/1.1"};  // in order of preference; empty: whatever is offered is not answered
};
Result<std::shared_ptr<TlsContext>> make_server_tls(const ServerTlsOptions& options);

// Several certificates behind one port, chosen by the name that the client asks for (SNI). A name that none
// of them takes ends the handshake with unrecognized_name; a client that names none gets the first. Errors
// name the host name. `identities` is not empty. Offers HTTP/2, then HTTP/1.1.
struct NamedIdentity {
  std::string hostname;  // exact, "*.example.com" for any number of labels, or empty: any
  KeyPair identity;
  friend bool operator==(const NamedIdentity&, const NamedIdentity&) = default;
};
Result<std::shared_ptr<TlsContext>> make_server_tls(const std::vector<NamedIdentity>& identities);

struct ClientTlsOptions {
  std::string ca_pem;  // empty: the system's roots
  KeyPair identity;    // empty: none
  bool verify_peer = true;
  // Subject alternative names. Where there are any, the server's certificate must have one of them, in place
  // of the name that is connected to.
  std::vector<std::string> dns_names, uris;
  std::vector<std::string> alpn = {"http/1.1"};
};
Result<std::shared_ptr<TlsContext>> make_client_tls(const ClientTlsOptions& options);

// ECDSA P-256. `days` of validity from `now` (less an hour, for clocks that are behind).
struct CertificateRequest {
  std::string common_name;
  std::string organization;  // Kubernetes: the group
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  std::vector<std::string> uris;
  bool client = false;  // extended key usage: client, else server
  int days = 365;
};
Result<KeyPair> make_certificate_authority(const std::string& common_name, TimePoint now);
Result<KeyPair> make_certificate(const KeyPair& authority, const CertificateRequest& request, TimePoint now);

}  // namespace tidegate::net
