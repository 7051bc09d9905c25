// SPDX-License-Identifier: Apache-2.0
// One thread of the data plane: its ports, its exchanges, its pools, its counters. Nothing is shared with
// other workers but constant tables and the tables' weighted sequences. Thread: its loop's, save for
// construction and destruction. Owns: ports, exchanges, mirrors.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "net/event_loop.h"
#include "proxy/access_log.h"
#include "proxy/backends.h"
#include "proxy/exchange.h"
#include "proxy/limits.h"
#include "proxy/mirror.h"
#include "proxy/port.h"
#include "proxy/port_claims.h"
#include "proxy/udp_port.h"

namespace tidegate::proxy {

class Worker {
 public:
  struct Options {
    std::size_t index = 0;
    bool reuse_port = false;                // other workers listen on the same ports
    std::shared_ptr<AccessLog> access_log;  // null: none
    std::uint32_t access_log_sample = 1;
    Settings settings = {};  // retries: this worker's part
  };
  Worker(net::EventLoop& loop, LimitCell& limits, Options options);
  ~Worker();

  // Serves this table from the next request on. Ports that stay are not touched. Returns what could not be
  // opened, by to_string(SocketAddress).
  using Failures = std::vector<std::pair<std::string, Error>>;
  // `refused`: addresses that are not to be opened.
  Failures take(ServingTablePtr serving, const std::set<SocketAddress>& refused = {});

  // Stops accepting and lets exchanges finish, within `timeout`; then calls `drained`, once.
  void drain(Duration timeout, std::function<void()> drained);

  // For ports.
  void start_exchange(WorkerTablePtr table, const routing::CompiledPort& port, http::RequestHead& head,
                      bool expects_continue, std::shared_ptr<session::ServerStream> stream);
  void connection_closed();
  void limit_hit(Limit limit) { limits_.hit(limit); }
  void limit_hit(session::Limit limit) { limits_.hit(limit); }

  // For exchanges.
  std::size_t index() const { return options_.index; }
  Random& random() { return random_; }
  BackendEndpointPtr choose(const BackendView& backend, const BackendEndpoint* avoid) {
    return choose_endpoint(backend, avoid, random_, now(), options_.settings.balance);
  }
  void note_failure(const BackendView& view, BackendEndpoint& endpoint);  // layer 4
  const Settings& settings() const { return options_.settings; }
  SteadyTime now() const { return loop_.scheduler().clock().steady_now(); }
  TimePoint wall_now() const { return loop_.scheduler().clock().now(); }
  asio::io_context& io() { return loop_.io(); }
  Scheduler& scheduler() { return loop_.scheduler(); }
  std::shared_ptr<MirrorRequest> start_mirror(const BackendView& backend, const http::RequestHead& head,
                                              bool end);       // null: not now
  void retire(Exchange& exchange);                             // destroyed after this turn of the loop
  void retire(std::unique_ptr<session::ClientStream> stream);  // the same: it may be calling us
  std::unique_ptr<AccessRecord> begin_record(const http::RequestHead& head,
                                             const std::string& client);  // null: not logged
  void add_record(AccessRecord record);

 private:
  std::shared_ptr<Port> port_for(const routing::CompiledPort& port, Failures& failures);
  std::unique_ptr<UdpPort> udp_port_for(const routing::CompiledPort& port, Failures& failures);
  void sweep_later();
  void sweep();
  void clear_later();
  void clear();
  void flush_records();
  bool quiet() const;
  void finish_drain();

  net::EventLoop& loop_;
  LimitCell& limits_;
  const Options options_;
  Random random_;
  Backends backends_;
  WorkerTablePtr table_;
  std::map<net::Address, std::shared_ptr<Port>> ports_;
  std::map<net::Address, std::unique_ptr<UdpPort>> udp_ports_;
  std::vector<std::shared_ptr<Port>> leaving_;  // no table names them; their connections drain
  std::vector<std::unique_ptr<Exchange>> exchanges_, retired_;
  std::vector<std::unique_ptr<session::ClientStream>> retired_streams_;
  std::vector<std::shared_ptr<MirrorRequest>> mirrors_;
  std::unique_ptr<Scheduler::Timer> sweep_timer_, record_timer_, drain_timer_;
  bool clearing_ = false;
  std::vector<AccessRecord> records_;
  std::uint32_t unlogged_ = 0;     // since the last sampled request
  std::function<void()> drained_;  // set: draining
};

}  // namespace tidegate::proxy
