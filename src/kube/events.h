// SPDX-License-Identifier: Apache-2.0
// Kubernetes Events about objects: repeated ones are counted up (series) instead of written anew, and at most
// 25 an object are written in a burst, refilled one every 5 s. Never blocks a reconcile: failures are logged
// and dropped. Thread: control.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "kube/client.h"

namespace tidegate::kube {

class EventRecorder {
 public:
  EventRecorder(Client& client, std::string component);
  ~EventRecorder();

  enum class Type { kNormal, kWarning };
  void record(const api::Resource& resource, const api::Meta& about, Type type, std::string_view reason,
              std::string_view message);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tidegate::kube
