// SPDX-License-Identifier: Apache-2.0
// Sessions that clients of ours resume: who may, and what is still asked of them.
#include "net/tls_tickets.h"

#include <gtest/gtest.h>

#include <future>
#include <tuple>

#include "net/event_loop.h"
#include "net/listener.h"
#include "net/openssl_peer.h"

namespace tidegate::net {
namespace {

using namespace std::chrono_literals;
using test::OpensslClient;
using test::SslSession;

KeyPair authority_named(const std::string& name) {
  return make_certificate_authority(name, system_clock().now()).value_or({});
}

KeyPair leaf(const KeyPair& authority, const std::string& name, TimePoint made = system_clock().now()) {
  CertificateRequest request;
  request.common_name = name;
  request.client = true;
  request.days = 1;
  return make_certificate(authority, request, made).value_or({});
}

std::string ticket(const SslSession& session) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  ::SSL_SESSION_get0_ticket(session.get(), &bytes, &size);
  return {reinterpret_cast<const char*>(bytes), size};
}

// By the engine below, and the version of TLS.
class Resumption : public testing::TestWithParam<std::tuple<EventLoop::Sockets, int>> {
 protected:
  struct Told {
    bool connected = false, resumed = false;
    std::string greeting;  // of our side: the client's verified name, then the name that it asked for
    std::string server_common_name;
    SslSession session;  // as it is behind the greeting
  };

  ServerTlsOptions server(const std::string& client_ca = {}, bool required = true) {
    ServerTlsOptions options;
    options.identity = identity_;
    options.client_ca_pem = client_ca;
    options.require_client_certificate = required && !client_ca.empty();
    return options;
  }
  static std::shared_ptr<TlsContext> context(const ServerTlsOptions& options) {
    return make_server_tls(options).value_or(nullptr);
  }

  // One connection of a client to a server of these settings.
  Told talk(const std::shared_ptr<TlsContext>& context, OpensslClient::Settings settings) {
    settings.version = std::get<1>(GetParam());
    loop_.io().restart();
    std::vector<std::unique_ptr<Handshake>> handshakes;
    std::unique_ptr<Stream> stream;
    std::string greeting;
    auto listener = Listener::open(loop_.io(), {{"127.0.0.1", 0}}, [&](TcpSocket socket) {
      handshakes.push_back(accept_tls(std::move(socket), context, [&](Result<std::unique_ptr<Stream>> made) {
        if (!made) return;
        stream = std::move(*made);
        greeting = std::string(stream->peer_common_name()) + "@" + std::string(stream->server_name());
        const std::string_view parts[] = {greeting};
        stream->write(parts, [](Result<void>) {});
      }));
    });
    EXPECT_TRUE(listener);
    auto told = std::async(std::launch::async, [&settings, address = (*listener)->address()] {
      OpensslClient client(address, settings);
      Told told;
      told.connected = client.connected();
      if (told.connected)
        told.greeting = client.read();  // TLS 1.3: tickets, or that it is refused, come first
      told.connected = !told.greeting.empty();
      told.resumed = client.resumed();
      told.server_common_name = client.server_common_name();
      if (told.connected) told.session = client.session();
      return told;
    });
    while (told.wait_for(0s) != std::future_status::ready) loop_.io().run_one_for(5ms);
    return told.get();
  }

