// SPDX-License-Identifier: Apache-2.0
#include "metrics/exposition.h"

#include <gtest/gtest.h>
#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>

namespace tidegate::metrics {
namespace {

class OneGauge final : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override {
    prometheus::MetricFamily family{"a_gauge", "Something.", prometheus::MetricType::Gauge, {}};
    family.metric.emplace_back().gauge.value = 7;
    return {family, {"b_empty", "Nothing.", prometheus::MetricType::Gauge, {}}};
  }
};

TEST(Exposition, WritesRegistryAndSourcesByName) {
  Exposition exposition;
  prometheus::BuildCounter()
      .Name("b_total")
      .Help("Counted.")
      .Register(exposition.registry())
      .Add({})
      .Increment(2);
  exposition.add(std::make_shared<OneGauge>());
  EXPECT_EQ(exposition.text(),
            "# HELP a_gauge Something.\n# TYPE a_gauge gauge\na_gauge 7\n"
            "# HELP b_total Counted.\n# TYPE b_total counter\nb_total 2\n");
}

}  // namespace
}  // namespace tidegate::metrics
