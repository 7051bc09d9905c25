// SPDX-License-Identifier: Apache-2.0
// Edge-triggered epoll for the TCP streams of one loop, what they post, and the time that they see. Asio's
// own reactor reads each socket once more than there is something to read and takes a lock and a posted
// operation for each read, which was a tenth of a proxied request. A service of the loop's io_context, which
// sleeps for it and runs all else. Private to net/. Thread: its loop's. Owns: the epoll descriptor, not the
// sockets.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include "base/callback.h"
#include "base/clock.h"
#include "net/asio.h"

namespace tidegate::net {

class Poller final : public asio::execution_context::service {
 public:
  static asio::execution_context::id id;
  explicit Poller(asio::execution_context& context);

  // The loop's; null: it has none (event_loop.h).
  static Poller* of(asio::io_context& io);

  // A socket from add() to forget(), and what goes on when the kernel says that it may.
  class User : public std::enable_shared_from_this<User> {
   public:
    virtual ~User() = default;
    // Reads and writes as `events` (EPOLLIN and so on; 0: what soon() asked for) allow, and calls nobody:
    // first all that is ready is read, then come those who wait for it, one after the other.
    virtual void ready(std::uint32_t events) = 0;
    virtual void tell() = 0;       // them; this may be the end of the User
    virtual void loop_gone() = 0;  // no call comes any more
  };
  void add(int socket, User& user);
  void forget(User& user);  // its socket is closed, or about to be
  void soon(User& user);    // ready(0) and tell(), posted
  // Called behind the events at hand, never from within this call.
  void post(Callback<void()>&& callback);
  // Read once for several events, which all together take less than the millisecond that it counts in.
  SteadyTime now();
  asio::io_context& io() { return io_; }

 private:
  static constexpr std::size_t kBatch = 128;            // events of one turn; the rest come with the next
  static constexpr std::size_t kEventsPerReading = 16;  // of the clock

  void shutdown() override;
  void wait();
  void turn_soon();
  void turn();
  std::size_t round(bool rest);
  void run_posted();

  asio::io_context& io_;
  asio::posix::basic_stream_descriptor<asio::io_context::executor_type> epoll_;
  std::unordered_set<User*> users_;
  std::vector<Callback<void()>> posted_, running_;
  std::array<epoll_event, kBatch> events_;
  std::size_t undelivered_ = 0;    // of events_, from the front
  std::optional<SteadyTime> now_;  // within a round, once asked for
  bool in_round_ = false;
  bool turning_ = false;  // or about to
  bool waiting_ = false;
};

}  // namespace tidegate::net
