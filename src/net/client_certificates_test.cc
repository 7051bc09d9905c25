// SPDX-License-Identifier: Apache-2.0
// Who is let in by the certificate that it shows, and who is not.
#include <gtest/gtest.h>

#include <future>
#include <tuple>

#include "net/event_loop.h"
#include "net/limits.h"
#include "net/listener.h"
#include "net/openssl_peer.h"
#include "net/tls_context.h"

namespace tidegate::net {
namespace {

using namespace std::chrono_literals;
using test::OpensslClient;
using test::SslSession;

KeyPair authority_named(const std::string& name) {
  return make_certificate_authority(name, system_clock().now()).value_or({});
}

struct LeafOptions {
  bool client = true;
  TimePoint made = system_clock().now();
  int names = 0;
};
KeyPair leaf(const KeyPair& authority, const std::string& name, const LeafOptions& options = {}) {
  CertificateRequest request;
  request.common_name = name;
  request.client = options.client;
  request.days = 1;
  for (int i = 0; i < options.names; ++i) request.dns_names.push_back(std::to_string(i) + ".clients.test");
  return make_certificate(authority, request, options.made).value_or({});
}

// The same key, but certified by `issuer`, authority or not.
KeyPair certified_by(const KeyPair& issuer, const KeyPair& subject) {
  const auto certificates = read_certificates(subject.certificate_pem),
             issuers = read_certificates(issuer.certificate_pem);
  const auto key = read_private_key(issuer.private_key_pem);
  X509* certificate = certificates->front().get();
  if (const int place = ::X509_get_ext_by_NID(certificate, NID_authority_key_identifier, -1); place >= 0)
    ::X509_EXTENSION_free(::X509_delete_ext(certificate, place));
  ::X509_set_issuer_name(certificate, ::X509_get_subject_name(issuers->front().get()));
  ::X509_sign(certificate, key->get(), ::EVP_sha256());
  return {write_certificate(certificate), subject.private_key_pem};
}

KeyPair with_chain(KeyPair pair, const KeyPair& issuer) {
  pair.certificate_pem += issuer.certificate_pem;
  return pair;
}

using Proof = std::shared_ptr<const ClientProof>;

// By the engine below, and the version of TLS.
class ClientCertificates : public testing::TestWithParam<std::tuple<EventLoop::Sockets, int>> {
 protected:
  struct Told {
    bool connected = false, resumed = false;
    std::string greeting;  // the client's verified name, then the name that it asked for
    std::string why;       // not
    ErrorCode code = ErrorCode::kInternal;
    Proof proof;
    SslSession session;  // as it is behind the greeting
  };

  std::shared_ptr<TlsContext> asking(const std::string& ca, bool required = true, bool any = false) {
    ServerTlsOptions options;
    options.identity = identity_;
    options.client_ca_pem = ca;
    options.require_client_certificate = required;
    options.take_any_certificate = any;
    return make_server_tls(options).value_or(nullptr);
  }

  NamedIdentity named(const std::string& name, const std::string& ca, bool may_go_without = false) {
    return {name, identity_, ca, may_go_without};
  }
  static std::shared_ptr<TlsContext> serving(const std::vector<NamedIdentity>& identities) {
    return make_server_tls(identities).value_or(nullptr);
  }

  // One connection of a client to a server of these settings.
  Told talk(const std::shared_ptr<TlsContext>& context, OpensslClient::Settings settings) {
    settings.version = std::get<1>(GetParam());
    loop_.io().restart();
    std::vector<std::unique_ptr<Handshake>> handshakes;
    std::unique_ptr<Stream> stream;
    std::string greeting;
    Error error{ErrorCode::kInternal, ""};
    Proof proof;
    auto listener = Listener::open(loop_.io(), {{"127.0.0.1", 0}}, [&](TcpSocket socket) {
      handshakes.push_back(accept_tls(std::move(socket), context, [&](Result<std::unique_ptr<Stream>> made) {
        if (!made) {
          error = made.error();
          return handshakes.clear();
        }
        stream = std::move(*made);
        proof = stream->client_proof();
        greeting = std::string(stream->peer_common_name()) + "@" + std::string(stream->server_name());
        const std::string_view parts[] = {greeting};
        stream->write(parts, [](Result<void>) {});
      }));
    });
    EXPECT_TRUE(listener);
    auto told = std::async(std::launch::async, [&settings, address = (*listener)->address()] {
      OpensslClient client(address, settings);
      Told told;
      if (client.connected()) told.greeting = client.read();  // TLS 1.3: that it is refused comes first
      told.connected = !told.greeting.empty();
      told.resumed = client.resumed();
      if (told.connected) told.session = client.session();
      return told;
    });
    const auto limit = system_clock().steady_now() + 20s;
    while (told.wait_for(0s) != std::future_status::ready ||
           (!stream && error.detail.empty() && system_clock().steady_now() < limit))
      loop_.io().run_one_for(5ms);
    Told out = told.get();
    out.why = error.detail;
    out.code = error.code;
    out.proof = proof;
    return out;
  }

