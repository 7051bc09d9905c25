// SPDX-License-Identifier: Apache-2.0
#include "gateway/complaints.h"

namespace tidegate::gateway {

void Complaints::update(const std::vector<Problem>& problems, const Stores& stores) {
  std::map<ObjectId, std::vector<const Problem*>> by_object;
  for (const auto& problem : problems) {
    if (row(problem.reason).severity == Severity::kError)
      by_object[{problem.kind, problem.object}].push_back(&problem);
  }
  std::map<ObjectId, std::string> now;
  for (const auto& [id, list] : by_object) {
    const std::string& text = now[id] = message(list);
    const auto before = told_.find(id);
    if (before == told_.end() || before->second != text) tell(id, *list.front(), text, stores);
  }
  told_ = std::move(now);
}

void Complaints::tell(const ObjectId& id, const Problem& first, const std::string& text,
                      const Stores& stores) const {
  const auto about = [&](const api::Resource& resource, const auto& store) {
    if (id.first != resource.kind) return;
    if (const auto object = store.get(id.second)) tell_(resource, object->meta, row(first.reason).text, text);
  };
  about(api::kGatewayClasses, stores.classes);
  about(api::kGateways, stores.gateways);
  about(api::kHttpRoutes, stores.http_routes);
  about(api::kGrpcRoutes, stores.grpc_routes);
  about(api::kTlsRoutes, stores.tls_routes);
  about(api::kTcpRoutes, stores.tcp_routes);
  about(api::kUdpRoutes, stores.udp_routes);
  about(api::kBackendTlsPolicies, stores.tls_policies);
}

}  // namespace tidegate::gateway
