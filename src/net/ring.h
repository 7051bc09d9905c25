// SPDX-License-Identifier: Apache-2.0
// io_uring for the sockets of one loop: what a turn of the loop asks for goes to the kernel in one call, and
// what is done by then comes back with it, where epoll needs a call for each read and write. A service of the
// loop's io_context, which still runs all else (timers, accepts, TLS) and sleeps for both. Private to net/;
// streams use it where it is there. Thread: its loop's. Owns: the ring.
#pragma once

#include <liburing.h>

#include <span>
#include <string_view>
#include <unordered_set>

#include "net/asio.h"

namespace tidegate::net {

class Ring final : public asio::execution_context::service {
 public:
  static asio::execution_context::id id;
  explicit Ring(asio::execution_context& context);

  // The loop's, opened by the first call, which is the loop's thread's. Null: nobody asked for one
  // (event_loop.h), the kernel is older than 6.1, or it does not allow rings.
  static Ring* of(asio::io_context& io);

  // Who has operations under way; told when the ring goes first.
  class User {
   public:
    explicit User(Ring& ring);
    User(const User&) = delete;
    User& operator=(const User&) = delete;
    virtual void ring_gone() = 0;  // what was under way is not done any more
    Ring& ring;

   protected:
    ~User();
  };

  // What has been asked of the kernel. It stays where it is, and so do the bytes that it reads or writes,
  // until it is done.
  class Operation {
   public:
    virtual void done(int result) = 0;  // of the system call; errors are negative

   protected:
    ~Operation() = default;
  };
  void receive(int socket, std::span<char> into, Operation& operation);
  void send(int socket, std::string_view bytes, Operation& operation);
  void cancel(Operation& operation);  // it will be done soon
  void close(int socket);             // behind what was asked before

  void run_ended();  // the loop's: nothing more is asked, and what is closed from now on is closed at once
  asio::io_context& io() { return io_; }

 private:
  void shutdown() override;
  bool open();
  io_uring_sqe* next();
  void turn_soon();
  void turn();
  bool exchange();
  void wait_for_signal();

  asio::io_context& io_;
  io_uring ring_{};
  // The kernel's word that something is done, while nobody asks.
  asio::posix::basic_stream_descriptor<asio::io_context::executor_type> signal_;
  std::uint64_t signals_ = 0;
  std::unordered_set<User*> users_;
  bool tried_ = false, open_ = false, ended_ = false;
  bool turning_ = false;  // or about to
};

}  // namespace tidegate::net
