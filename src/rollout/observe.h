// SPDX-License-Identifier: Apache-2.0
// From caches to an Observation: the part of the cluster that belongs to one Rollout. Thread: control; reads
// only.
#pragma once

#include <set>
#include <string>

#include "metrics/traffic.h"
#include "rollout/cluster.h"
#include "rollout/observation.h"

namespace tidegate::rollout {

// `traffic` may be null: no proxies of ours.
Observation observe(const api::Rollout& rollout, const Cluster& cluster,
                    const metrics::TrafficSource* traffic, TimePoint now);

// Of two slots: what stands in the one that this Service is, empty: nothing that matters; and both as sets.
std::string slot_revision(const api::Rollout& rollout, const std::string& service);
void count_slots(const api::Rollout& rollout, Observation& seen);

// A route as the Rollout sees it; without what the data plane says.
SeenRoute read_route(const api::Rollout& rollout, const api::RouteReference& reference, const Json& route);
// Why the data plane does not serve this generation of the route (empty: it does), by its status and, with
// proxies of ours, by what they acknowledge.
std::string why_not_served(const std::string& kind, const Json& route, const api::Meta& meta,
                           const metrics::TrafficSource* traffic);

bool looks_at_pods(const api::Rollout& rollout);
bool uses_templates(const api::Rollout& rollout);
bool owned_by(const api::Meta& meta, const api::Rollout& rollout);

}  // namespace tidegate::rollout
