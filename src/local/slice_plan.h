// SPDX-License-Identifier: Apache-2.0
// The EndpointSlices of a Service, computed from it and its pods. Pods that give a named targetPort different
// numbers go to different slices. Thread: none; pure.
#pragma once

#include <string>
#include <vector>

#include "api/core.h"

namespace tidegate::local {

inline constexpr std::string_view kSliceManager = "endpointslice-controller.tidegate.dev";
inline constexpr std::string_view kServiceNameLabel = "kubernetes.io/service-name";
inline constexpr std::string_view kManagedByLabel = "endpointslice.kubernetes.io/managed-by";

// Whole documents without resourceVersion, with names that stay: the first is the Service's main one. `pods`:
// those of its namespace; the selector is applied here. `main_ports`: those of the main slice as it stands
// ("null" at first), which keeps its ports while any pod has them.
std::vector<Json> plan_slices(const api::Service& service, const std::vector<const api::Pod*>& pods,
                              const Json& main_ports);

std::string main_slice_name(const api::Service& service);

}  // namespace tidegate::local
