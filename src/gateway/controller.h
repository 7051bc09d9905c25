// SPDX-License-Identifier: Apache-2.0
// The gateway controller: watches Gateway API objects, Services, EndpointSlices, Secrets, Namespaces;
// translates them into one routing::Table for its proxies; writes statuses that differ. Hold-off: 10 ms after
// a change, 100 ms at most; nothing is published before all kinds have synced. Thread: control. Not: serving
// traffic (proxy/), which it meets in routing::Table alone (invariant I4).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kube/client.h"
#include "kube/events.h"
#include "routing/table.h"

namespace tidegate::gateway {

inline constexpr std::string_view kControllerName = "tidegate.dev/gateway-controller";

class Controller {
 public:
  struct Options {
    std::string address_pool = "127.77.0.0/16";  // an address a Gateway, kept for its life
    std::string default_class =
        "tidegate";  // created where no GatewayClass names this controller; empty: never
  };
  using Publish = std::function<void(routing::TablePtr)>;

  Controller(kube::Client& client, kube::EventRecorder& events, Options options, Publish publish);
  ~Controller();

  void start();

  // The proxies serve this table: Gateways become Programmed and routes get tidegate.dev/Programmed.
  // `failed`: listeners that could not be opened, by "address:port", with the reason.
  void applied(routing::TablePtr table, const std::vector<std::pair<std::string, std::string>>& failed);

  // The generation of the route that the proxies serve; 0: none. For the Rollout controller's wait (guarantee
  // G3).
  std::int64_t served_generation(const std::string& kind, const std::string& ns,
                                 const std::string& name) const;
  // Every accepted Gateway is programmed and every status is written.
  bool settled() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tidegate::gateway
