// SPDX-License-Identifier: Apache-2.0
// Sessions with servers that we resume.
#include <gtest/gtest.h>

#include <tuple>

#include "net/event_loop.h"
#include "net/openssl_peer.h"

namespace tidegate::net {
namespace {

using namespace std::chrono_literals;
using test::OpensslServer;

// By the engine below, and the version of TLS.
class ClientSession : public testing::TestWithParam<std::tuple<EventLoop::Sockets, int>> {
 protected:
  ClientSession() {
    authority_ = make_certificate_authority("servers", system_clock().now()).value_or({});
    CertificateRequest request;
    request.common_name = "cart.test";
    request.dns_names = {"cart.test"};
    request.uris = {"spiffe://shop/cart"};
    identity_ = make_certificate(authority_, request, system_clock().now()).value_or({});
    ClientTlsOptions options;
    options.ca_pem = authority_.certificate_pem;
    options.uris = {"spiffe://shop/cart"};
    context_ = make_client_tls(options).value_or(nullptr);
  }

  OpensslServer::Settings server() { return {.version = std::get<1>(GetParam()), .identity = identity_}; }

  // What the server says over one connection; empty: there was none.
  std::string hear(const OpensslServer& server, const std::shared_ptr<TlsSession>& session) {
    std::string heard;
    char bytes[64];
    bool over = false;
    std::unique_ptr<Stream> stream;
    std::function<void()> more = [&] {
      stream->read(bytes, [&](Result<std::size_t> size) {
        over = !size || *size == 0;
        if (over) return;
        heard.append(bytes, *size);
        more();
      });
    };
    const auto connecting = connect(loop_.io(), {server.address(), context_, "cart.test", session},
                                    [&](Result<std::unique_ptr<Stream>> made) {
                                      over = !made;
                                      if (over) return;
                                      stream = std::move(*made);
                                      more();
                                    });
    const auto limit = system_clock().steady_now() + 10s;
    loop_.io().restart();
    while (!over && system_clock().steady_now() < limit) loop_.io().run_one_for(10ms);
    return heard;
  }

  EventLoop loop_{std::get<0>(GetParam())};
  KeyPair authority_, identity_;
  std::shared_ptr<TlsContext> context_;
};

INSTANTIATE_TEST_SUITE_P(
    Tls, ClientSession,
    testing::Combine(testing::Values(EventLoop::Sockets::kAsio, EventLoop::Sockets::kPoller),
                     testing::Values(TLS1_2_VERSION, TLS1_3_VERSION)),
    [](const auto& info) {
      return std::string(std::get<0>(info.param) == EventLoop::Sockets::kAsio ? "Asio" : "Poller") +
             (std::get<1>(info.param) == TLS1_2_VERSION ? "12" : "13");
    });

TEST_P(ClientSession, IsResumedAgainAndAgain) {
  OpensslServer cart(server());
  const auto session = make_tls_session();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(hear(cart, session), "hello");  // its URI is asked for each time
  EXPECT_EQ(cart.resumed(), 2);
}

TEST_P(ClientSession, OutlivesAConnectionThatIsCut) {
  auto settings = server();
  settings.says_goodbye = false;
  OpensslServer cart(settings);
  const auto session = make_tls_session();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(hear(cart, session), "hello");
  EXPECT_EQ(cart.resumed(), 2);
}

TEST_P(ClientSession, IsNotResumedWhereNothingKeepsIt) {
  OpensslServer cart(server());
  for (int i = 0; i < 2; ++i) EXPECT_EQ(hear(cart, nullptr), "hello");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(hear(cart, make_tls_session()), "hello");
  EXPECT_EQ(cart.resumed(), 0);
}

TEST_P(ClientSession, ThatTheServerDoesNotKnowBeginsAnew) {
  OpensslServer before(server()), after(server());
  const auto session = make_tls_session();
  EXPECT_EQ(hear(before, session), "hello");
  EXPECT_EQ(hear(after, session), "hello");
  EXPECT_EQ(after.resumed(), 0);
  EXPECT_EQ(hear(after, session), "hello");
  EXPECT_EQ(after.resumed(), 1);
}

TEST_P(ClientSession, ThatAServerRefusesIsNotTriedTwice) {
  auto settings = server();
  settings.resumes = false;
  OpensslServer cart(settings);
  const auto session = make_tls_session();
  EXPECT_EQ(hear(cart, session), "hello");
  EXPECT_EQ(hear(cart, session), "");
  EXPECT_EQ(hear(cart, session), "hello");
}

}  // namespace
}  // namespace tidegate::net
