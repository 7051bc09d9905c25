// SPDX-License-Identifier: Apache-2.0
// Many requests while tables, endpoints and connections change beneath them.
#include <gtest/gtest.h>

#include "proxy/testbed.h"

namespace tidegate::proxy::test {
namespace {

using namespace std::chrono_literals;

// Clients that send GETs one after the other on connections of their own, until told to stop.
class Load {
 public:
  Load(const net::Address& address, int clients) {
    for (int i = 0; i < clients; ++i) threads_.emplace_back([this, address] { run(address); });
  }
  ~Load() { stop(); }
  void stop() {
    stopping_ = true;
    for (auto& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  int done() const { return done_; }
  int failed() const { return failed_; }

 private:
  void run(const net::Address& address) {
    Client client(address);
    while (!stopping_) {
      const auto reply = client.get("/");
      if (!reply || reply->status != 200) ++failed_;
      ++done_;
      if (!reply) return;
    }
  }
  std::atomic<bool> stopping_{false};
  std::atomic<int> done_{0}, failed_{0};
  std::vector<std::thread> threads_;
};

TEST(Runtime, WeightsChangedTwoHundredTimesCostNoRequestAndKeepTheSplit) {
  const auto address = free_address();
  FakeBackend stable("stable"), canary("canary");
  TableBuilder table(address);
  const auto s = table.backend("stable", {stable.endpoint()}),
             c = table.backend("canary", {canary.endpoint()});
  auto& rule = table.rule("/", {{s, 100, {}, ""}, {c, 0, {}, ""}});
  ProxyUnderTest proxy(2);
  proxy.publish(table.build());
  Load load(address, 4);
  double asked = 0;  // requests for the canary
  int from = 0;
  for (std::uint32_t change = 0; change < 200; ++change) {
    const std::uint32_t weight = (change * 37) % 101;
    rule.backends[0].weight = 100 - weight;
    rule.backends[1].weight = weight;
    proxy.publish(table.build());
    ASSERT_TRUE(proxy.wait_until([&, until = load.done() + 20] { return load.done() >= until; }));
    // What is served while the next table is on its way counts for this one; the weights go up as often as
    // down.
    asked += (load.done() - from) * (weight / 100.0);
    from = load.done();
  }
  const double taken = canary.requests();
  load.stop();
  EXPECT_EQ(load.failed(), 0);
  EXPECT_EQ(stable.requests() + canary.requests(), load.done());
  EXPECT_NEAR(taken / from, asked / from, 0.03) << taken << " of " << from << ", asked " << asked;
}

TEST(Runtime, ASmallShareIsExactAcrossWorkersAndConnections) {
  struct Case {
    int workers, connections;
  };
  for (const Case& c : {Case{1, 1}, Case{2, 16}, Case{4, 16}}) {
    const auto address = free_address();
    FakeBackend stable("stable"), canary("canary");
    TableBuilder table(address);
    table.rule("/", {{table.backend("stable", {stable.endpoint()}), 99, {}, ""},
                     {table.backend("canary", {canary.endpoint()}), 1, {}, ""}});
    ProxyUnderTest proxy(c.workers);
    proxy.publish(table.build());
    Load load(address, c.connections);
    ASSERT_TRUE(proxy.wait_until([&] { return load.done() >= 10'000; }));
    load.stop();
    EXPECT_EQ(load.failed(), 0);
    EXPECT_NEAR(canary.requests(), load.done() / 100.0, 3) << c.workers << " workers";
  }
}

TEST(Runtime, BackendsThatHangUpAtWillCostNoGet) {
  const auto address = free_address();
  FakeBackend moody([](const std::string&) { return ok("x"); }, 3);
  TableBuilder table(address);
  table.rule("/", {{table.backend("moody", {moody.endpoint()})}});
  ProxyUnderTest proxy(2);
  proxy.publish(table.build());
  Load load(address, 4);
  ASSERT_TRUE(proxy.wait_until([&] { return load.done() >= 3'000; }));
  load.stop();
  EXPECT_EQ(load.failed(), 0);
}

TEST(Runtime, AnEndpointThatFailsIsLeftOutAfterAFewRequests) {
  const auto address = free_address();
  FakeBackend good("good"), other("other"), bad([](const std::string&) { return std::string(); });
  TableBuilder table(address);
  table.rule("/", {{table.backend("web", {good.endpoint(), bad.endpoint(), other.endpoint()})}});
  ProxyUnderTest proxy(1);
  proxy.publish(table.build());
  Client client(address);
  int failed = 0;
  for (int i = 0; i < 200; ++i) failed += client.get("/")->status != 200;
  EXPECT_EQ(failed, BalanceSettings().eject_after);
  EXPECT_EQ(bad.requests(), failed);
  EXPECT_EQ(proxy.metric("tidegate_backend_ejections_total", {"backend=\"web\""}), 1);
}

TEST(Runtime, TheLastEndpointIsAskedHoweverOftenItFails) {
  const auto address = free_address();
  FakeBackend bad([](const std::string&) { return std::string(); });
  TableBuilder table(address);
  table.rule("/", {{table.backend("web", {bad.endpoint()})}});
  ProxyUnderTest proxy(1);
  proxy.publish(table.build());
  Client client(address);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.get("/")->status, 502);
  EXPECT_EQ(bad.requests(), 20);
  EXPECT_EQ(proxy.metric("tidegate_backend_ejections_total"), -1);
}

TEST(Runtime, AServersOwnErrorsAreAnswers) {
  const auto address = free_address();
  const auto broken = [](const std::string&) {
    return std::string("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
  };
  FakeBackend one(broken), two(broken);
  TableBuilder table(address);
  table.rule("/", {{table.backend("web", {one.endpoint(), two.endpoint()})}});
  ProxyUnderTest proxy(1);
  proxy.publish(table.build());
  Client client(address);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.get("/")->status, 500);
  EXPECT_EQ(proxy.metric("tidegate_backend_ejections_total"), -1);
}

TEST(Runtime, CountersEqualTheBackendsOwn) {
  const auto address = free_address();
  std::atomic<int> n{0};
  FakeBackend good("good"), bad([&](const std::string&) {
    return ++n % 3 == 0 ? std::string("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n") : ok("bad");
  });
  TableBuilder table(address);
  table.rule("/", {{table.backend("good", {good.endpoint()}), 70, {}, ""},
                   {table.backend("bad", {bad.endpoint()}), 30, {}, ""}});
  ProxyUnderTest proxy(2);
  proxy.publish(table.build());
  Load load(address, 3);
  ASSERT_TRUE(proxy.wait_until([&] { return load.done() >= 1'500; }));
  load.stop();
  // A client may hold the last byte of a response before it is counted.
  ASSERT_TRUE(
      proxy.wait_until([&] { return proxy.metric("tidegate_listener_requests_total") == load.done(); }));
  EXPECT_EQ(proxy.metric("tidegate_backend_requests_total", {"backend=\"good\""}), good.requests());
  EXPECT_EQ(proxy.metric("tidegate_backend_requests_total", {"backend=\"bad\""}), bad.requests());
  EXPECT_EQ(proxy.metric("tidegate_backend_requests_total", {"backend=\"bad\"", "code=\"500\""}),
            bad.requests() / 3);
  const auto counts = proxy.runtime->traffic();
  const auto& traffic = counts.at({"HTTPRoute", "shop", "web", "shop", "bad"});
  EXPECT_EQ(traffic.requests, static_cast<std::uint64_t>(bad.requests()));
  EXPECT_EQ(traffic.failures, static_cast<std::uint64_t>(bad.requests() / 3));
}

TEST(Runtime, AnUnchangedListenerKeepsItsConnectionsAndARemovedOneGoes) {
  const auto stays = free_address(), goes = free_address();
  FakeBackend web("web");
  TableBuilder table(stays);
  table.rule("/", {{table.backend("web", {web.endpoint()})}});
  auto second = table.table.listeners.front();
  second.name = "second";
  second.port = goes.port;
  table.table.listeners.push_back(second);
  ProxyUnderTest proxy(2);
  proxy.publish(table.build());
  Client kept(stays), dropped(goes);
  ASSERT_TRUE(kept.get("/") && dropped.get("/"));
  EXPECT_EQ(proxy.metric("tidegate_listener_connections"), 2);
  table.table.listeners.pop_back();
  proxy.publish(table.build());
  EXPECT_TRUE(dropped.closed());
  EXPECT_FALSE(Client(goes).connected());
  EXPECT_EQ(kept.get("/")->body, "web");
  EXPECT_LE(web.connections(), 2);  // one a worker; none anew
}

TEST(Runtime, AListenerThatCannotOpenIsNamedAndTheRestServe) {
  const auto address = free_address();
  FakeBackend web("web"), squatter("squatter");
  TableBuilder table(address);
  table.rule("/", {{table.backend("web", {web.endpoint()})}});
  auto taken = table.table.listeners.front();
  taken.name = "taken";
  taken.port = squatter.endpoint().port;
  table.table.listeners.push_back(taken);
  ProxyUnderTest proxy(2);
  proxy.publish(table.build());
  ASSERT_EQ(proxy.applied.back().failed.size(), 1U);
  EXPECT_EQ(proxy.applied.back().failed[0].first, address.ip + ":" + std::to_string(taken.port));
  EXPECT_NE(proxy.applied.back().failed[0].second.detail.find("in use"), std::string::npos);
  EXPECT_EQ(Client(address).get("/")->body, "web");
}

TEST(Runtime, AnAddressThatAnotherOfOurKindServesIsInUse) {
  const auto address = free_address();
  FakeBackend ours("ours"), theirs("theirs");
  TableBuilder table(address), others(address);
  table.rule("/", {{table.backend("web", {ours.endpoint()})}});
  others.rule("/", {{others.backend("web", {theirs.endpoint()})}});
  ProxyUnderTest proxy(2), second(2);
  proxy.publish(table.build());
  second.publish(others.build());
  ASSERT_EQ(second.applied.back().failed.size(), 1U);
  EXPECT_EQ(second.applied.back().failed[0].second.detail, "address " + to_string(address) + " is in use");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Client(address).get("/")->body, "ours");
}

TEST(Runtime, AListenerMayGoAndComeBackAtOnce) {
  const auto address = free_address();
  FakeBackend web("web");
  TableBuilder table(address), without(address);
  table.rule("/", {{table.backend("web", {web.endpoint()})}});
  without.table.listeners.clear();
  ProxyUnderTest proxy(2);
  for (int i = 0; i < 20; ++i) {
    proxy.runtime->publish(table.build());
    proxy.runtime->publish(without.build());
  }
  proxy.publish(table.build());
  for (const auto& applied : proxy.applied) EXPECT_TRUE(applied.failed.empty());
  EXPECT_EQ(Client(address).get("/")->body, "web");
}

TEST(Runtime, AppliedComesInOrderOncePerTable) {
  const auto address = free_address();
  TableBuilder table(address);
  ProxyUnderTest proxy(2);
  for (int i = 0; i < 20; ++i) proxy.runtime->publish(table.build());
  ASSERT_TRUE(proxy.wait_until([&] { return proxy.applied.size() == 20; }));
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(proxy.applied[i].table->generation, i + 1);
  EXPECT_EQ(proxy.metric("tidegate_config_generation"), 20);
}

TEST(Runtime, DrainLetsRequestsFinish) {
  const auto address = free_address();
  std::atomic<bool> release{false};
  FakeBackend slow([&](const std::string&) {
    while (!release) std::this_thread::sleep_for(1ms);
    return ok("done");
  });
  TableBuilder table(address);
  table.rule("/", {{table.backend("slow", {slow.endpoint()})}});
  ProxyUnderTest proxy(2);
  proxy.publish(table.build());
  Client client(address);
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  ASSERT_TRUE(proxy.wait_until([&] { return slow.requests() == 1; }));
  std::thread releaser([&] {
    while (Client(address).connected()) std::this_thread::sleep_for(1ms);
    release = true;  // the port is closed: the drain has begun
  });
  proxy.runtime->drain();
  releaser.join();
  const auto reply = client.receive();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, "done");
  EXPECT_TRUE(client.closed());
}

TEST(Runtime, DrainEndsWhenItsTimeIsUp) {
  const auto address = free_address();
  std::atomic<bool> release{false};
  FakeBackend stuck([&](const std::string&) {
    while (!release) std::this_thread::sleep_for(1ms);
    return ok("never");
  });
  TableBuilder table(address);
  table.rule("/", {{table.backend("stuck", {stuck.endpoint()})}});
  Runtime::Options options;
  options.settings.drain_timeout = 50ms;
  ProxyUnderTest proxy(1, options);
  proxy.publish(table.build());
  Client client(address);
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  ASSERT_TRUE(proxy.wait_until([&] { return stuck.requests() == 1; }));
  proxy.runtime->drain();
  EXPECT_TRUE(client.closed());
  release = true;
}

}  // namespace
}  // namespace tidegate::proxy::test
