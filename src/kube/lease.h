// SPDX-License-Identifier: Apache-2.0
// Leader election by a coordination.k8s.io Lease, as client-go does it (15 s lease, 10 s renew deadline, 2 s
// retry). It elects, it does not fence: every write of a controller is guarded by resourceVersion as well
// (guarantee G9). A graceful stop hands the lease over at once (G14). Thread: control.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "kube/client.h"

namespace tidegate::kube {

class LeaderElection {
 public:
  struct Options {
    api::Key lease;        // {"tidegate-system", "tidegate-controller"}
    std::string identity;  // host name and a random part
    std::function<void()> started;
    std::function<void()> lost;  // the process should end
  };
  LeaderElection(Client& client, Options options);
  ~LeaderElection();
  Task<void> release();
  bool leading() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tidegate::kube
