// SPDX-License-Identifier: Apache-2.0
// What a Rollout asks of its metrics, as written by people. Thread: none; plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/field_reader.h"
#include "api/metric.h"

namespace tidegate::api {

struct Analysis {
  std::vector<Metric> metrics;
  std::int64_t starting_step = 0;
};

Analysis decode_analysis(const FieldReader& reader);

}  // namespace tidegate::api
