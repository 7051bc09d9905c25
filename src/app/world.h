// SPDX-License-Identifier: Apache-2.0
// Everything that `tidegate up` runs, wired together: API server, gateway controller, proxy, Rollout
// controller, local runtime, admin port. No logic of its own. Tests build one in process. Thread: control.
// Owns: all of it, and the proxy's worker threads.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/manifests.h"
#include "net/event_loop.h"
#include "net/stream.h"
#include "net/task.h"

namespace tidegate::app {

struct WorldOptions {
  std::string data_dir;
  std::string kubeconfig;  // empty: DATA_DIR/kubeconfig
  net::Address api{"127.0.0.1", 6443};
  net::Address metrics{"127.0.0.1", 9464};
  std::string gateway_pool = "127.77.0.0/16";
  std::string pod_pool = "127.78.0.0/16";
  int workers = 1;
  std::string limits;                         // a file of proxy::Settings; empty: their defaults
  bool runtime = true;                        // pods as processes; false: endpoints are somebody else's
  std::string self_program;                   // what the image tidegate.dev/demo-app runs
  std::map<std::string, std::string> images;  // other images, by name without tag: their programs
};

class World {
 public:
  // All that can fail at the start fails here, before anything is served: the data dir, the database's lock,
  // both ports. One line an error.
  static Result<std::unique_ptr<World>> open(net::EventLoop& loop, WorldOptions options);
  ~World();

  // CRDs, then the manifests (tried as a whole first), then the controllers and the runtime. Call once.
  Task<Result<void>> start(std::vector<Manifest> manifests);

  // Why the Gateways among `manifests` are not programmed yet, a line each; empty: they all are.
  Task<std::vector<std::string>> waiting_for(std::vector<Manifest> manifests);

  // Every Gateway there is that can be programmed is, and every status is written.
  bool settled() const;

  // Pods end first, then the proxy drains, then the API closes. Nothing is served after it.
  Task<void> stop();

  net::Address api_address() const;
  net::Address metrics_address() const;
  const std::string& kubeconfig_path() const;
  kube::Client& client();

 private:
  struct Parts;
  explicit World(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace tidegate::app
