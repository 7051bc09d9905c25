// SPDX-License-Identifier: Apache-2.0
// TLS to backends: who they must prove to be, and that nothing goes out in the clear where they do not.
#include <gtest/gtest.h>

#include <future>
#include <set>

#include "net/openssl_peer.h"
#include "net/task.h"
#include "net/tls.h"
#include "net/tls_context.h"
#include "proxy/mixed_load.h"
#include "proxy/testbed.h"
#include "session/http_client.h"
#include "session/http_server.h"

namespace tidegate::proxy::test {
namespace {

net::KeyPair authority_named(const std::string& name) {
  return net::make_certificate_authority(name, system_clock().now()).value_or({});
}

class BackendTlsTest : public ::testing::Test {
 protected:
  BackendTlsTest() : table(address) {
    table.rule("/", {{table.backend("cart", {})}});
    tls().hostname = "cart.test";
    tls().ca_pem = authority.certificate_pem;
  }

  routing::BackendTls& tls() {
    auto& settings = table.table.backends[0].tls;
    return settings ? *settings : settings.emplace();
  }

  // An origin that shows a certificate of `issuer`, and answers 200 with the host name that it was asked for.
  // `asks`: it takes no connection without a certificate of this authority's.
  void serve(const net::KeyPair& issuer, TimePoint made_at = system_clock().now(),
             const net::KeyPair& asks = {}) {
    net::CertificateRequest request;
    request.common_name = "cart";
    request.dns_names = {"cart.test"};
    request.uris = {"spiffe://shop/cart"};
    request.days = 1;
    const auto pair = net::make_certificate(issuer, request, made_at);
    ASSERT_TRUE(pair) << pair.error().detail;
    net::ServerTlsOptions options;
    options.identity = *pair;
    options.client_ca_pem = asks.certificate_pem;
    options.require_client_certificate = !asks.certificate_pem.empty();
    const auto context = net::make_server_tls(options);
    ASSERT_TRUE(context) << context.error().detail;
    origin_tls = *context;
    open(0);
    table.table.backends[0].endpoints = {{origin->address().ip, origin->address().port, false}};
  }

  void open(std::uint16_t port) {
    auto opened = session::HttpServer::open(proxy.control.io(), proxy.control.scheduler(),
                                            {.address = {own_ip(), port}, .tls = origin_tls, .limits = {}},
                                            [this](session::Request request, session::Responder responder) {
                                              ++requests;
                                              shown = request.client_common_name;
                                              if (!holds_back) return responder.send({.body = "{}"});
                                              responder.begin(200, "text/plain");
                                              held = responder;
                                            });
    ASSERT_TRUE(opened) << opened.error().detail;
    origin = std::move(*opened);
  }

  // Of a GET through the proxy.
  int get() {
    proxy.publish(table.build());
    const auto answer = begin();
    EXPECT_TRUE(proxy.wait_until([&] { return answer->status != 0; }));
    return answer->status;
  }

  std::shared_ptr<session::ClientResponse> begin() {
    auto answer = std::make_shared<session::ClientResponse>();
    auto client = std::make_shared<session::HttpClient>(proxy.control.io(), proxy.control.scheduler(),
                                                        session::Endpoint{address, nullptr, {}}, "shop");
    net::spawn(proxy.control.io(), ask(client, answer));
    return answer;
  }

  static Task<void> ask(std::shared_ptr<session::HttpClient> client,
                        std::shared_ptr<session::ClientResponse> answer) {
    session::ClientRequest request;
    auto response = co_await client->send(request);
    if (response)
      *answer = std::move(*response);
    else
      answer->status = -1;
  }

  routing::ClientIdentity identity(const std::string& name, const net::KeyPair& issuer) {
    net::CertificateRequest request;
    request.common_name = name;
    request.client = true;
    const auto pair = net::make_certificate(issuer, request, system_clock().now()).value_or({});
    return {"Secret shop/" + name, pair.certificate_pem, pair.private_key_pem};
  }

