// SPDX-License-Identifier: Apache-2.0
// Peers that keep TLS itself busy, behind the handshake.
#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "net/event_loop.h"
#include "net/listener.h"
#include "net/openssl_peer.h"

namespace tidegate::net {
namespace {

using namespace std::chrono_literals;
using test::OpensslClient;

class TlsChatter : public testing::Test {
 protected:
  TlsChatter() {
    ServerTlsOptions options;
    CertificateRequest request;
    request.common_name = "gate";
    const auto authority = make_certificate_authority("servers", system_clock().now()).value_or({});
    options.identity = make_certificate(authority, request, system_clock().now()).value_or({});
    context_ = make_server_tls(options).value_or(nullptr);
  }

  // Serves one client, which does this on a thread of its own, until it is done and the connection ended.
  void serve(int version, std::function<void(OpensslClient&)> client) {
    auto listener = Listener::open(loop_.io(), {{"127.0.0.1", 0}}, [&](TcpSocket socket) {
      handshake_ = accept_tls(std::move(socket), context_, [&](Result<std::unique_ptr<Stream>> made) {
        ASSERT_TRUE(made) << made.error().detail;
        stream_ = std::move(*made);
        read();
      });
    });
    ASSERT_TRUE(listener);
    auto done = std::async(std::launch::async, [&, address = (*listener)->address()] {
      OpensslClient peer(address, {.version = version});
      ASSERT_TRUE(peer.connected());
      client(peer);
    });
    while (!over_ || done.wait_for(0s) != std::future_status::ready) {
      loop_.io().run_one_for(5ms);
    }
    done.get();
  }

  void read() {
    stream_->read(buffer_, [this](Result<std::size_t> size) {
      if (!size) error_ = size.error();
      over_ = !size || *size == 0;
      if (over_) return stream_.reset();
      heard_.append(buffer_, *size);
      most_at_once_ = std::max(most_at_once_, *size);
      read();
    });
  }

  EventLoop loop_{EventLoop::Sockets::kPoller};
  std::shared_ptr<TlsContext> context_;
  std::unique_ptr<Handshake> handshake_;
  std::unique_ptr<Stream> stream_;
  char buffer_[4096];
  std::string heard_;
  std::size_t most_at_once_ = 0;
  bool over_ = false;
  std::optional<Error> error_;
};

TEST_F(TlsChatter, NewKeysNowAndThenAreFine) {
  std::string said;
  serve(TLS1_3_VERSION, [&](OpensslClient& peer) {
    for (int i = 0; i < 200; ++i) {
      peer.update_keys(5, i % 2 == 0 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
      said += static_cast<char>('a' + i % 26);
      EXPECT_TRUE(peer.write(said.substr(said.size() - 1)));
    }
    ::SSL_shutdown(peer.ssl());
    while (!peer.read().empty()) {
    }
  });
  EXPECT_FALSE(error_) << error_->detail;
  EXPECT_EQ(heard_, said);
  EXPECT_EQ(most_at_once_, 1U);  // a turn of the worker's ends with them, however much more is there
}

TEST_F(TlsChatter, AFloodOfNewKeysEndsTheConnection) {
  for (const int kind : {SSL_KEY_UPDATE_REQUESTED, SSL_KEY_UPDATE_NOT_REQUESTED}) {
    over_ = false;
    error_.reset();
    int got_away = 0;
    serve(TLS1_3_VERSION, [&](OpensslClient& peer) { got_away = peer.update_keys(1'000'000, kind); });
    EXPECT_LT(got_away, 1'000'000);
    ASSERT_TRUE(error_);
    EXPECT_EQ(error_->code, ErrorCode::kLimit) << error_->detail;
  }
}

TEST_F(TlsChatter, RenegotiationIsRefused) {
  int renegotiated = 0;
  serve(TLS1_2_VERSION, [&](OpensslClient& peer) {
    EXPECT_TRUE(peer.write("a"));
    EXPECT_EQ(::SSL_renegotiate(peer.ssl()), 1);
    renegotiated = ::SSL_do_handshake(peer.ssl());
  });
  EXPECT_NE(renegotiated, 1);
  EXPECT_EQ(heard_, "a");
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, ErrorCode::kLimit) << error_->detail;
}

}  // namespace
}  // namespace tidegate::net
