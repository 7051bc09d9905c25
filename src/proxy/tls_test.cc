// SPDX-License-Identifier: Apache-2.0
// TLS termination: a certificate for each listener of a port, by SNI.
#include <gtest/gtest.h>

#include "net/openssl_peer.h"
#include "net/task.h"
#include "net/tls.h"
#include "proxy/testbed.h"
#include "session/http_client.h"

namespace tidegate::proxy::test {
namespace {

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() : backend("web"), table(address, "shop.example") {
    table.rule("/", {{table.backend("web", {backend.endpoint()})}});
    auto wild = table.listener();
    wild.name = "wild";
    wild.hostname = "*.eu.example";
    table.table.listeners.push_back(wild);
    certify(table.table.listeners[0], "shop.example");
    certify(table.table.listeners[1], "*.eu.example");
  }

  void certify(routing::Listener& listener, const std::string& name) {
    net::CertificateRequest request;
    request.common_name = name;
    request.dns_names = {name};
    const auto pair = net::make_certificate(authority, request, system_clock().now());
    ASSERT_TRUE(pair);
    listener.certificate_pem = pair->certificate_pem;
    listener.private_key_pem = pair->private_key_pem;
  }

  // The status of a GET to `host` over a connection for `sni`; -1 where there is none.
  int get(const std::string& sni, const std::string& host) {
    net::ClientTlsOptions options;
    options.ca_pem = authority.certificate_pem;
    auto tls = net::make_client_tls(options);
    EXPECT_TRUE(tls);
    int status = 0;
    auto client = std::make_shared<session::HttpClient>(proxy.control.io(), proxy.control.scheduler(),
                                                        session::Endpoint{address, *tls, sni}, host);
    net::spawn(proxy.control.io(), ask(client, &status));
    EXPECT_TRUE(proxy.wait_until([&] { return status != 0; }));
    return status;
  }

  static Task<void> ask(std::shared_ptr<session::HttpClient> client, int* status) {
    session::ClientRequest request;
    const auto response = co_await client->send(request);
    *status = response ? response->status : -1;
  }

  net::KeyPair authority = net::make_certificate_authority("test CA", system_clock().now()).value_or({});
  net::Address address = free_address();
  FakeBackend backend;
  TableBuilder table;
  ProxyUnderTest proxy{2};
};

TEST_F(TlsTest, EachListenerShowsItsOwnCertificate) {
  proxy.publish(table.build());
  EXPECT_TRUE(proxy.applied.back().failed.empty());
  EXPECT_EQ(get("shop.example", "shop.example"), 200);  // the client verifies the name
  EXPECT_EQ(get("a.eu.example", "a.eu.example"), 200);
  EXPECT_NE(backend.last_request().find("x-forwarded-proto: https"), std::string::npos);
}

TEST_F(TlsTest, AHostOfAnotherListenerThanTheConnectionsIsMisdirected) {
  proxy.publish(table.build());
  EXPECT_EQ(get("shop.example", "a.eu.example"), 421);
  EXPECT_EQ(get("shop.example", "else.where"), 404);
}

TEST_F(TlsTest, AnUnknownNameGetsNoHandshake) {
  proxy.publish(table.build());
  EXPECT_EQ(get("else.where", "else.where"), -1);
}

TEST_F(TlsTest, ABadCertificateIsNamedAndTheOldOneServesOn) {
  proxy.publish(table.build());
  table.table.listeners[1].certificate_pem = "garbage";
  proxy.publish(table.build());
  ASSERT_EQ(proxy.applied.back().failed.size(), 1U);
  EXPECT_NE(proxy.applied.back().failed[0].second.detail.find("*.eu.example"), std::string::npos);
  EXPECT_EQ(get("shop.example", "shop.example"), 200);
}

TEST_F(TlsTest, AClientThatKeepsTlsBusyIsCutAndCounted) {
  proxy.publish(table.build());
  for (const bool http2 : {false, true}) {
    net::test::OpensslClient client(address, {.name = "shop.example", .alpn = http2 ? "\x02h2" : ""});
    ASSERT_TRUE(client.connected());
    EXPECT_LT(client.update_keys(1'000'000), 1'000'000);
    EXPECT_TRUE(proxy.wait_until([&] {
      return proxy.metric("tidegate_limit_hits_total", {"limit=\"tls_chatter\""}) == (http2 ? 2 : 1);
    }));
  }
  EXPECT_EQ(get("shop.example", "shop.example"), 200);
}

}  // namespace
}  // namespace tidegate::proxy::test
