// SPDX-License-Identifier: Apache-2.0
// Sends what providers ask for: one request, one whole answer of any status. Bounded in time, bytes and
// requests at once (limits.h); TLS is verified unless the request says otherwise; redirects are not followed,
// as they would carry credentials elsewhere, and proxies of the environment are not used. A connection serves
// one request: a POST on one that its server has closed meanwhile could not be told from a failed one. It
// does not retry and knows no provider. Thread: the loop's; callbacks come there and never from within
// start(). Owns: the requests under way.
#pragma once

#include <functional>
#include <memory>

#include "metrics/providers/provider.h"
#include "net/asio.h"
#include "net/resolve.h"

namespace tidegate::metrics::providers {

class Fetch {
 public:
  // Errors name the origin: kTimeout, kUnavailable (not resolved, refused, reset, no TLS), kLimit (a body too
  // large, too many requests waiting), kInvalid (no such url, a CA that is none), kInternal (not HTTP, or not
  // within http/limits.h).
  using Done = std::function<void(Result<HttpAnswer>)>;

  class Call {
   public:
    virtual ~Call() = default;  // ends the request, without a callback
  };

  virtual ~Fetch() = default;  // ends all of them, likewise
  [[nodiscard]] virtual std::unique_ptr<Call> start(HttpRequest request, Done done) = 0;
};

// `io` and `scheduler` are of one thread and outlive it. A name's addresses are tried in turn, until one
// takes the connection.
std::unique_ptr<Fetch> open_fetch(asio::io_context& io, Scheduler& scheduler);
std::unique_ptr<Fetch> open_fetch(asio::io_context& io, Scheduler& scheduler,
                                  std::unique_ptr<net::Resolver> resolver);

}  // namespace tidegate::metrics::providers
