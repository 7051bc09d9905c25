// SPDX-License-Identifier: Apache-2.0
// The API server's own certificates: a CA made once, a server and an admin pair signed by it, in
// DATA_DIR/pki, keys with mode 0600. Pairs are made anew at a start where they end within 30 days. Thread:
// control.
#pragma once

#include <string>

#include "base/clock.h"
#include "net/tls.h"

namespace tidegate::apiserver {

struct Pki {
  std::string ca_pem;
  net::KeyPair server;
  net::KeyPair admin;  // CN tidegate-admin, O system:masters
};

Result<Pki> open_pki(const std::string& dir, TimePoint now);

// A kubeconfig with everything inline.
std::string make_kubeconfig(const Pki& pki, const std::string& server_url);

}  // namespace tidegate::apiserver
