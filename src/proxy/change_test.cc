// SPDX-License-Identifier: Apache-2.0
// Change without loss: everything that a table holds changes under load in each protocol, and no client can
// tell. TIDEGATE_CHANGES is how many tables are published (1,000).
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/text.h"
#include "proxy/h2_testbed.h"
#include "proxy/mixed_load.h"
#include "proxy/websocket_testbed.h"

namespace tidegate::proxy::test {
namespace {

constexpr std::uint32_t kStable = 0, kCanary = 1;
constexpr int kWebSockets = 100, kGrpcStreams = 8;
constexpr std::uint32_t kEchoEvery = 10;  // changes

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
    add_pair("/shop.Cart", {calls.endpoint()}, {canary_calls.endpoint()}, "h2c");
    add_pair("/chat", {chat.endpoint()}, {canary_chat.endpoint()}, "");
    add_pair("/h2chat", {h2_chat.endpoint()}, {canary_h2_chat.endpoint()}, "h2c");
    DraftListener https = table.listener();
    https.name = "https";
    https.port = tls_address.port;
    table.table.listeners.push_back(std::move(https));
    swap_certificate();
  }

  void add_pair(const std::string& path, const routing::Endpoint& one, const routing::Endpoint& other,
                const std::string& protocol) {
    const auto first = table.backend("stable" + path.substr(1), {one});
    const auto second = table.backend("canary" + path.substr(1), {other});
    for (const auto index : {first, second}) table.table.backends[index].protocol = protocol;
    table.rule(path, {{first, 100, {}, ""}, {second, 0, {}, ""}});
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
      for (routing::Rule& rule : listener.rules) {
        rule.backends[0].weight = 100 - canary_weight;
        rule.backends[1].weight = canary_weight;
      }
    }
  }
  void add_or_delete_route() {
    for (auto& listener : table.table.listeners) {
      if (listener.rules.back().route.name == "extra") {
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
    DraftListener& https = table.table.listeners.back();
    https.certificate_pem = pair.certificate_pem;
    https.private_key_pem = pair.private_key_pem;
    client_options.ca_pem = authority.certificate_pem;
  }
  LoadKind over_tls(bool http2, int connections, int at_once, Speaks speaks = Speaks::kWeb,
                    const std::string& path = "/") {
    client_options.alpn = {http2 ? "h2" : "http/1.1"};
    auto tls = net::make_client_tls(client_options).value_or(nullptr);
    return {tls_address, http2, std::move(tls), connections, at_once, speaks, path};
  }
  void a_new_client_sees_the_new_certificate() {
    const std::vector<LoadKind> kinds = {over_tls(true, 1, 1)};
    MixedLoad one(kinds);
    ASSERT_TRUE(proxy.wait_until([&] { return one.done() > 0 || one.closed() > 0; }));
    one.stop();
    EXPECT_EQ(one.closed(), 0) << one.first_failure();
    asked_by_new_clients += one.done();
  }

  // Of gRPC and WebSockets: a backend's only endpoint is another's from now on, while streams stand on it.
  void swap_endpoints() {
    auto& backends = table.table.backends;
    for (std::size_t i = kCanary + 1; i + 1 < backends.size(); i += 2)
      std::swap(backends[i].endpoints, backends[i + 1].endpoints);
  }

  // Each half by HTTP/1.1 and by HTTP/2, to backends of each kind.
  std::vector<LoadKind> tunnels() {
    std::vector<LoadKind> kinds;
    for (const char* path : {"/chat", "/h2chat"}) {
      kinds.push_back({address, false, nullptr, 20, 1, Speaks::kWebSocket, path});
      kinds.push_back(over_tls(false, 10, 1, Speaks::kWebSocket, path));
      kinds.push_back({address, true, nullptr, 1, 10, Speaks::kWebSocket, path});
      kinds.push_back(over_tls(true, 1, 10, Speaks::kWebSocket, path));
    }
    kinds.push_back({address, true, nullptr, 1, kGrpcStreams / 2, Speaks::kGrpcStream, "/shop.Cart/Watch"});
    kinds.push_back(over_tls(true, 1, kGrpcStreams / 2, Speaks::kGrpcStream, "/shop.Cart/Watch"));
    return kinds;
  }
  double answers(const std::string& code) {
    return proxy.metric("tidegate_backend_requests_total", {"code=\"" + code + "\""});
  }

  int served() const {
    int sum = served_by_gone + canary.requests();
    for (const auto& backend : stable) sum += backend->requests();
    return sum;
  }

  net::Address address = free_address(), tls_address = free_address();
  FakeBackend canary{"canary"};
  H2Backend calls{H2Backend::echo_as_it_comes()}, canary_calls{H2Backend::echo_as_it_comes()};
  H2Backend h2_chat{H2Backend::echo_as_it_comes()}, canary_h2_chat{H2Backend::echo_as_it_comes()};
  EchoingBackend chat{""}, canary_chat{""};
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
  MixedLoad grpc({{address, true, nullptr, 1, 4, Speaks::kGrpc, "/shop.Cart/Get"},
                  over_tls(true, 1, 4, Speaks::kGrpc, "/shop.Cart/Get")});
  MixedLoad open(tunnels());
  const int stay = kWebSockets + kGrpcStreams;
  ASSERT_TRUE(proxy.wait_until([&] { return load.standing() + load.closed() == 10; }));
  ASSERT_TRUE(proxy.wait_until([&] { return open.tunnels() + open.failed() + open.closed() == stay; }));
  const std::uint32_t changes = changes_wanted();
  int echoes = 0;
  for (std::uint32_t change = 1; change <= changes; ++change) {
    change_weights(change * 37 % 101);
    if (change % 5 == 0) add_or_delete_route();
    if (change % 20 == 0) change_endpoints();
    if (change % 25 == 0) swap_endpoints();
    if (change % 50 == 0) swap_certificate();
    if (change % kEchoEvery == 0) open.echo();
    publish();
    if (change % 50 == 0) a_new_client_sees_the_new_certificate();
    // Each table gets to serve something, and whoever stays gets an echo.
    if (change % kEchoEvery == 0) echoes += stay;
    ASSERT_TRUE(proxy.wait_until([&, until = load.done() + 5, calls = grpc.done() + 1] {
      return load.done() >= until && grpc.done() >= calls && open.echoed() >= echoes;
    })) << load.first_failure()
        << grpc.first_failure() << open.first_failure();
  }
  for (MixedLoad* each : {&load, &grpc, &open}) {
    each->stop();
    EXPECT_EQ(each->failed(), 0) << each->first_failure();
    EXPECT_EQ(each->closed(), 0) << each->first_failure();
  }
  EXPECT_EQ(open.done(), stay) << "each ended whole, once it was asked to";
  EXPECT_EQ(open.echoed(), echoes);
  EXPECT_EQ(served(), load.done() + asked_by_new_clients);
  EXPECT_EQ(calls.requests() + canary_calls.requests(), grpc.done() + kGrpcStreams);
  EXPECT_EQ(
      chat.granted_so_far() + canary_chat.granted_so_far() + h2_chat.requests() + canary_h2_chat.requests(),
      kWebSockets);
  EXPECT_TRUE(proxy.wait_until([&] { return answers("101") == kWebSockets; })) << proxy.metrics();
  EXPECT_EQ(answers("200"), served() + grpc.done() + kGrpcStreams);
  EXPECT_EQ(proxy.metric("tidegate_backend_failures_total"), -1) << proxy.metrics();
  RecordProperty("requests", load.done() + grpc.done());
}

}  // namespace
}  // namespace tidegate::proxy::test
