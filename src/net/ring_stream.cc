// SPDX-License-Identifier: Apache-2.0
#include <sys/socket.h>

#include "net/ring.h"
#include "net/tcp_stream.h"

namespace tidegate::net {
namespace {

// Below this a send is one of many and goes with the loop's turn; above, not having to copy pays for a call.
constexpr std::size_t kWorthACall = 8 * 1024;

// The socket and what the kernel still does with it: it outlives its stream for as long as that takes.
struct RingState final : Ring::User {
  RingState(Ring& ring, int socket) : User(ring), socket(socket) {}

  struct Reading final : Ring::Operation {
    void done(int result) override;
    std::shared_ptr<RingState> state;  // set: under way
    Stream::ReadCallback callback;
  };
  struct Writing final : Ring::Operation {
    void done(int result) override;
    std::shared_ptr<RingState> state;
    Stream::WriteCallback callback;
    std::string joined;
    std::string_view left;
    bool shut_down_after = false;
  };

  void close() {
    closed = true;
    if (reading.state) ring.cancel(reading);
    if (writing.state) ring.cancel(writing);
    ring.close(socket);
  }

  void ring_gone() override {
    const auto reader = std::move(reading.state), writer = std::move(writing.state);  // maybe the last ones
    const auto read = std::move(reading.callback);
    const auto written = std::move(writing.callback);
  }

  const int socket;
  Reading reading;
  Writing writing;
  bool closed = false;
};

Error error_of(const char* doing, int result) {
  return to_error(doing, {-result, boost::system::system_category()});
}

void RingState::Reading::done(int result) {
  const auto held = std::move(state);
  const auto told = std::move(callback);
  if (held->closed) return;
  if (result < 0) return told(error_of("read", result));
  told(static_cast<std::size_t>(result));
}

void RingState::Writing::done(int result) {
  if (result > 0) left.remove_prefix(static_cast<std::size_t>(result));
  if (result > 0 && !left.empty() && !state->closed) return state->ring.send(state->socket, left, *this);
  const auto held = std::move(state);
  const auto told = std::move(callback);
  if (held->closed) return;
  if (std::exchange(shut_down_after, false)) ::shutdown(held->socket, SHUT_WR);
  if (result < 0) return told(error_of("write", result));
  told({});
}

class RingStream final : public Stream {
 public:
  RingStream(Ring& ring, int socket, std::string peer)
      : state_(std::make_shared<RingState>(ring, socket)), peer_(std::move(peer)) {}
  ~RingStream() override { close(); }

  void read(std::span<char> into, ReadCallback done) override {
    state_->reading.state = state_;
    state_->reading.callback = std::move(done);
    state_->ring.receive(state_->socket, into, state_->reading);
  }

  void write(std::span<const std::string_view> parts, WriteCallback done) override {
    auto& writing = state_->writing;
    writing.state = state_;
    writing.callback = std::move(done);
    if (parts.size() == 1) {
      writing.left = parts.front();
    } else {
      writing.joined.clear();
      for (const auto part : parts) writing.joined.append(part);
      writing.left = writing.joined;
    }
    state_->ring.send(state_->socket, writing.left, writing);
  }

  std::size_t try_write(std::span<const std::string_view> parts) override {
    std::size_t size = 0;
    for (const auto part : parts) size += part.size();
    return size < kWorthACall ? 0 : send_now(state_->socket, parts);
  }

  void close() override {
    if (!state_->closed) state_->close();
  }
  void reset() override {
    if (state_->closed) return;
    const linger at_once{1, 0};
    ::setsockopt(state_->socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    state_->close();
  }
  void shutdown_write() override {
    if (state_->closed) return;
    if (state_->writing.state) {
      state_->writing.shut_down_after = true;
    } else {
      ::shutdown(state_->socket, SHUT_WR);
    }
  }
  std::string_view alpn() const override { return {}; }
  std::string_view server_name() const override { return {}; }
  std::string_view peer_common_name() const override { return {}; }
  std::string peer_address() const override { return peer_; }
  asio::io_context::executor_type executor() override { return state_->ring.io().get_executor(); }

 private:
  std::shared_ptr<RingState> state_;
  std::string peer_;
};

}  // namespace

std::unique_ptr<Stream> make_ring_stream(Ring& ring, TcpSocket socket) {
  std::string peer = address_of(socket);
  return std::make_unique<RingStream>(ring, socket.release(), std::move(peer));
}

}  // namespace tidegate::net
