// SPDX-License-Identifier: Apache-2.0
// Bytes on their way into a net::Stream. Small parts are gathered into one write: what is put within one turn
// of the loop leaves together, at its end, when all else that is ready has been read: sends of many
// connections in a row find the kernel's code in the cache, and the peers that they wake awake. A write is
// tried at once and waits for the socket only with what is left. Thread: its loop's. Owns: the unsent bytes.
// Not: a bound on them; whoever puts bytes watches unsent().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/stream.h"

namespace tidegate::session {

class OutQueue {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual std::shared_ptr<void>
    keep_alive() = 0;            // holds the queue, and so its bytes, while a write is pending
    virtual void on_sent() = 0;  // a pending write went on; maybe all is sent now
    virtual void on_send_failed() = 0;
  };

  OutQueue(net::Stream& stream, Owner& owner) : stream_(stream), owner_(owner) {}
  OutQueue(const OutQueue&) = delete;
  OutQueue& operator=(const OutQueue&) = delete;

  // To append to; flush() or flush_soon() must follow.
  std::string& buffer() { return next_; }
  // Large data goes into the socket without being copied, as far as the socket takes it.
  void put(std::string_view data);
  void flush();
  void flush_soon();                // at the end of this turn of the loop
  void stop() { stopped_ = true; }  // nothing is written any more, no call comes

  std::size_t unsent() const { return in_flight_.size() - in_flight_sent_ + next_.size(); }
  bool waiting() const { return writing_; }
  std::uint64_t taken() const {
    return taken_;
  }  // bytes that the socket has, or may have, taken since the beginning

 private:
  void write_slice();
  void written(std::size_t size, const Result<void>& result);

  net::Stream& stream_;
  Owner& owner_;
  std::string next_;
  std::string in_flight_;
  std::size_t in_flight_sent_ = 0;
  std::uint64_t taken_ = 0;
  bool writing_ = false;
  bool posted_ = false;
  bool stopped_ = false;
};

}  // namespace tidegate::session
