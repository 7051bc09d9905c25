// SPDX-License-Identifier: Apache-2.0
#include "net/tcp_stream.h"

#include <sys/socket.h>
#include <sys/uio.h>

namespace tidegate::net {
namespace {

struct TcpState final : StreamState {
  explicit TcpState(TcpSocket from) : StreamState(from.peer_address()), socket(std::move(from).to_asio()) {}
  AsioSocket& lowest() override { return socket; }
  AsioSocket& transport() { return socket; }
  asio::mutable_buffer inbox(std::span<char> into) { return asio::buffer(into.data(), into.size()); }
  void taken(std::span<char>, std::size_t) {}
  Gathered outgoing(std::span<const std::string_view> parts) { return Gathered(parts); }
  AsioSocket socket;
};

class TcpStream final : public BasicStream<TcpState> {
 public:
  using BasicStream::BasicStream;

  std::size_t try_write(std::span<const std::string_view> parts) override {
    return send_now(state_->socket.native_handle(), parts);
  }
  void shutdown_write() override {
    boost::system::error_code ignored;
    state_->socket.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }
  std::string_view alpn() const override { return {}; }
  std::string_view server_name() const override { return {}; }
  std::string_view peer_common_name() const override { return {}; }
};

}  // namespace

std::size_t send_now(int socket, std::span<const std::string_view> parts) {
  if (parts.size() == 1) {
    const ssize_t sent = ::send(socket, parts[0].data(), parts[0].size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }
  std::array<iovec, Gathered::kMax> vectors;
  TIDEGATE_ASSERT(parts.size() <= vectors.size());
  for (std::size_t i = 0; i < parts.size(); ++i)
    vectors[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = parts.size();
  const ssize_t sent = ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

std::unique_ptr<Stream> make_tcp_stream(TcpSocket socket) {
  if (Poller* poller = Poller::of(socket.io())) return make_polled_stream(*poller, std::move(socket));
  return std::make_unique<TcpStream>(std::make_shared<TcpState>(std::move(socket)));
}

}  // namespace tidegate::net
