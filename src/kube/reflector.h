// SPDX-License-Identifier: Apache-2.0
// Keeps a Sink equal to what the API server holds of one kind: list, then watch from there; lists again on
// kGone; backs off (bounded, jittered) while the server is away. Thread: control. Owns: its watch.
#pragma once

#include <functional>
#include <memory>

#include "kube/client.h"
#include "kube/store.h"

namespace tidegate::kube {

// What a kind is that the API server does not know (404: its CRD is not there).
enum class Unknown {
  kAwaited,  // nothing is known until it is there
  kEmpty,    // there are no objects of it; looked for again, with back-off. Once listed, nothing is forgotten
             // for it
};

class Reflector {
 public:
  // `synced` is called once, after the first list. Starts at once; destroying it stops.
  Reflector(Client& client, api::Resource resource, ListOptions options, Sink& sink,
            std::function<void()> synced = {}, Unknown unknown = Unknown::kAwaited);
  ~Reflector();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tidegate::kube
