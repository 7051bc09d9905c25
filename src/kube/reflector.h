// SPDX-License-Identifier: Apache-2.0
// Keeps a Sink equal to what the API server holds of one kind: list, then watch from there; lists again on
// kGone; backs off (bounded, jittered) while the server is away. Thread: control. Owns: its watch.
#pragma once

#include <functional>
#include <memory>

#include "kube/client.h"
#include "kube/store.h"

namespace tidegate::kube {

class Reflector {
 public:
  // `synced` is called once, after the first list. Starts at once; destroying it stops.
  Reflector(Client& client, api::Resource resource, ListOptions options, Sink& sink,
            std::function<void()> synced = {});
  ~Reflector();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tidegate::kube
