// SPDX-License-Identifier: Apache-2.0
// Listeners that ask clients for certificates (GEP-91): whom they serve, also as tables change.
#include <gtest/gtest.h>

#include "base/text.h"
#include "net/openssl_peer.h"
#include "net/tls.h"
#include "proxy/testbed.h"

namespace tidegate::proxy::test {
namespace {

using net::test::OpensslClient;

class ClientCertificates : public ::testing::Test {
 protected:
  ClientCertificates() : backend("web"), table(address, "open.example") {
    table.rule("/", {{table.backend("web", {backend.endpoint()})}});
    certify(table.table.listeners[0]);
    add("closed.example", authority.certificate_pem);
  }

  DraftListener& add(const std::string& hostname, const std::string& ca, bool insecure_fallback = false) {
    auto listener = table.listener();
    listener.name = listener.hostname = hostname;
    listener.clients = routing::ClientValidation{ca, insecure_fallback};
    table.table.listeners.push_back(listener);
    return table.table.listeners.back();
  }
  DraftListener& closed() { return table.table.listeners[1]; }

  static net::KeyPair authority_named(const std::string& name) {
    return net::make_certificate_authority(name, system_clock().now()).value_or({});
  }
  static net::KeyPair leaf(const net::KeyPair& authority, const std::string& name, bool client = true) {
    net::CertificateRequest request;
    request.common_name = name;
    request.client = client;
    return net::make_certificate(authority, request, system_clock().now()).value_or({});
  }
  void certify(routing::Listener& listener) {
    const auto pair = leaf(authority_named("servers"), "gate", false);
    listener.certificate_pem = pair.certificate_pem;
    listener.private_key_pem = pair.private_key_pem;
  }

  // The status of a GET; 0: the connection has ended.
  static int get(OpensslClient& client, const std::string& host) {
    if (!client.write("GET / HTTP/1.1\r\nhost: " + host + "\r\n\r\n")) return 0;
    std::string answer;
    for (;;) {
      const auto piece = client.read();
      if (piece.empty()) return 0;
      answer += text::lower(piece);
      const auto end = answer.find("\r\n\r\n");
      const auto length = answer.find("content-length: ");
      if (end == answer.npos || length == answer.npos) continue;
      if (answer.size() >= end + 4 + std::stoul(answer.substr(length + 16)))
        return std::stoi(answer.substr(9, 3));
    }
  }
  // The same over a connection of its own.
  int get(const std::string& sni, const std::string& host, const net::KeyPair& identity = {}) {
    OpensslClient client(address, {.name = sni, .identity = identity});
    return client.connected() ? get(client, host) : 0;
  }
  double refused() const {
    return proxy.metric("tidegate_listener_refused_total", {"reason=\"client_certificate\""});
  }

