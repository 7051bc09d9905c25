// SPDX-License-Identifier: Apache-2.0
#include "metrics/exposition.h"

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>

namespace tidegate::metrics {

Exposition::Exposition() : registry_(std::make_shared<prometheus::Registry>()) {
  sources_.push_back(registry_);
}
Exposition::~Exposition() = default;

prometheus::Registry& Exposition::registry() { return *registry_; }

void Exposition::add(std::shared_ptr<prometheus::Collectable> source) {
  sources_.push_back(std::move(source));
}

// Families by name, so that two scrapes differ in what changed alone.
std::string Exposition::text() const {
  std::vector<prometheus::MetricFamily> families;
  for (const auto& source : sources_) {
    auto collected = source->Collect();
    std::move(collected.begin(), collected.end(), std::back_inserter(families));
  }
  std::erase_if(families, [](const auto& family) { return family.metric.empty(); });
  std::stable_sort(families.begin(), families.end(),
                   [](const auto& a, const auto& b) { return a.name < b.name; });
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace tidegate::metrics
