// SPDX-License-Identifier: Apache-2.0
// What TCP and TLS streams share: reads, gathered writes, and callbacks that never outlive the Stream. The
// socket sits in a state that pending operations keep alive; a Stream's end closes it and mutes them. Thread:
// the loop's. Private to net/.
#pragma once

#include <array>
#include <boost/asio/write.hpp>

#include "net/errors.h"
#include "net/stream.h"

namespace tidegate::net {

struct StreamState {
  explicit StreamState(std::string peer) : peer(std::move(peer)) {}
  virtual ~StreamState() = default;
  virtual AsioSocket& lowest() = 0;  // the socket itself
  const std::string peer;
  bool closed = false;

  void close() {
    closed = true;
    boost::system::error_code ignored;
    lowest().close(ignored);
  }
};

// A few views as a buffer sequence, without an allocation.
class Gathered {
 public:
  static constexpr std::size_t kMax = 8;
  explicit Gathered(std::span<const std::string_view> parts) {
    TIDEGATE_ASSERT(parts.size() <= kMax);
    for (const auto part : parts) {
      if (!part.empty()) buffers_[count_++] = asio::const_buffer(part.data(), part.size());
    }
  }
  using value_type = asio::const_buffer;
  using const_iterator = const asio::const_buffer*;
  const_iterator begin() const { return buffers_.data(); }
  const_iterator end() const { return buffers_.data() + count_; }

 private:
  std::array<asio::const_buffer, kMax> buffers_;
  std::size_t count_ = 0;
};

// State: a StreamState with
//   transport()      what is read from and written to: the socket, or TLS over it;
//   inbox(into)      where bytes are read to, and taken(into, bytes), which brings them to the caller's
//   buffer; outgoing(parts)  what is written, as a buffer sequence.
// A transport that touches its buffers after the socket was closed must hand out buffers of its own there.
template <typename State>
class BasicStream : public Stream {
 public:
  explicit BasicStream(std::shared_ptr<State> state) : state_(std::move(state)) {}
  ~BasicStream() override { close(); }

  void read(std::span<char> into, ReadCallback done) override {
    state_->transport().async_read_some(
        state_->inbox(into), [state = state_, into, done = std::move(done)](auto error, std::size_t bytes) {
          if (state->closed) return;
          if (error == asio::error::eof) return done(std::size_t{0});
          if (error) return done(to_error("read", error));
          state->taken(into, bytes);
          done(bytes);
        });
  }

  void write(std::span<const std::string_view> parts, WriteCallback done) override {
    asio::async_write(state_->transport(), state_->outgoing(parts),
                      [state = state_, done = std::move(done)](auto error, std::size_t) {
                        if (state->closed) return;
                        if (error) return done(to_error("write", error));
                        done({});
                      });
  }

  void close() override {
    if (!state_->closed) state_->close();
  }
  void reset() override {
    if (state_->closed) return;
    boost::system::error_code ignored;
    state_->lowest().set_option(asio::socket_base::linger(true, 0), ignored);
    state_->close();
  }
  std::string peer_address() const override { return state_->peer; }
  std::size_t try_write(std::span<const std::string_view>) override { return 0; }
  void post(Callback<void()> callback) override {
    asio::post(state_->lowest().get_executor(), std::move(callback));
  }

 protected:
  std::shared_ptr<State> state_;
};

}  // namespace tidegate::net