  EventLoop loop_{std::get<0>(GetParam())};
  KeyPair authority_ = authority_named("clients");
  KeyPair identity_ = leaf(authority_named("servers"), "gate");
};

INSTANTIATE_TEST_SUITE_P(
    Tls, Resumption,
    testing::Combine(testing::Values(EventLoop::Sockets::kAsio, EventLoop::Sockets::kPoller),
                     testing::Values(TLS1_2_VERSION, TLS1_3_VERSION)),
    [](const auto& info) {
      return std::string(std::get<0>(info.param) == EventLoop::Sockets::kAsio ? "Asio" : "Poller") +
             (std::get<1>(info.param) == TLS1_2_VERSION ? "12" : "13");
    });

TEST_P(Resumption, ASessionIsResumed) {
  const auto here = context(server());
  const auto first = talk(here, {.name = "shop.test"});
  EXPECT_FALSE(first.resumed);
  const auto again = talk(here, {.name = "shop.test", .session = first.session.get()});
  EXPECT_TRUE(again.resumed);
  EXPECT_EQ(again.greeting, "@shop.test");
}

// RFC 8446 appendix C.4: clients use a ticket once, so that each connection has to bring the next. Those of
// TLS 1.2 would hold the same secret.
TEST_P(Resumption, AResumedConnectionBringsTheNextTicket) {
  const auto here = context(server());
  const auto first = talk(here, {});
  const auto again = talk(here, {.session = first.session.get()});
  ASSERT_TRUE(again.resumed);
  EXPECT_EQ(ticket(again.session) != ticket(first.session), std::get<1>(GetParam()) == TLS1_3_VERSION);
  EXPECT_TRUE(talk(here, {.session = again.session.get()}).resumed);
}

TEST_P(Resumption, AnotherWorkerResumesItToo) {
  const auto first = talk(context(server()), {});
  EXPECT_TRUE(talk(context(server()), {.session = first.session.get()}).resumed);
}

TEST_P(Resumption, ANewCertificateOfOursEndsNoSession) {
  const auto first = talk(context(server()), {});
  identity_ = leaf(authority_named("servers"), "gate");
  EXPECT_TRUE(talk(context(server()), {.session = first.session.get()}).resumed);
}

TEST_P(Resumption, AResumedClientIsWhoItWasFoundToBe) {
  const auto here = context(server(authority_.certificate_pem));
  const auto first = talk(here, {.identity = leaf(authority_, "alice")});
  EXPECT_EQ(first.greeting, "alice@");
  const auto again = talk(here, {.session = first.session.get()});
  EXPECT_TRUE(again.resumed);
  EXPECT_EQ(again.greeting, "alice@");
}

TEST_P(Resumption, NoSessionStandsInForACertificate) {
  const std::string other = authority_named("others").certificate_pem;
  struct Case {
    const char* what;
    ServerTlsOptions begun;
    KeyPair identity;
  };
  const Case cases[] = {
      {"begun where nobody is asked", server(), {}},
      {"begun where a certificate is welcome", server(authority_.certificate_pem, false), {}},
      {"begun where another authority's is asked for", server(authority_.certificate_pem + other),
       leaf(authority_, "alice")},
  };
  for (const auto& [what, begun, identity] : cases) {
    const auto first = talk(context(begun), {.identity = identity});
    ASSERT_TRUE(first.connected) << what;
    const auto strict = context(server(authority_.certificate_pem));
    const auto refused = talk(strict, {.session = first.session.get()});
    EXPECT_FALSE(refused.connected) << what;
    const auto anew = talk(strict, {.identity = leaf(authority_, "bob"), .session = first.session.get()});
    EXPECT_FALSE(anew.resumed) << what;
    EXPECT_EQ(anew.greeting, "bob@") << what;
  }
}

TEST_P(Resumption, ASessionIsOfOneName) {
  const KeyPair issuer = authority_named("servers");
  const auto both = make_server_tls(std::vector<NamedIdentity>{{"a.test", leaf(issuer, "a.test")},
                                                               {"*.b.test", leaf(issuer, "*.b.test")}})
                        .value_or(nullptr);
  const auto a = talk(both, {.name = "a.test"});
  const auto b = talk(both, {.name = "one.b.test"});
  EXPECT_TRUE(talk(both, {.name = "a.test", .session = a.session.get()}).resumed);
  EXPECT_TRUE(talk(both, {.name = "one.b.test", .session = b.session.get()}).resumed);
  for (const auto& [name, session, shown] : {std::tuple("one.b.test", a.session.get(), "*.b.test"),
                                             std::tuple("a.test", b.session.get(), "a.test"),
                                             std::tuple("two.b.test", b.session.get(), "*.b.test")}) {
    const auto other = talk(both, {.name = name, .session = session});
    EXPECT_TRUE(other.connected) << name;
    EXPECT_FALSE(other.resumed) << name;
    EXPECT_EQ(other.server_common_name, shown);
    EXPECT_EQ(other.greeting, "@" + std::string(name));
  }
}

// Certificates tell time by the second, and OpenSSL by a clock that is some milliseconds late: once is
// enough.
class SlowResumption : public Resumption {};
INSTANTIATE_TEST_SUITE_P(Tls, SlowResumption,
                         testing::Values(std::tuple(EventLoop::Sockets::kPoller, TLS1_3_VERSION)));

TEST_P(SlowResumption, ASessionEndsWithTheClientsCertificate) {
  const auto here = context(server(authority_.certificate_pem));
  const auto made = std::chrono::ceil<std::chrono::seconds>(system_clock().now()) - 24h + 2s;
  const auto first = talk(here, {.identity = leaf(authority_, "alice", made)});
  ASSERT_EQ(first.greeting, "alice@");
  while (system_clock().now() < made + 24h + 50ms) loop_.io().run_one_for(10ms);
  EXPECT_FALSE(talk(here, {.session = first.session.get()}).connected);
}

TEST(TicketKeys, AreReplacedAndOpenTicketsForAsLongAgain) {
  TicketKeys keys;
  const SteadyTime start{};
  const auto first = keys.newest(start);
  EXPECT_EQ(keys.newest(start + 119min).name, first.name);
  const auto second = keys.newest(start + 121min);
  EXPECT_NE(second.name, first.name);
  EXPECT_NE(second.cipher, first.cipher);
  EXPECT_NE(second.mac, first.mac);
  ASSERT_TRUE(keys.find(first.name.data(), start + 239min));
  EXPECT_EQ(keys.find(first.name.data(), start + 239min)->cipher, first.cipher);
  EXPECT_TRUE(keys.find(second.name.data(), start + 239min));
  EXPECT_FALSE(keys.find(first.name.data(), start + 242min));
  EXPECT_TRUE(keys.find(second.name.data(), start + 242min));
}

TEST(TicketKeys, OldOnesOpenNothingHoweverQuietItWas) {
  TicketKeys keys;
  const SteadyTime start{};
  const auto first = keys.newest(start);
  EXPECT_FALSE(keys.find(first.name.data(), start + 10h));
}

}  // namespace
}  // namespace tidegate::net
