// SPDX-License-Identifier: Apache-2.0
// Change without loss: everything that a table holds changes under load in each protocol, and no client can
// tell. TIDEGATE_CHANGES is how many tables are published (1,000).
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/text.h"
#include "proxy/mixed_load.h"
#include "proxy/testbed.h"

namespace tidegate::proxy::test {
namespace {

constexpr std::uint32_t kStable = 0, kCanary = 1;

std::uint32_t changes_wanted() {
  const char* asked = std::getenv("TIDEGATE_CHANGES");
  return asked == nullptr ? 1'000 : static_cast<std::uint32_t>(text::parse_int(asked).value_or(1'000));
}

class ChangeTest : public ::testing::Test {
 protected:
  ChangeTest() {
    for (int i = 0; i < 3; ++i) add_endpoint();
    table.backend("stable", endpoints());
    table.backend("canary", {canary.endpoint()});
    table.rule("/", {{kStable, 100, {}, ""}, {kCanary, 0, {}, ""}});
    routing::Listener https = table.listener();
    https.name = "https";
    https.port = tls_address.port;
    table.table.listeners.push_back(std::move(https));
    swap_certificate();
  }

  std::vector<routing::Endpoint> endpoints() const {
    std::vector<routing::Endpoint> out;
    for (const auto& backend : stable) out.push_back(backend->endpoint());
    return out;
  }
  std::vector<routing::Endpoint>& stable_endpoints() { return table.table.backends[kStable].endpoints; }
  void add_endpoint() { stable.push_back(std::make_unique<FakeBackend>("stable")); }
  void publish() { ASSERT_NO_FATAL_FAILURE(proxy.publish(table.build())); }

  void change_weights(std::uint32_t canary_weight) {
    for (auto& listener : table.table.listeners) {
      listener.rules.front().backends[0].weight = 100 - canary_weight;
      listener.rules.front().backends[1].weight = canary_weight;
    }
  }
  void add_or_delete_route() {
    for (auto& listener : table.table.listeners) {
      if (listener.rules.size() > 1) {
        listener.rules.pop_back();
        continue;
      }
      auto extra = listener.rules.front();
      extra.route.name = "extra";
      extra.matches.front().path.value = "/extra";
      listener.rules.push_back(std::move(extra));
    }
  }

  // One comes; the oldest drains; and is gone. Its process ends when the proxy holds no connection to it.
  void change_endpoints() {
    add_endpoint();
    stable_endpoints().push_back(stable.back()->endpoint());
    publish();
    stable_endpoints().front().draining = true;
    publish();
    stable_endpoints().erase(stable_endpoints().begin());
    publish();
    ASSERT_TRUE(proxy.wait_until([&] { return stable.front()->open_connections() == 0; }));
    served_by_gone += stable.front()->requests();
    stable.erase(stable.begin());
  }

  // By another authority each time, so that a client of the latest one knows what it was shown.
  void swap_certificate() {
    const auto authority = net::make_certificate_authority("test CA", system_clock().now()).value_or({});
    net::CertificateRequest request;
    request.common_name = "shop.example";
    request.dns_names = {"shop.example"};
    const auto pair = net::make_certificate(authority, request, system_clock().now()).value_or({});
    routing::Listener& https = table.table.listeners.back();
    https.certificate_pem = pair.certificate_pem;
    https.private_key_pem = pair.private_key_pem;
    client_options.ca_pem = authority.certificate_pem;
  }
  LoadKind over_tls(bool http2, int connections, int at_once) {
    client_options.alpn = {http2 ? "h2" : "http/1.1"};
    return {tls_address, http2, net::make_client_tls(client_options).value_or(nullptr), connections, at_once};
  }
  void a_new_client_sees_the_new_certificate() {
    const std::vector<LoadKind> kinds = {over_tls(true, 1, 1)};
    MixedLoad one(kinds);
    ASSERT_TRUE(proxy.wait_until([&] { return one.done() > 0 || one.closed() > 0; }));
    one.stop();
    EXPECT_EQ(one.closed(), 0) << one.first_failure();
    asked_by_new_clients += one.done();
  }

  int served() const {
    int sum = served_by_gone + canary.requests();
    for (const auto& backend : stable) sum += backend->requests();
    return sum;
  }

  net::Address address = free_address(), tls_address = free_address();
  FakeBackend canary{"canary"};
  std::vector<std::unique_ptr<FakeBackend>> stable;
  net::ClientTlsOptions client_options;
  TableBuilder table{address};
  ProxyUnderTest proxy{2};
  int served_by_gone = 0, asked_by_new_clients = 0;
};

TEST_F(ChangeTest, WeightsRoutesEndpointsAndCertificatesChangeWithoutALostRequest) {
  publish();
  MixedLoad load({{address, false, nullptr, 4, 1},
                  {address, true, nullptr, 2, 4},
                  over_tls(false, 2, 1),
                  over_tls(true, 2, 4)});
  ASSERT_TRUE(proxy.wait_until([&] { return load.standing() + load.closed() == 10; }));
  const std::uint32_t changes = changes_wanted();
  for (std::uint32_t change = 1; change <= changes; ++change) {
    change_weights(change * 37 % 101);
    if (change % 5 == 0) add_or_delete_route();
    if (change % 20 == 0) change_endpoints();
    if (change % 50 == 0) swap_certificate();
    publish();
    if (change % 50 == 0) a_new_client_sees_the_new_certificate();
    // Each table gets to serve something.
    ASSERT_TRUE(proxy.wait_until([&, until = load.done() + 5] { return load.done() >= until; }))
        << load.first_failure();
  }
  load.stop();
  EXPECT_EQ(load.failed(), 0) << load.first_failure();
  EXPECT_EQ(load.closed(), 0) << load.first_failure();
  EXPECT_EQ(served(), load.done() + asked_by_new_clients);
  RecordProperty("requests", load.done());
}

}  // namespace
}  // namespace tidegate::proxy::test
