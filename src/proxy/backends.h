// SPDX-License-Identifier: Apache-2.0
// One worker's view of the endpoints: connection pools by address that outlive the tables naming them, and
// the choice among a backend's endpoints. An endpoint goes when neither the current table nor an exchange
// that began with an older one holds it. Thread: its worker's. Owns: the pools, through the tables.
#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/weak_map.h"
#include "net/tls.h"
#include "proxy/endpoint_health.h"
#include "proxy/random.h"
#include "proxy/retry_budget.h"
#include "proxy/series.h"
#include "routing/session_cookie.h"
#include "session/client_pool.h"

namespace tidegate::proxy {

struct BackendEndpoint {
  BackendEndpoint(asio::io_context& io, Scheduler& scheduler, const session::Endpoint& endpoint,
                  const session::ClientLimits& limits)
      : address(endpoint.address),
        session(routing::session_digest(net::to_string(address))),
        health(scheduler.clock().steady_now()),
        pool(io, scheduler, endpoint, limits) {}
  net::Address address;
  const std::uint64_t session;  // routing::Session::endpoint
  EndpointHealth health;
  session::ClientPool pool;
  std::size_t active = 0;  // requests of this worker under way
  std::size_t named = 0;   // by how many backends of the latest table
};
using BackendEndpointPtr = std::shared_ptr<BackendEndpoint>;

struct BackendView {
  const routing::Backend* backend = nullptr;
  std::uint64_t session = 0;            // routing::Session::backend
  std::shared_ptr<RetryBudget> budget;  // outlives tables
  std::vector<BackendEndpointPtr> ready, draining;
  std::string fault;  // why nothing may be sent to it, whatever its endpoints; empty: fine
  std::shared_ptr<BackendTotalsSeries> totals;
};
using BackendViewPtr = std::shared_ptr<const BackendView>;

// A table as one worker serves it. Exchanges pin the one that they began with.
struct WorkerTable {
  ServingTablePtr serving;
  std::shared_ptr<const std::vector<BackendViewPtr>>
      views;  // as Table::backends; of those that stay as before

  const BackendView& view(std::size_t backend) const { return *(*views)[backend]; }
};
using WorkerTablePtr = std::shared_ptr<const WorkerTable>;

class Backends {
 public:
  Backends(asio::io_context& io, Scheduler& scheduler, const session::ClientLimits& limits)
      : io_(io), scheduler_(scheduler), limits_(limits) {}

  // Views of backends that the table before holds too (routing/share.h) are taken over. Endpoints that are no
  // longer named close their idle connections.
  WorkerTablePtr resolve(ServingTablePtr serving);

 private:
  using TlsPtr = std::shared_ptr<net::TlsContext>;
  using TlsSettings = std::pair<routing::BackendTls, bool>;  // and whether HTTP/2 is spoken

  bool stay(const ServingTable& serving) const;
  std::shared_ptr<const std::vector<BackendViewPtr>> make_views(const ServingTable& serving);
  BackendViewPtr make_view(const routing::Backend& backend, std::shared_ptr<BackendTotalsSeries> totals);
  Result<TlsPtr> context_for(const TlsSettings& settings);
  BackendEndpointPtr endpoint(const session::Endpoint& wanted);

  asio::io_context& io_;
  Scheduler& scheduler_;
  const session::ClientLimits limits_;  // of each endpoint
  WorkerTablePtr latest_;
  // By address, whether HTTP/2 is spoken, and TLS: a context that an endpoint holds is no other's.
  WeakMap<std::tuple<net::Address, bool, const net::TlsContext*>, BackendEndpoint> endpoints_;
  WeakMap<TlsSettings, net::TlsContext> contexts_;  // unchanged settings keep their connections
  WeakMap<BackendKey, RetryBudget> budgets_;        // one, whatever else changes of a backend
};

// Of two endpoints picked at random the one with fewer active requests; not `avoid` (it failed just now), no
// ejected one, and new ones less often. Draining ones serve only where nothing else is left, ejected ones and
// `avoid` too. Null: there is none.
BackendEndpointPtr choose_endpoint(const BackendView& backend, const BackendEndpoint* avoid, Random& random,
                                   SteadyTime now, const BalanceSettings& settings);

// The endpoint that a session began with; null: it is gone, on its way out, or ejected.
BackendEndpointPtr find_endpoint(const BackendView& backend, std::uint64_t session, SteadyTime now);

// Notes that a request to this endpoint failed. True: it has been ejected for that. Of a backend's endpoints
// no more are than `settings` allow.
bool note_failure(const BackendView& backend, BackendEndpoint& endpoint, SteadyTime now,
                  const BalanceSettings& settings);

}  // namespace tidegate::proxy