  EventLoop loop_{std::get<0>(GetParam())};
  KeyPair authority_ = authority_named("clients"), others_ = authority_named("others");
  KeyPair identity_ = leaf(authority_named("servers"), "gate", {.client = false});
};

INSTANTIATE_TEST_SUITE_P(
    Tls, ClientCertificates,
    testing::Combine(testing::Values(EventLoop::Sockets::kAsio, EventLoop::Sockets::kPoller),
                     testing::Values(TLS1_2_VERSION, TLS1_3_VERSION)),
    [](const auto& info) {
      return std::string(std::get<0>(info.param) == EventLoop::Sockets::kAsio ? "Asio" : "Poller") +
             (std::get<1>(info.param) == TLS1_2_VERSION ? "12" : "13");
    });

TEST_P(ClientCertificates, AreVerifiedAndARefusalSaysWhy) {
  const KeyPair middle = certified_by(authority_, authority_named("middle"));
  const KeyPair bob = leaf(authority_, "bob");
  const auto now = system_clock().now();
  struct Case {
    const char* what;
    std::string ca;
    KeyPair shown;
    const char* why;  // null: let in
  };
  const Case cases[] = {
      {"of the authority", authority_.certificate_pem, leaf(authority_, "alice"), nullptr},
      {"of one of two", others_.certificate_pem + authority_.certificate_pem, leaf(authority_, "alice"),
       nullptr},
      {"by an intermediate that is sent", authority_.certificate_pem,
       with_chain(leaf(middle, "alice"), middle), nullptr},
      {"of an authority that is no root", middle.certificate_pem, leaf(middle, "alice"), nullptr},
      {"none", authority_.certificate_pem, {}, "shows no certificate"},
      {"of another authority", authority_.certificate_pem, leaf(others_, "alice"), "unable to get"},
      {"of another authority by the same name", authority_.certificate_pem,
       leaf(authority_named("clients"), "alice"), "unable to get"},
      {"by an intermediate that is not sent", authority_.certificate_pem, leaf(middle, "alice"),
       "unable to get"},
      {"above the authority", middle.certificate_pem, leaf(authority_, "alice"), "unable to get"},
      {"by who is no authority", authority_.certificate_pem,
       with_chain(certified_by(bob, leaf(authority_, "alice")), bob), "invalid CA"},
      {"run out", authority_.certificate_pem, leaf(authority_, "alice", {.made = now - 48h}), "expired"},
      {"not yet", authority_.certificate_pem, leaf(authority_, "alice", {.made = now + 48h}),
       "not yet valid"},
      {"of servers", authority_.certificate_pem, leaf(authority_, "alice", {.client = false}), "purpose"},
      {"signed by itself", authority_.certificate_pem, authority_named("alice"), "self"},
  };
  for (const auto& [what, ca, shown, why] : cases) {
    const auto told = talk(asking(ca), {.identity = shown});
    EXPECT_EQ(told.connected, why == nullptr) << what << ": " << told.why;
    EXPECT_EQ(told.proof != nullptr, why == nullptr) << what;
    if (why == nullptr) {
      EXPECT_EQ(told.greeting, "alice@") << what;
      continue;
    }
    EXPECT_EQ(told.code, ErrorCode::kForbidden) << what;
    EXPECT_NE(told.why.find(why), std::string::npos) << what << ": " << told.why;
  }
}

TEST_P(ClientCertificates, OtherFailuresAreNoRefusals) {
  const auto told = talk(make_refusing_tls(), {.identity = leaf(authority_, "alice")});
  EXPECT_FALSE(told.connected);
  EXPECT_EQ(told.code, ErrorCode::kUnavailable);
}

TEST_P(ClientCertificates, MoreThanTheyMayBeAreNotRead) {
  const auto told =
      talk(asking(authority_.certificate_pem), {.identity = leaf(authority_, "alice", {.names = 3000})});
  EXPECT_FALSE(told.connected);
}

TEST_P(ClientCertificates, AreWelcomeButNotNeededWhereTheFallbackIsOn) {
  const auto fallback = asking(authority_.certificate_pem, false, true);
  struct Case {
    const char* what;
    KeyPair shown;
    const char* greeting;
  };
  const Case cases[] = {{"none", {}, "@"},
                        {"a good one", leaf(authority_, "alice"), "alice@"},
                        {"another authority's", leaf(others_, "alice"), "@"},
                        {"run out", leaf(authority_, "alice", {.made = system_clock().now() - 48h}), "@"},
                        {"of servers", leaf(authority_, "alice", {.client = false}), "@"}};
  for (const auto& [what, shown, greeting] : cases) {
    const auto told = talk(fallback, {.identity = shown});
    EXPECT_EQ(told.greeting, greeting) << what;
    EXPECT_EQ(told.proof != nullptr, std::string_view(greeting) == "alice@") << what;
    // Its session is worth nothing where it would have to show more.
    ASSERT_TRUE(told.session) << what;
    EXPECT_FALSE(talk(asking(authority_.certificate_pem), {.session = told.session.get()}).connected) << what;
  }
}

TEST_P(ClientCertificates, AreAskedForByName) {
  const KeyPair alice = leaf(authority_, "alice"), bob = leaf(others_, "bob");
  const auto server = serving({named("open.test", ""), named("a.test", authority_.certificate_pem),
                               named("*.b.test", others_.certificate_pem),
                               named("c.test", authority_.certificate_pem, true)});
  struct Case {
    const char* name;
    KeyPair shown;
    bool connected;
  };
  const Case cases[] = {{"open.test", {}, true}, {"open.test", alice, true}, {"", {}, true},
                        {"a.test", {}, false},   {"a.test", alice, true},    {"a.test", bob, false},
                        {"A.TEST", {}, false},   {"x.b.test", {}, false},    {"x.b.test", alice, false},
                        {"x.b.test", bob, true}, {".b.test", {}, false},     {"c.test", {}, true},
                        {"c.test", bob, true},   {"d.test", alice, false}};
  for (const auto& [name, shown, connected] : cases)
    EXPECT_EQ(talk(server, {.name = name, .identity = shown}).connected, connected) << name;
}

TEST_P(ClientCertificates, AreAskedOfClientsWithoutANameWhereTheFirstListenerAsks) {
  const auto server = serving({named("a.test", authority_.certificate_pem), named("open.test", "")});
  EXPECT_FALSE(talk(server, {}).connected);
  EXPECT_TRUE(talk(server, {.identity = leaf(authority_, "alice")}).connected);
  EXPECT_TRUE(talk(server, {.name = "open.test"}).connected);
}

TEST_P(ClientCertificates, OfSessionsAreThoseOfTheNamesAuthorities) {
  const auto begun = serving({named("open.test", ""), named("a.test", authority_.certificate_pem)});
  const auto alice = talk(begun, {.name = "a.test", .identity = leaf(authority_, "alice")});
  ASSERT_TRUE(alice.connected);
  const auto same = talk(begun, {.name = "a.test", .session = alice.session.get()});
  EXPECT_TRUE(same.resumed);
  EXPECT_EQ(same.greeting, "alice@a.test");
  EXPECT_NE(same.proof, nullptr);

  const auto stranger = talk(begun, {.name = "open.test"});
  EXPECT_FALSE(talk(begun, {.name = "a.test", .session = stranger.session.get()}).connected);
  const auto swapped = serving({named("open.test", ""), named("a.test", others_.certificate_pem)});
  EXPECT_FALSE(talk(swapped, {.name = "a.test", .session = alice.session.get()}).connected);
  const auto opened = serving({named("a.test", "")});
  EXPECT_FALSE(talk(opened, {.name = "a.test", .session = alice.session.get()}).resumed);
}

TEST_P(ClientCertificates, AnEarlierOneIsJudgedAgain) {
  const KeyPair middle = certified_by(authority_, authority_named("middle"));
  const auto strict = serving({named("a.test", authority_.certificate_pem)});
  const Proof direct = talk(strict, {.name = "a.test", .identity = leaf(authority_, "alice")}).proof;
  const Proof chained =
      talk(strict, {.name = "a.test", .identity = with_chain(leaf(middle, "bob"), middle)}).proof;
  ASSERT_TRUE(direct && chained);
  struct Case {
    const char* what;
    std::shared_ptr<TlsContext> server;
    bool direct, chained, none;
  };
  const std::string both = others_.certificate_pem + authority_.certificate_pem;
  const Case cases[] = {
      {"the same", strict, true, true, false},
      {"one more authority", serving({named("a.test", both)}), true, true, false},
      {"another authority", serving({named("a.test", others_.certificate_pem)}), false, false, false},
      {"the intermediate alone", serving({named("a.test", middle.certificate_pem)}), false, true, false},
      {"nothing asked", serving({named("a.test", "")}), true, true, true},
      {"fallback", serving({named("a.test", others_.certificate_pem, true)}), true, true, true},
      {"another name asks", serving({named("a.test", ""), named("b.test", others_.certificate_pem)}), true,
       true, true},
      {"nobody is served", make_refusing_tls(), false, false, false},
  };
  for (const auto& [what, server, admits_direct, admits_chained, admits_none] : cases) {
    EXPECT_EQ(admits(*server, "A.test", direct.get()), admits_direct) << what;
    EXPECT_EQ(admits(*server, "a.test", chained.get()), admits_chained) << what;
    EXPECT_EQ(admits(*server, "a.test", nullptr), admits_none) << what;
  }
}

TEST(ClientAuthorities, ThatCannotBeReadAreNamed) {
  const KeyPair identity = leaf(authority_named("servers"), "gate");
  const auto made = make_server_tls(
      std::vector<NamedIdentity>{{"a.test", identity}, {"b.test", identity, "no certificate"}});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().detail.find("b.test"), std::string::npos) << made.error().detail;
  EXPECT_NE(made.error().detail.find("CA certificate of clients"), std::string::npos) << made.error().detail;
}

// Over memory: RFC 8446 section 4.1.4, a server that wants another group has the client begin again.
class SecondHello : public testing::Test {
 protected:
  SecondHello() {
    const KeyPair identity = leaf(authority_named("servers"), "gate", {.client = false});
    server_ = make_server_tls(std::vector<NamedIdentity>{
                                  {"open.test", identity},
                                  {"a.test", identity, authority_named("clients").certificate_pem}})
                  .value_or(nullptr);
    for (TlsContext* context : {server_.get(), server_->by_name().at("a.test").get()})
      ::SSL_CTX_set1_groups_list(context->native(), "P-256");
    client_context_.reset(::SSL_CTX_new(::TLS_client_method()));
    ::SSL_CTX_set1_groups_list(client_context_.get(), "X25519:P-256");
    client_.reset(::SSL_new(client_context_.get()));
    ours_.reset(::SSL_new(server_->native()));
    BIO *here = nullptr, *there = nullptr;
    ::BIO_new_bio_pair(&here, 0, &there, 0);
    ::SSL_set_bio(client_.get(), here, here);
    ::SSL_set_bio(ours_.get(), there, there);
    ::SSL_set_connect_state(client_.get());
    ::SSL_set_accept_state(ours_.get());
  }
  // Whether the server ends its handshake well.
  bool shake_hands(const char* first, const char* second) {
    ::SSL_set_tlsext_host_name(client_.get(), first);
    for (int turn = 0; turn < 6; ++turn) {
      ::SSL_do_handshake(client_.get());
      const int result = ::SSL_do_handshake(ours_.get());
      if (result == 1) return true;
      if (::SSL_get_error(ours_.get(), result) != SSL_ERROR_WANT_READ) return false;
      if (turn == 0) ::SSL_set_tlsext_host_name(client_.get(), second);
    }
    return false;
  }

  std::shared_ptr<TlsContext> server_;
  test::SslContext client_context_;
  test::Ssl client_, ours_;
};

TEST_F(SecondHello, OfTheSameNameGoesOn) { EXPECT_TRUE(shake_hands("open.test", "open.test")); }

TEST_F(SecondHello, OfAnotherNameEndsTheHandshake) { EXPECT_FALSE(shake_hands("open.test", "a.test")); }

}  // namespace
}  // namespace tidegate::net
