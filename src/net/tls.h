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

// Authorities of clients are trust anchors, whether they are roots or not. A client's certificate must be for
// that (extended key usage clientAuth, where it names any) and within its time.
struct ServerTlsOptions {
  KeyPair identity;
  std::string client_ca_pem;  // non-empty: clients are asked for certificates, which are verified against it
  bool require_client_certificate = false;
  std::vector<std::string> alpn = {
      "http/1.1"};                    // in order of preference; empty: whatever is offered is not answered
  bool take_any_certificate = false;  // one that can't be verified counts as none
};
Result<std::shared_ptr<TlsContext>> make_server_tls(const ServerTlsOptions& options);

// Several certificates behind one port, chosen by the name that the client asks for (SNI). A name that none
// of them takes ends the handshake with unrecognized_name; a client that names none gets the first. Errors
// name the host name. `identities` is not empty. Offers HTTP/2, then HTTP/1.1.
struct NamedIdentity {
  std::string hostname;  // exact, "*.example.com" for any number of labels, or empty: any
  KeyPair identity;
  std::string client_ca_pem = {};       // non-empty: clients need a certificate of one of these ...
  bool clients_may_go_without = false;  // ... or are let in without, and with one that can't be verified
  friend bool operator==(const NamedIdentity&, const NamedIdentity&) = default;
};
Result<std::shared_ptr<TlsContext>> make_server_tls(const std::vector<NamedIdentity>& identities);

// Ends every handshake, and admits nobody: for those who have lost what they should serve with.
std::shared_ptr<TlsContext> make_refusing_tls();

// What a client has proven in its handshake: its certificates, which were verified then. Opaque. Thread: any.
class ClientProof;

// Whether who has proven that (null: nothing) to an earlier context would also be let in by this one, under
// the name that it asked for. Of a client that resumed its session the intermediate certificates are not
// known: it has to begin anew where they are needed.
bool admits(TlsContext& server, const std::string& server_name, const ClientProof* proof);

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
