// SPDX-License-Identifier: Apache-2.0
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <tuple>

#include "net/poller.h"
#include "net/tcp_stream.h"

namespace tidegate::net {
namespace {

Error error_of(const char* doing, int error) {
  return to_error(doing, {error, boost::system::system_category()});
}

// The socket and what it waits for; the poller calls it until it is closed.
class PolledSocket final : public Poller::User {
 public:
  PolledSocket(Poller& poller, int socket) : poller_(poller), socket_(socket) {}
  ~PolledSocket() override { close(); }

  void start() { poller_.add(socket_, *this); }
  void read(std::span<char> into, Stream::ReadCallback done);
  void write(std::span<const std::string_view> parts, Stream::WriteCallback done);
  void close();
  void shutdown_write();
  bool closed() const { return socket_ < 0; }
  int descriptor() const { return socket_; }
  Poller& poller() { return poller_; }

 private:
  void ready(std::uint32_t events) override;
  void tell() override;
  void loop_gone() override;
  void go_on_reading();
  void go_on_writing();

  Poller& poller_;
  int socket_;
  std::span<char> into_;
  Stream::ReadCallback reader_;
  std::string joined_;          // several parts
  std::string_view unwritten_;  // of them, or of the caller's one
  Stream::WriteCallback writer_;
  std::optional<ssize_t> received_;  // and not told yet: as many bytes, or a negative errno
  std::optional<int> written_;       // the same of a write that is over: 0, or an errno
  bool readable_ = false;            // there may be more than was read
  bool hung_up_ = false;             // the end, or an error, stands behind what is there to read
  bool shut_down_ = false;           // once all is written
};

void PolledSocket::read(std::span<char> into, Stream::ReadCallback done) {
  into_ = into;
  reader_ = std::move(done);
  if (readable_) poller_.soon(*this);
}

void PolledSocket::write(std::span<const std::string_view> parts, Stream::WriteCallback done) {
  joined_.clear();
  if (parts.size() != 1) {
    for (const auto part : parts) joined_.append(part);
  }
  unwritten_ = parts.size() == 1 ? parts.front() : std::string_view(joined_);
  writer_ = std::move(done);
  poller_.soon(*this);
}

void PolledSocket::ready(std::uint32_t events) {
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
  if ((events & EPOLLIN) != 0 || hung_up_) readable_ = true;
  if (closed()) return;
  if (writer_ && !written_) go_on_writing();
  if (reader_ && readable_ && !received_) go_on_reading();
}

void PolledSocket::go_on_reading() {
  const ssize_t bytes = ::recv(socket_, into_.data(), into_.size(), 0);
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) {
    readable_ = false;  // the kernel says when that changes
    return;
  }
  received_ = bytes < 0 ? -errno : bytes;
  if (bytes >= 0 && static_cast<std::size_t>(bytes) < into_.size() && !hung_up_) readable_ = false;
}

void PolledSocket::go_on_writing() {
  while (!unwritten_.empty()) {
    const ssize_t sent = ::send(socket_, unwritten_.data(), unwritten_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0 && errno != EINTR) {
      written_ = errno;
      return;
    }
    if (sent > 0) unwritten_.remove_prefix(static_cast<std::size_t>(sent));
  }
  if (shut_down_) ::shutdown(socket_, SHUT_WR);
  written_ = 0;
}

void PolledSocket::tell() {
  if (closed()) return;
  if (const auto error = std::exchange(written_, std::nullopt)) {
    if (received_) poller_.soon(*this);  // as the first call may be the end of this object
    const auto writer = std::move(writer_);
    return writer(*error == 0 ? Result<void>() : error_of("write", *error));
  }
  if (const auto bytes = std::exchange(received_, std::nullopt)) {
    const auto reader = std::move(reader_);
    if (*bytes < 0) return reader(error_of("read", static_cast<int>(-*bytes)));
    reader(static_cast<std::size_t>(*bytes));
  }
}

void PolledSocket::close() {
  if (closed()) return;
  // As much as leaves without waiting: it was written before.
  if (writer_) std::ignore = ::send(socket_, unwritten_.data(), unwritten_.size(), MSG_NOSIGNAL);
  poller_.forget(*this);
  ::close(std::exchange(socket_, -1));
  // What they hold may be the very caller.
  if (reader_ || writer_) poller_.post([reader = std::move(reader_), writer = std::move(writer_)] {});
}

void PolledSocket::shutdown_write() {
  if (writer_) {
    shut_down_ = true;
  } else {
    ::shutdown(socket_, SHUT_WR);
  }
}

void PolledSocket::loop_gone() {
  ::close(std::exchange(socket_, -1));
  const auto reader = std::move(reader_);
  const auto writer = std::move(writer_);
}

class PolledStream final : public Stream {
 public:
  PolledStream(Poller& poller, int socket, std::string peer)
      : socket_(std::make_shared<PolledSocket>(poller, socket)), peer_(std::move(peer)) {
    socket_->start();
  }
  ~PolledStream() override { socket_->close(); }

  void read(std::span<char> into, ReadCallback done) override {
    if (!socket_->closed()) socket_->read(into, std::move(done));
  }
  void write(std::span<const std::string_view> parts, WriteCallback done) override {
    if (!socket_->closed()) socket_->write(parts, std::move(done));
  }
  std::size_t try_write(std::span<const std::string_view> parts) override {
    return socket_->closed() ? 0 : send_now(socket_->descriptor(), parts);
  }
  void close() override { socket_->close(); }
  void reset() override {
    if (socket_->closed()) return;
    const linger at_once{1, 0};
    ::setsockopt(socket_->descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    socket_->close();
  }
  void shutdown_write() override {
    if (!socket_->closed()) socket_->shutdown_write();
  }
  std::string_view alpn() const override { return {}; }
  std::string_view server_name() const override { return {}; }
  std::string_view peer_common_name() const override { return {}; }
  std::string peer_address() const override { return peer_; }
  void post(Callback<void()> callback) override { socket_->poller().post(std::move(callback)); }

 private:
  std::shared_ptr<PolledSocket> socket_;
  std::string peer_;
};

}  // namespace

std::unique_ptr<Stream> make_polled_stream(Poller& poller, TcpSocket socket) {
  std::string peer = socket.peer_address();
  return std::make_unique<PolledStream>(poller, socket.release(), std::move(peer));
}

}  // namespace tidegate::net
