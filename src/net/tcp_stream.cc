// SPDX-License-Identifier: Apache-2.0
#include "net/basic_stream.h"

namespace tidegate::net {
namespace {

struct TcpState final : StreamState {
  explicit TcpState(TcpSocket socket) : socket(std::move(socket)) {}
  TcpSocket& lowest() override { return socket; }
  TcpSocket& transport() { return socket; }
  TcpSocket socket;
};

class TcpStream final : public BasicStream<TcpState> {
 public:
  using BasicStream::BasicStream;

  void shutdown_write() override {
    boost::system::error_code ignored;
    state_->socket.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }
  std::string_view alpn() const override { return {}; }
  std::string_view server_name() const override { return {}; }
  std::string_view peer_common_name() const override { return {}; }
};

}  // namespace

std::unique_ptr<Stream> make_tcp_stream(TcpSocket socket) {
  return std::make_unique<TcpStream>(std::make_shared<TcpState>(std::move(socket)));
}

}  // namespace tidegate::net