  net::KeyPair authority = authority_named("test CA");
  net::Address address = free_address();
  TableBuilder table;
  ProxyUnderTest proxy;
  std::unique_ptr<session::HttpServer> origin;
  std::shared_ptr<net::TlsContext> origin_tls;
  int requests = 0;
  std::string shown;  // the common name that the last request came with
  bool holds_back = false;
  std::optional<session::Responder> held;  // has begun its answer
};

TEST_F(BackendTlsTest, AnOriginThatProvesItsNameIsServed) {
  serve(authority);
  EXPECT_EQ(get(), 200);
  EXPECT_EQ(requests, 1);
}

TEST_F(BackendTlsTest, AlternativeNamesReplaceTheHostName) {
  serve(authority);
  tls().hostname = "asked.test";
  tls().uris = {"spiffe://shop/else", "spiffe://shop/cart"};
  EXPECT_EQ(get(), 200);
  tls().uris.clear();
  tls().dns_names = {"cart.test"};
  EXPECT_EQ(get(), 200);
}

TEST_F(BackendTlsTest, ConnectionsOutliveTablesWithTheSameSettings) {
  serve(authority);
  EXPECT_EQ(get(), 200);
  table.listener().rules[0].name = "another";
  EXPECT_EQ(get(), 200);
  EXPECT_EQ(origin->connections(), 1U);
}

TEST_F(BackendTlsTest, MoreConnectionsResumeTheSessionOfTheFirst) {
  serve(authority, system_clock().now(), authority);
  tls().identity = identity("gate", authority);
  EXPECT_EQ(get(), 200);
  EXPECT_EQ(::SSL_CTX_sess_hits(origin_tls->native()), 0);
  const auto port = origin->address().port;
  origin.reset();  // with the connection that the pool would rather keep
  open(port);
  EXPECT_EQ(get(), 200);
  EXPECT_EQ(::SSL_CTX_sess_hits(origin_tls->native()), 1);
  EXPECT_EQ(shown, "gate");
}

// HTTP/2 where the Service's appProtocol says so: nothing else is specified for backends over TLS.
TEST_F(BackendTlsTest, OffersTheOneProtocolThatIsSpokenInsideAndResumes) {
  net::CertificateRequest request;
  request.dns_names = {"cart.test"};
  const auto pair = net::make_certificate(authority, request, system_clock().now()).value_or({});
  const net::test::OpensslServer server({.identity = pair});
  auto& backend = table.table.backends[0];
  backend.endpoints = {{server.address().ip, server.address().port, false}};
  for (const auto& [protocol, offered] :
       {std::pair("http", "\x08http/1.1"), std::pair("ws", "\x08http/1.1"), std::pair("h2c", "\x02h2")}) {
    backend.protocol = protocol;
    get();
    EXPECT_EQ(server.offered(), offered) << protocol;
    const int before = server.resumed();
    get();
    EXPECT_GT(server.resumed(), before) << protocol;
  }
}

TEST_F(BackendTlsTest, WhoeverProvesNothingGetsNothing) {
  using Settings = std::function<void(routing::BackendTls&)>;
  struct Case {
    const char* what;
    Settings settings;
  };
  const Case cases[] = {
      {"another CA", [](auto& tls) { tls.ca_pem = authority_named("other CA").certificate_pem; }},
      {"the system's CAs", [](auto& tls) { tls.ca_pem.clear(); }},
      {"another host name", [](auto& tls) { tls.hostname = "pay.test"; }},
      {"another URI", [](auto& tls) { tls.uris = {"spiffe://shop/pay"}; }},
      {"another DNS name", [](auto& tls) { tls.dns_names = {"pay.test"}; }},
      {"the common name is no DNS name", [](auto& tls) { tls.dns_names = {"cart"}; }},
  };
  serve(authority);
  const auto right = tls();
  for (const auto& [what, settings] : cases) {
    tls() = right;
    settings(tls());
    EXPECT_EQ(get(), 502) << what;
  }
  EXPECT_EQ(requests, 0);
  EXPECT_TRUE(proxy.wait_until([&] {
    return proxy.metric("tidegate_backend_failures_total", {"reason=\"tls\""}) == std::size(cases);
  }));
}

TEST_F(BackendTlsTest, AnExpiredCertificateIsRefused) {
  serve(authority, system_clock().now() - std::chrono::hours(72));
  EXPECT_EQ(get(), 502);
}

TEST_F(BackendTlsTest, NothingIsSentWhereTheSettingsAreBad) {
  serve(authority);
  tls().invalid = "no CA certificate";
  EXPECT_EQ(get(), 502);
  tls().invalid.clear();
  tls().ca_pem = "garbage";
  EXPECT_EQ(get(), 502);
  EXPECT_EQ(requests, 0);
  EXPECT_EQ(origin->connections(), 0U);
}

// GEP-3155.
TEST_F(BackendTlsTest, AnOriginThatAsksWhoItIsIsShownTheIdentity) {
  serve(authority, system_clock().now(), authority);
  tls().identity = identity("gate", authority);
  EXPECT_EQ(get(), 200);
  EXPECT_EQ(shown, "gate");
}

TEST_F(BackendTlsTest, AnOriginThatAsksGetsNothingWithoutTheRightIdentity) {
  serve(authority, system_clock().now(), authority);
  EXPECT_EQ(get(), 502);
  tls().identity = identity("stranger", authority_named("other CA"));
  EXPECT_EQ(get(), 502);
  EXPECT_EQ(requests, 0);
}

TEST_F(BackendTlsTest, EachEntryOfAServiceIsShownItsOwnIdentity) {
  serve(authority, system_clock().now(), authority);
  tls().identity = identity("one", authority);
  table.table.backends.push_back(table.table.backends[0]);
  table.table.backends[1].tls->identity = identity("two", authority);
  EXPECT_EQ(get(), 200);
  EXPECT_EQ(shown, "one");
  table.listener().rules[0].backends[0].backend = 1;
  EXPECT_EQ(get(), 200);
  EXPECT_EQ(shown, "two");
  // One Service for all that counts it.
  EXPECT_EQ(proxy.metric("tidegate_backend_endpoints", {"state=\"ready\""}), 1);
}

TEST_F(BackendTlsTest, ANewIdentityIsShownWithoutCuttingWhatRuns) {
  serve(authority, system_clock().now(), authority);
  tls().identity = identity("old", authority);
  holds_back = true;
  proxy.publish(table.build());
  const auto running = begin();
  ASSERT_TRUE(proxy.wait_until([&] { return held.has_value(); }));
  holds_back = false;
  tls().identity = identity("new", authority);
  EXPECT_EQ(get(), 200);
  EXPECT_EQ(shown, "new");
  EXPECT_EQ(running->status, 0);
  held->write("whole");
  held->end();
  EXPECT_TRUE(proxy.wait_until([&] { return running->status != 0; }));
  EXPECT_EQ(running->status, 200);
  EXPECT_EQ(running->body, "whole");
  EXPECT_TRUE(proxy.wait_until([&] { return origin->connections() == 1; }));  // the old one goes after that
}

TEST_F(BackendTlsTest, IdentitiesChangeUnderLoadWithoutALostRequest) {
  serve(authority, system_clock().now(), authority);
  const routing::ClientIdentity identities[] = {identity("one", authority), identity("two", authority)};
  tls().identity = identities[0];
  proxy.publish(table.build());
  MixedLoad load({{address, false, nullptr, 4, 1}, {address, true, nullptr, 2, 4}});
  std::set<std::string> seen;
  for (int change = 1; change <= 40; ++change) {
    tls().identity = identities[change % 2];
    proxy.publish(table.build());
    ASSERT_TRUE(proxy.wait_until([&, until = load.done() + 10] { return load.done() >= until; }))
        << load.first_failure();
    seen.insert(shown);
  }
  // The origin answers on this thread.
  const auto stopped = std::async(std::launch::async, [&] { load.stop(); });
  EXPECT_TRUE(proxy.wait_until(
      [&] { return stopped.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }));
  EXPECT_EQ(load.failed() + load.closed(), 0) << load.first_failure();
  EXPECT_EQ(requests, load.done());
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_EQ(proxy.metric("tidegate_backend_failures_total"), -1) << proxy.metrics();
}

TEST_F(BackendTlsTest, AnIdentityThatDoesNotFitItsKeyIsNamed) {
  serve(authority);
  tls().identity = identity("gate", authority);
  tls().identity->private_key_pem = identity("else", authority).private_key_pem;
  proxy.publish(table.build());
  const auto answer = begin();
  EXPECT_TRUE(proxy.wait_until([&] { return answer->status != 0; }));
  EXPECT_EQ(answer->status, 502);
  EXPECT_NE(answer->body.find("Secret shop/gate: private key: "), std::string::npos) << answer->body;
  EXPECT_EQ(requests, 0);
}

}  // namespace
}  // namespace tidegate::proxy::test
