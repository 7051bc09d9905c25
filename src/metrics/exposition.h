// SPDX-License-Identifier: Apache-2.0
// The process's own metrics and their text form for /metrics. Families of the data plane come as
// prometheus::Collectable; what the control plane counts uses the registry. Thread: control, save where a
// Collectable says otherwise.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Collectable;
class Registry;
}  // namespace prometheus

namespace tidegate::metrics {

class Exposition {
 public:
  Exposition();
  ~Exposition();
  prometheus::Registry& registry();
  void add(std::shared_ptr<prometheus::Collectable> source);
  std::string text() const;  // Prometheus text format 0.0.4

 private:
  std::shared_ptr<prometheus::Registry> registry_;
  std::vector<std::shared_ptr<prometheus::Collectable>> sources_;
};

}  // namespace tidegate::metrics