  net::KeyPair authority = authority_named("clients"), others = authority_named("others");
  net::KeyPair alice = leaf(authority, "alice"), bob = leaf(others, "bob");
  net::Address address = free_address();
  FakeBackend backend;
  TableBuilder table;
  ProxyUnderTest proxy;
};

TEST_F(ClientCertificates, OpenTheListenersThatAskForThem) {
  add("fallback.example", authority.certificate_pem, true);
  proxy.publish(table.build());
  EXPECT_EQ(get("closed.example", "closed.example", alice), 200);
  EXPECT_EQ(refused(), -1);
  EXPECT_EQ(get("closed.example", "closed.example"), 0);
  EXPECT_EQ(get("closed.example", "closed.example", bob), 0);
  EXPECT_TRUE(proxy.wait_until([&] { return refused() == 2; }));
  EXPECT_EQ(get("open.example", "open.example"), 200);
  EXPECT_EQ(get("open.example", "open.example", bob), 200);
  EXPECT_EQ(get("fallback.example", "fallback.example"), 200);
  EXPECT_EQ(get("fallback.example", "fallback.example", bob), 200);
  EXPECT_EQ(backend.requests(), 5);
}

TEST_F(ClientCertificates, AreNotSparedByTheConnectionOfAnotherListener) {
  add("fallback.example", authority.certificate_pem, true);
  proxy.publish(table.build());
  EXPECT_EQ(get("open.example", "closed.example"), 421);
  EXPECT_EQ(get("fallback.example", "closed.example", alice), 421);
  EXPECT_EQ(get("", "open.example"), 200);
  EXPECT_EQ(get("", "fallback.example"), 200);
  EXPECT_EQ(get("", "closed.example"), 421);
  EXPECT_EQ(get("", "closed.example", alice), 421);
  EXPECT_EQ(backend.requests(), 2);
}

TEST_F(ClientCertificates, OfClientsWithoutANameHoldWhereTheSameIsAsked) {
  table.listener().clients = closed().clients;
  add("other.example", others.certificate_pem);
  proxy.publish(table.build());
  EXPECT_EQ(get("", "closed.example"), 0);
  EXPECT_EQ(get("", "closed.example", alice), 200);
  EXPECT_EQ(get("", "other.example", alice), 421);
}

TEST_F(ClientCertificates, AreNeverDoneWithoutInTheClear) {
  for (auto& listener : table.table.listeners) listener.certificate_pem = listener.private_key_pem = {};
  proxy.publish(table.build());
  Client client(address);
  EXPECT_EQ(client.get("/", "open.example")->status, 200);
  EXPECT_EQ(client.get("/", "closed.example")->status, 421);
}

TEST_F(ClientCertificates, ThatStillHoldKeepTheirConnectionsAsAuthoritiesChange) {
  proxy.publish(table.build());
  OpensslClient kept(address, {.name = "closed.example", .identity = alice});
  OpensslClient open(address, {.name = "open.example"});
  EXPECT_EQ(get(kept, "closed.example"), 200);
  EXPECT_EQ(get(open, "open.example"), 200);

  closed().clients->ca_pem += others.certificate_pem;
  certify(table.table.listeners[0]);
  proxy.publish(table.build());
  EXPECT_EQ(get(kept, "closed.example"), 200);
  EXPECT_EQ(get("closed.example", "closed.example", bob), 200);

  closed().clients->ca_pem = others.certificate_pem;
  proxy.publish(table.build());
  EXPECT_EQ(get(kept, "closed.example"), 0);
  EXPECT_EQ(get("closed.example", "closed.example", alice), 0);
  EXPECT_EQ(get("closed.example", "closed.example", bob), 200);
  EXPECT_EQ(get(open, "open.example"), 200);
}

TEST_F(ClientCertificates, EndConnectionsThatWereMadeWithoutWhenAListenerBeginsToAsk) {
  const auto asked = std::exchange(closed().clients, std::nullopt);
  proxy.publish(table.build());
  OpensslClient without(address, {.name = "closed.example"});
  OpensslClient http2(address, {.name = "closed.example", .alpn = "\x02h2"});
  OpensslClient open(address, {.name = "open.example"});
  EXPECT_EQ(get(without, "closed.example"), 200);
  ASSERT_TRUE(
      http2.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string(3, '\0') + "\x04" + std::string(5, '\0')));
  EXPECT_EQ(get(open, "open.example"), 200);
  closed().clients = asked;
  proxy.publish(table.build());
  EXPECT_EQ(get(without, "closed.example"), 0);
  EXPECT_EQ(get(open, "open.example"), 200);
  std::string frames;
  for (auto piece = http2.read(); !piece.empty(); piece = http2.read()) frames += piece;
  EXPECT_NE(frames.find(std::string("\0\0\x08\x07\0\0\0\0\0", 9)), std::string::npos) << "no GOAWAY";
}

TEST_F(ClientCertificates, ThatCannotBeCheckedLetNobodyIn) {
  proxy.publish(table.build());
  OpensslClient open(address, {.name = "open.example"});
  EXPECT_EQ(get(open, "open.example"), 200);
  closed().clients->ca_pem = "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n";
  proxy.publish(table.build());
  ASSERT_EQ(proxy.applied.back().failed.size(), 1U);
  EXPECT_NE(proxy.applied.back().failed[0].second.detail.find("closed.example"), std::string::npos);
  EXPECT_EQ(get("closed.example", "closed.example", alice), 0);
  EXPECT_EQ(get("closed.example", "closed.example"), 0);
  EXPECT_EQ(get(open, "open.example"), 0);

  closed().clients->ca_pem = authority.certificate_pem;
  proxy.publish(table.build());
  EXPECT_EQ(get("closed.example", "closed.example", alice), 200);
  EXPECT_EQ(get("open.example", "open.example"), 200);
}

TEST_F(ClientCertificates, AreCheckedOnWhileACertificateOfOursCannotBeRead) {
  proxy.publish(table.build());
  table.table.listeners[0].certificate_pem = "garbage";
  proxy.publish(table.build());
  ASSERT_EQ(proxy.applied.back().failed.size(), 1U);
  EXPECT_EQ(get("closed.example", "closed.example", alice), 200);
  EXPECT_EQ(get("closed.example", "closed.example"), 0);
}

}  // namespace
}  // namespace tidegate::proxy::test
