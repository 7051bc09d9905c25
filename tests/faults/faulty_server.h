// SPDX-License-Identifier: Apache-2.0
// An HTTP server in front of a handler, the embedded API's above all, that fails as API servers and the
// networks before them do. Faults come by script (the next requests that match) or at random by seed; which
// one a request meets depends on the seed, its method, its path and how often it came before, and on nothing
// else, so that a run repeats itself whatever the order of requests about other objects. What each fault is
// stands at Fault. It is not a mock: what it lets through is answered by the handler. Thread: the loop's.
// Owns: the listener and its connections.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "net/listener.h"
#include "session/h1_server.h"
#include "session/http_server.h"

namespace tidegate::test {

enum class Fault {
  kNone,
  // Of any request.
  kTooMany,      // 429 with Retry-After: 1; nothing was done
  kInternal,     // 500; nothing was done
  kUnavailable,  // 503; nothing was done
  kDropBefore,   // the connection is cut; nothing was done
  kDropAfter,    // the connection is cut once it was done
  kDelay,        // the answer comes late
  // Of writes.
  kConflict,       // 409; nothing was done
  kConflictAfter,  // 409, though it was done
  kInternalAfter,  // 500, though it was done
  // Of lists.
  kStaleList,  // the answer to the same list of some writes ago, with the resourceVersion of then
  // Of watches.
  kGone,            // 410 in place of the stream
  kDelayEvents,     // an event and all that follow come late
  kDuplicateEvent,  // an event comes twice
  kLoseEvent,       // the stream is cut, an event is lost with it
};

class FaultyServer final : public session::RequestHandler {
 public:
  using Handler = session::HttpServer::Handler;
  using Rates = std::map<Fault, double>;  // percent of the requests, or of the events, that can meet it

  FaultyServer(asio::io_context& io, Scheduler& scheduler, Handler handler);
  ~FaultyServer() override;

  net::Address address() const { return listener_->address(); }

  void fail_at_random(std::uint64_t seed, Rates rates);
  // The next `times` requests of this method whose target holds `part` meet it; before any random one.
  void fail_next(std::string method, std::string part, Fault fault, int times = 1);
  void heal() { fail_at_random(0, {}), script_.clear(), set_away(false); }

  void set_away(bool away);  // connections are cut, new ones too
  // Watches of clients whose User-Agent is `agent` tell nothing more; what they missed comes once they thaw.
  void freeze(const std::string& agent) { frozen_.insert(agent); }
  void thaw(const std::string& agent);

  // Writes that reached the handler, in their order.
  struct Write {
    std::string agent, method, path;
    int status = 0;
  };
  const std::vector<Write>& writes() const { return writes_; }
  void forget_writes() { writes_.clear(); }
  int met(Fault fault) const;  // how often

  void on_request(http::RequestHead& head, bool expects_continue,
                  std::shared_ptr<session::ServerStream> stream) override;
  void on_refused(int) override {}

 private:
  friend class FaultyStream;
  struct Scripted {
    std::string method, part;
    Fault fault;
    int times;
  };

  void accepted(net::TcpSocket socket);
  Fault choose(const http::RequestHead& head);
  Fault scripted(const http::RequestHead& head);
  Fault at_random(const std::string& key, const std::vector<Fault>& kinds);
  void answer(Fault fault, http::RequestHead head, bool expects_continue,
              std::shared_ptr<session::ServerStream> stream);
  void keep_lists();  // for kStaleList
  void later(std::function<void()> call);

  Scheduler& scheduler_;
  asio::io_context& io_;
  const Handler handler_;
  const session::ServerLimits limits_;
  const session::HttpServer::Options options_;
  std::uint64_t seed_ = 0;
  Rates rates_;
  std::vector<Scripted> script_;
  bool away_ = false;
  std::set<std::string> frozen_;
  std::map<std::string, std::uint64_t> seen_;  // requests by key
  std::map<Fault, int> met_;
  std::map<Fault, Handler> refusals_;
  std::map<std::string, std::string> lists_;  // target -> an earlier answer
  std::deque<Handler> stale_;                 // answers are by reference
  std::vector<Write> writes_;
  std::map<std::uint64_t, std::unique_ptr<Scheduler::Timer>> timers_;
  std::uint64_t next_timer_ = 0;
  std::vector<std::weak_ptr<class FaultyStream>> watches_;
  std::set<std::shared_ptr<session::ServerConnection>> connections_;
  std::unique_ptr<net::Listener> listener_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

const char* to_string(Fault fault);

}  // namespace tidegate::test
