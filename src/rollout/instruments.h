// SPDX-License-Identifier: Apache-2.0
// tidegate_rollout_* on /metrics. Without a registry it does nothing. Thread: control.
#pragma once

#include <map>
#include <memory>

#include "rollout/decision.h"

namespace prometheus {
class Registry;
}

namespace tidegate::rollout {

class Instruments {
 public:
  explicit Instruments(prometheus::Registry* registry);
  ~Instruments();
  void show(const api::Rollout& rollout, const api::RolloutStatus& status);
  void count(const std::vector<Note>& notes);  // analysis runs that ended
  void forget(const api::Key& key);

 private:
  struct Families;
  struct Series;
  std::unique_ptr<Families> families_;
  std::map<api::Key, std::unique_ptr<Series>> series_;
};

}  // namespace tidegate::rollout
