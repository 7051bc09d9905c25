// SPDX-License-Identifier: Apache-2.0
// The three columns of `kubectl get pods` that sum up containers. Pure. Thread: any.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/json.h"

namespace tidegate::apiserver::schema {

std::string pod_ready(const Json& pod);   // "1/2": containers that are ready, containers
std::string pod_status(const Json& pod);  // the phase, or what keeps a container from running
std::string pod_restarts(const Json& pod, TimePoint now);  // "3 (2m ago)"

}  // namespace tidegate::apiserver::schema
