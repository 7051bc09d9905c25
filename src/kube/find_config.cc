// SPDX-License-Identifier: Apache-2.0
// From where the process runs to a ClientConfig: files, environment, host names.
#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "kube/client.h"
#include "kube/credentials.h"
#include "kube/kubeconfig.h"

namespace tidegate::kube {

namespace {

constexpr const char* kServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

Result<net::Address> resolve(const std::string& host, std::uint16_t port) {
  boost::system::error_code failed;
  if (const auto ip = asio::ip::make_address(host, failed); !failed)
    return net::Address{ip.to_string(), port};
  asio::io_context io;
  asio::ip::tcp::resolver resolver(io);
  const auto found = resolver.resolve(host, std::to_string(port), failed);
  if (!failed && !found.empty()) return net::Address{found.begin()->endpoint().address().to_string(), port};
  return Error{ErrorCode::kUnavailable, "host \"" + host + "\" can't be resolved: " + failed.message()};
}

// The first that exists of $KUBECONFIG's list; the first where none does, for the error to name it.
std::string first_existing(const std::string& list) {
  const auto paths = text::split(list, ':');
  for (const auto path : paths) {
    std::error_code ignored;
    if (!path.empty() && std::filesystem::exists(path, ignored)) return std::string(path);
  }
  return std::string(paths.front());
}

}  // namespace

Result<ClientConfig> to_client_config(const Kubeconfig& config) {
  auto address = resolve(config.server.host, config.server.port);
  if (!address) return address.error();
  ClientConfig out;
  out.address = std::move(*address);
  out.authority = config.server.authority;
  out.path_prefix = config.server.path;
  out.server_name = config.tls_server_name.empty() ? config.server.host : config.tls_server_name;
  out.bearer_token = config.token;
  out.bearer_token_file = config.token_file;
  if (!config.server.tls) return out;
  net::ClientTlsOptions options;
  options.ca_pem = config.ca_pem;
  options.identity = config.identity;
  options.verify_peer = !config.insecure_skip_tls_verify;
  auto tls = net::make_client_tls(options);
  if (!tls) return tls.error();
  out.tls = std::move(*tls);
  return out;
}

Result<ClientConfig> load_kubeconfig(const std::string& path) {
  auto text = read_credential(path);
  if (!text) return context("kubeconfig", std::move(text).error());
  auto config = parse_kubeconfig(*text, path, read_credential);
  if (!config) return config.error();
  auto client = to_client_config(*config);
  if (client) return client;
  return context("kubeconfig " + path, std::move(client).error());
}

Result<ClientConfig> in_cluster_config() {
  const auto host = environment("KUBERNETES_SERVICE_HOST");
  const auto port = text::parse_int(environment("KUBERNETES_SERVICE_PORT"));
  if (host.empty()) return Error{ErrorCode::kNotFound, "KUBERNETES_SERVICE_HOST is not set: not in a pod"};
  if (!port || *port < 1 || *port > 65535) {
    return Error{ErrorCode::kInvalid, "KUBERNETES_SERVICE_PORT is \"" +
                                          environment("KUBERNETES_SERVICE_PORT") + "\", expected a port"};
  }
  Kubeconfig config;
  config.server.host = host;
  config.server.port = static_cast<std::uint16_t>(*port);
  config.server.authority = net::to_string(net::Address{host, config.server.port});
  config.token_file = std::string(kServiceAccount) + "token";
  auto ca = read_credential(std::string(kServiceAccount) + "ca.crt");
  if (!ca) return context("in-cluster configuration", std::move(ca).error());
  config.ca_pem = std::move(*ca);
  return to_client_config(config);
}

Result<ClientConfig> find_config(const std::string& kubeconfig_flag) {
  if (!kubeconfig_flag.empty()) return load_kubeconfig(kubeconfig_flag);
  if (const auto list = environment("KUBECONFIG"); !list.empty())
    return load_kubeconfig(first_existing(list));
  if (!environment("KUBERNETES_SERVICE_HOST").empty()) return in_cluster_config();
  const auto home = environment("HOME");
  if (home.empty())
    return Error{ErrorCode::kNotFound, "no kubeconfig: --kubeconfig, KUBECONFIG and HOME are all unset"};
  return load_kubeconfig(home + "/.kube/config");
}

}  // namespace tidegate::kube
