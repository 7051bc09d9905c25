// SPDX-License-Identifier: Apache-2.0
// The gateway's pure core: from the cluster's objects to the routing table that the proxies serve and the
// statuses that tell people about it. Total (invariant I2): a broken object yields problems and costs only
// its own traffic. Equal input gives equal output. Not: published or written here (controller.h). Thread:
// none; pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/backends.h"
#include "gateway/cluster_state.h"
#include "gateway/problems.h"
#include "gateway/statuses.h"
#include "routing/table.h"

namespace tidegate::gateway {

struct TranslateOptions {
  std::string controller_name = "tidegate.dev/gateway-controller";  // classes that name it are ours
  std::string address_pool = "127.77.0.0/16";                       // IPv4; asserted to be well-formed
};

struct Translation {
  routing::Table table;  // generation 0: whoever publishes counts
  Statuses statuses;     // of everything that is ours, whether it differs from what stands or not
  std::map<api::Key, std::vector<std::string>> assigned;  // to be handed in again: ClusterState::assigned
  std::vector<Problem> problems;                          // of all objects, in a stable order
};

Translation translate(const ClusterState& state, const TranslateOptions& options);

// What a translation is made of on the way, for changes to go on from (translator.h).
struct Workings {
  Graph graph;
  std::optional<Backends> backends;     // points into `graph` and to the state
  std::vector<std::uint32_t> position;  // in the table, of those
};
Translation translate(const ClusterState& state, const TranslateOptions& options, Workings& workings);

void reindex(routing::Rule& rule, const std::vector<std::uint32_t>& position);
std::vector<Problem> all_problems(const Graph& graph);

}  // namespace tidegate::gateway
