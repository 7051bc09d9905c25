// SPDX-License-Identifier: Apache-2.0
#include "net/peek_hello.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "net/client_hello.h"
#include "net/errors.h"
#include "net/limits.h"

namespace tidegate::net {
namespace {

class Peeking : public std::enable_shared_from_this<Peeking> {
 public:
  Peeking(TcpSocket socket, PeekedCallback done)
      : peer_(socket.peer()), socket_(std::move(socket).to_asio()), done_(std::move(done)) {}

  // Sleeps until there are that many bytes, or the end: bytes that were seen already wake nobody.
  void wait_for(std::size_t bytes) {
    wake_at(bytes);
    socket_.async_wait(AsioSocket::wait_read, [self = shared_from_this()](auto error) {
      if (!self->done_) return;
      if (error) return self->finish(to_error("wait for a ClientHello", error));
      self->look();
    });
  }
  void give_up() {
    done_ = nullptr;
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  void look() {
    std::array<char, kClientHelloBytes> bytes;
    const ssize_t got = ::recv(socket_.native_handle(), bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return wait_for(seen_ + 1);
    if (got < 0) return finish(to_error("read", {errno, boost::system::system_category()}));
    const auto size = static_cast<std::size_t>(got);
    if (size <= seen_)
      return finish(Error{ErrorCode::kUnavailable, "the client left within its ClientHello"});
    seen_ = size;
    auto hello = parse_client_hello({bytes.data(), size});
    switch (hello.state) {
      case ClientHello::State::kMore:
        return wait_for(hello.needed);
      case ClientHello::State::kInvalid:
        return finish(Error{ErrorCode::kInvalid, std::string(hello.fault)});
      case ClientHello::State::kComplete:
        break;
    }
    wake_at(1);
    finish(std::move(hello.server_name));
  }

  void wake_at(std::size_t bytes) {
    const int mark = static_cast<int>(bytes);
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark);
  }

  void finish(Result<std::string> server_name) {
    const auto done = std::exchange(done_, nullptr);
    done(std::move(server_name), TcpSocket::of(std::move(socket_), peer_));
  }

  const asio::ip::tcp::endpoint peer_;
  AsioSocket socket_;
  PeekedCallback done_;
  std::size_t seen_ = 0;
};

class PeekHandle final : public Handshake {
 public:
  explicit PeekHandle(std::weak_ptr<Peeking> peeking) : peeking_(std::move(peeking)) {}
  ~PeekHandle() override {
    if (const auto peeking = peeking_.lock()) peeking->give_up();
  }

 private:
  std::weak_ptr<Peeking> peeking_;
};

}  // namespace

void close_cleanly(TcpSocket socket) {
  std::array<char, kClientHelloBytes> sink;
  while (::recv(socket.descriptor(), sink.data(), sink.size(), MSG_DONTWAIT) ==
         static_cast<ssize_t>(sink.size())) {
  }
}

std::unique_ptr<Handshake> peek_hello(TcpSocket socket, PeekedCallback done) {
  const auto peeking = std::make_shared<Peeking>(std::move(socket), std::move(done));
  peeking->wait_for(1);
  return std::make_unique<PeekHandle>(peeking);
}

}  // namespace tidegate::net
