// SPDX-License-Identifier: Apache-2.0
// GEP-3155: the certificate that a Gateway shows to backends over TLS. Without it, where one is asked for, it
// sends them nothing: they would take its requests for somebody else's. Thread: none; pure.
#pragma once

#include <vector>

#include "gateway/graph.h"

namespace tidegate::gateway {

void check_client_certificate(const ClusterState& state, GatewayNode& node);

// What is shown to a backend depends on the Gateway: backends over TLS get one more entry of the table for
// each identity, which the rules of those Gateways lead to. Lives for the making of one table.
class IdentifiedBackends {
 public:
  explicit IdentifiedBackends(std::vector<routing::Backend>& backends)
      : backends_(backends), common_(backends.size()) {}

  void lead_there(const GatewayNode& gateway, std::vector<routing::Rule>& rules);

 private:
  std::uint32_t of(const GatewayNode& gateway, std::uint32_t backend);

  std::vector<routing::Backend>& backends_;
  const std::size_t common_;  // of them are as their policies say
  using Id = std::tuple<std::optional<routing::ClientIdentity>, std::string, std::uint32_t>;
  std::map<Id, std::uint32_t> made_;
};

}  // namespace tidegate::gateway
