// SPDX-License-Identifier: Apache-2.0
#include "gateway/served.h"

namespace tidegate::gateway {

Served served_by(const routing::Table& table,
                 const std::vector<std::pair<std::string, std::string>>& failed) {
  Served out;
  out.failed.insert(failed.begin(), failed.end());
  for (const auto& listener : table.listeners) {
    const std::string endpoint =
        endpoint_text(listener.address, listener.port, listener.protocol == routing::Protocol::kUdp);
    if (out.failed.contains(endpoint)) continue;
    const api::Key gateway{listener.gateway_ns, listener.gateway};
    out.listeners.insert({gateway, listener.name, endpoint});
    for (const routing::Rule& rule : listener.rules)
      out.routes[{gateway, listener.name, rule.route.kind, {rule.route.ns, rule.route.name}}] =
          rule.route.generation;
  }
  return out;
}

}  // namespace tidegate::gateway
