// SPDX-License-Identifier: Apache-2.0
// kubeconfig files, as far as this client can use them: the current context's server, CA, client certificate
// or token, inline or as files. What would need another program (exec, auth-provider) or a proxy is refused
// by name. Merging several files is not done. Thread: any; pure but for what `read` does.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kube/client.h"
#include "net/tls.h"

namespace tidegate::kube {

struct ServerUrl {
  bool tls = true;
  std::string authority;  // as written: "[::1]:6443"
  std::string host;       // without brackets
  std::uint16_t port = 443;
  std::string path;  // without a slash at its end
  friend bool operator==(const ServerUrl&, const ServerUrl&) = default;
};
Result<ServerUrl> parse_server_url(std::string_view url);

struct Kubeconfig {
  ServerUrl server;
  std::string tls_server_name;  // empty: the host
  std::string ca_pem;           // empty: the system's roots
  bool insecure_skip_tls_verify = false;
  net::KeyPair identity;
  std::string token, token_file;
};
// `path` names the file in errors; relative paths in it start from its folder. `read` gets whole paths.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;
Result<Kubeconfig> parse_kubeconfig(std::string_view text, const std::string& path, const ReadFile& read);

// Resolves the host (blocking) and makes the TLS context.
Result<ClientConfig> to_client_config(const Kubeconfig& config);

}  // namespace tidegate::kube
