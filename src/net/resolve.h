// SPDX-License-Identifier: Apache-2.0
// Names to addresses by the system's resolver: getaddrinfo(3), so hosts file, DNS and whatever nsswitch.conf
// says. That blocks, for half a minute where no name server answers, and can't be interrupted: Asio runs it
// on a thread of its own, one name at a time. The others wait here, where giving up takes them out of the
// line. Not: a cache, nor a deadline, which is the caller's. Thread: the loop's. Owns: the lookups that wait;
// the end of the io_context waits for the one under way.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/stream.h"

namespace tidegate::net {

inline constexpr std::size_t kMaxLookups = 128;  // waiting; behind a name server that is away, more are late
inline constexpr std::size_t kMaxAddresses =
    8;  // of a name; each that is tried takes its share of a deadline

class Resolver {
 public:
  // Addresses in the system's order (RFC 6724), one at least. Never called from within lookup(). Errors name
  // the host: kUnavailable (no such name, or no name server that tells), kLimit (too many wait).
  using Done = std::function<void(Result<std::vector<Address>>)>;

  class Lookup {
   public:
    virtual ~Lookup() = default;  // gives up, without a callback
  };

  virtual ~Resolver() = default;  // gives up all of them, likewise
  // `host` is a name, or an address, which needs no looking up.
  [[nodiscard]] virtual std::unique_ptr<Lookup> lookup(const std::string& host, std::uint16_t port,
                                                       Done done) = 0;
};

std::unique_ptr<Resolver> open_resolver(asio::io_context& io);

}  // namespace tidegate::net
