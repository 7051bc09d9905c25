// SPDX-License-Identifier: Apache-2.0
// A connection of layer 4: bytes between a client and a backend, both ways, as they come. Each way ends on
// its own (half-close), and who sends faster than the other side takes is not read from. It survives any
// change of tables and endpoints; it ends with either side, or when nothing moved for the clients'
// tunnel_idle_timeout, or at the end of tunnel_lifetime (settings.h). Thread: its worker's. Owns: both
// streams; its pending operations keep it alive.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string_view>

#include "net/stream.h"
#include "proxy/backends.h"
#include "session/deadline.h"

namespace tidegate::proxy {

class Worker;

// What the weights of a layer-4 rule chose for a connection, or for a UDP session.
struct TunnelChoice {
  const BackendView* view = nullptr;     // of the table; null: a reference that could not be resolved
  std::shared_ptr<TunnelSeries> series;  // null: the rule has no backend with a weight
};
TunnelChoice choose_backend(const WorkerTable& table, const routing::CompiledRule& rule);

class Tunnel final : public std::enable_shared_from_this<Tunnel> {
 public:
  using Ended = std::function<void(Tunnel*)>;  // once; the tunnel lives for the rest of the call

  // `choice.view` is not null, and of `table`, which is pinned until the backend is connected.
  Tunnel(Worker& worker, WorkerTablePtr table, TunnelChoice choice, std::unique_ptr<net::Stream> client,
         Ended ended);

  void start();
  void close();  // both sides, at once

 private:
  struct Flow {  // one way
    net::Stream* from = nullptr;
    net::Stream* to = nullptr;
    Counter* bytes = nullptr;
    std::string_view unsent;
    bool ended = false;
    std::array<char, kTunnelBuffer> buffer;
  };

  void connect();
  void connected(Result<std::unique_ptr<net::Stream>> backend);
  void connect_failed(FailureReason reason);
  void begin_flow(Flow& flow, net::Stream& from, net::Stream& to, Counter& bytes);
  void read(Flow& flow);
  void on_read(Flow& flow, const Result<std::size_t>& bytes);
  void fail(FailureReason reason);
  void finish(bool broken);
  TunnelCell& cell();

  Worker& worker_;
  WorkerTablePtr table_;
  TunnelChoice choice_;
  Ended ended_;
  std::unique_ptr<net::Stream> client_, backend_;
  BackendEndpointPtr endpoint_;
  std::shared_ptr<net::Handshake> connecting_;
  std::unique_ptr<Scheduler::Timer> connect_timer_, lifetime_;
  session::Deadline idle_;
  Flow up_, down_;
  int attempts_ = 0;
};

}  // namespace tidegate::proxy
