// SPDX-License-Identifier: Apache-2.0
// The rows of the provider table, one a file. Private to this folder. Thread: none; pure.
#pragma once

#include "metrics/providers/provider.h"

namespace tidegate::metrics::providers {

extern const Provider kPrometheus, kWeb, kDatadog, kNewRelic, kCloudWatch, kGraphite, kInfluxdb;

}  // namespace tidegate::metrics::providers
