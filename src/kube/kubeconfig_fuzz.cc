// SPDX-License-Identifier: Apache-2.0
// Any bytes are a kubeconfig or an error that says why not; what is accepted names a server that reads back
// the same.
#include <cstdint>

#include "base/assert.h"
#include "kube/kubeconfig.h"

namespace kube = tidegate::kube;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const kube::ReadFile read = [](const std::string& path) {
    return tidegate::Result<std::string>("file " + path);
  };
  const auto config = kube::parse_kubeconfig(text, "/etc/tidegate/kubeconfig", read);
  if (!config) {
    TIDEGATE_ASSERT(!config.error().detail.empty());
    return 0;
  }
  const auto& server = config->server;
  const std::string url = std::string(server.tls ? "https://" : "http://") + server.authority + server.path;
  const auto again = kube::parse_server_url(url);
  TIDEGATE_ASSERT(again.has_value() && *again == server);
  return 0;
}
