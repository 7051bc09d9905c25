// SPDX-License-Identifier: Apache-2.0
// The embedded Kubernetes-compatible API server: HTTPS on loopback, client certificates only, state in
// SQLite. It serves documents by schema and knows no Rollout and no Gateway (invariant I8): resources are
// described by CustomResourceDefinition documents, the built-in ones by the same form compiled in from
// resources/*.yaml. Thread: control. Owns: the store, the watches, the HTTP server.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "net/event_loop.h"
#include "net/stream.h"

namespace tidegate::apiserver {

// Logs of pods, supplied by whoever runs them (local/). `follow`: keep calling `write` until it returns
// false; destroying the handle stops.
class LogSource {
 public:
  struct Query {
    std::string ns, pod, container;
    bool follow = false, timestamps = false, previous = false;
    std::int64_t tail_lines = -1;  // -1: all
    std::optional<TimePoint> since;
    std::int64_t limit_bytes = -1;
  };
  class Handle {
   public:
    virtual ~Handle() = default;
  };
  virtual ~LogSource() = default;
  // Errors are sent as a Status. `end` is called once where the log is complete.
  virtual Result<std::unique_ptr<Handle>> read(const Query& query,
                                               std::function<bool(std::string_view)> write,
                                               std::function<void()> end) = 0;
};

class Server {
 public:
  struct Options {
    net::Address address{"127.0.0.1", 6443};  // port 0: any
    std::string data_dir;       // state.db, and pki/ with the CA and the server's and admin's key pairs
    LogSource* logs = nullptr;  // null: logs answer 501
  };
  // Opens or creates the data dir. Errors are one line: unwritable data dir, port in use, a database that
  // another process holds.
  static Result<std::unique_ptr<Server>> open(net::EventLoop& loop, Options options);
  virtual ~Server() = default;

  virtual net::Address address() const = 0;
  // A kubeconfig for the admin client certificate, with everything inline; write it with mode 0600.
  virtual std::string kubeconfig() const = 0;
  virtual void set_log_source(LogSource* logs) = 0;
  virtual void drain() = 0;
};

}  // namespace tidegate::apiserver
