// SPDX-License-Identifier: Apache-2.0
// What each fault looks like to a client of the API, and that it comes when it was asked for.
#include "tests/faults/faulty_server.h"

#include <gtest/gtest.h>

#include "api/core.h"
#include "kube/reflector.h"
#include "tests/faults/cluster.h"

namespace tidegate::test {
namespace {

const api::Key kMap{"default", "settings"};

Json config_map(const std::string& value) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", kMap.name}, {"namespace", kMap.ns}}},
          {"data", {{"key", value}}}};
}

class FaultyServerTest : public testing::Test {
 protected:
  template <typename T>
  Result<T> wait(Task<Result<T>> task) {
    std::optional<Result<T>> out;
    auto run = [](Task<Result<T>> inner, std::optional<Result<T>>& result) -> Task<void> {
      result.emplace(co_await std::move(inner));
    };
    net::spawn(cluster_.io(), run(std::move(task), out));
    EXPECT_TRUE(cluster_.run_until([&] { return out.has_value(); }, std::chrono::minutes(2)));
    return out ? std::move(*out) : Result<T>(Error{ErrorCode::kTimeout, "test"});
  }
  Result<Json> create() { return wait(client_->create(api::kConfigMaps, config_map("1"))); }
  bool made() const { return !cluster_.get(api::kConfigMaps, kMap).is_null(); }

  Cluster cluster_;
  std::unique_ptr<kube::Client> client_ = cluster_.client("tester");
};

TEST_F(FaultyServerTest, AWriteMeetsWhatWasAskedFor) {
  struct Case {
    Fault fault;
    ErrorCode code;
    bool done;
  };
  for (const auto& [fault, code, done] : {Case{Fault::kConflict, ErrorCode::kConflict, false},
                                          Case{Fault::kConflictAfter, ErrorCode::kConflict, true},
                                          Case{Fault::kInternal, ErrorCode::kUnavailable, false},
                                          Case{Fault::kInternalAfter, ErrorCode::kUnavailable, true},
                                          Case{Fault::kUnavailable, ErrorCode::kUnavailable, false},
                                          Case{Fault::kDropBefore, ErrorCode::kUnavailable, false},
                                          Case{Fault::kDropAfter, ErrorCode::kUnavailable, true}}) {
    SCOPED_TRACE(to_string(fault));
    cluster_.faults().fail_next("POST", "configmaps", fault);
    const auto written = create();
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, code) << written.error().detail;
    EXPECT_EQ(made(), done);
    EXPECT_EQ(cluster_.faults().met(fault), 1);
    if (done) cluster_.call("DELETE", "/api/v1/namespaces/default/configmaps/settings");
    EXPECT_TRUE(create()) << "the fault came a second time";
    cluster_.call("DELETE", "/api/v1/namespaces/default/configmaps/settings");
  }
}

TEST_F(FaultyServerTest, TooManyRequestsSaysWhenToComeAgain) {
  cluster_.faults().fail_next("POST", "configmaps", Fault::kTooMany);
  const TimePoint before = cluster_.now();
  EXPECT_TRUE(create());
  EXPECT_GE(cluster_.now() - before, std::chrono::seconds(1));
}

TEST_F(FaultyServerTest, ADelayedAnswerComes) {
  cluster_.faults().fail_next("POST", "configmaps", Fault::kDelay);
  const TimePoint before = cluster_.now();
  EXPECT_TRUE(create());
  EXPECT_GE(cluster_.now() - before, std::chrono::milliseconds(700));
}

TEST_F(FaultyServerTest, TheSameSeedFailsTheSameRequests) {
  const auto failures = [&](std::uint64_t seed) {
    Cluster cluster;
    auto client = cluster.client("tester");
    cluster.faults().fail_at_random(seed, {{Fault::kConflict, 30}});
    std::string out;
    for (int i = 0; i < 40; ++i) {
      std::optional<bool> made;
      auto run = [](kube::Client& client, int i, std::optional<bool>& made) -> Task<void> {
        Json object = config_map("1");
        object["metadata"]["name"] = "map-" + std::to_string(i);
        auto result = co_await client.create(api::kConfigMaps, std::move(object));
        made = result.has_value();
      };
      net::spawn(cluster.io(), run(*client, i, made));
      EXPECT_TRUE(cluster.run_until([&] { return made.has_value(); }, std::chrono::minutes(1)));
      out += made.value_or(false) ? "." : "x";
    }
    return out;
  };
  const std::string first = failures(7);
  EXPECT_EQ(first, failures(7));
  EXPECT_NE(first, failures(8));
  EXPECT_NE(first.find('x'), std::string::npos);
}

// What a cache holds after watch faults is what the server holds.
TEST_F(FaultyServerTest, ACacheComesThroughFaultsOfWatches) {
  kube::Store<api::Object> store{[](const Json& json) { return api::make_object(json); }};
  cluster_.faults().fail_at_random(3, {{Fault::kLoseEvent, 10},
                                       {Fault::kDelayEvents, 10},
                                       {Fault::kDuplicateEvent, 20},
                                       {Fault::kGone, 30},
                                       {Fault::kStaleList, 50},
                                       {Fault::kDropAfter, 5}});
  kube::Reflector reflector(*client_, api::kConfigMaps, {}, store);
  cluster_.call("POST", "/api/v1/namespaces/default/configmaps", config_map("0"));
  for (int i = 1; i <= 200; ++i) {
    cluster_.merge(api::kConfigMaps, kMap, {{"data", {{"key", std::to_string(i)}}}});
    if (i % 5 == 0) cluster_.run_for(std::chrono::milliseconds(300));
  }
  EXPECT_GT(cluster_.faults().met(Fault::kLoseEvent), 0);
  EXPECT_GT(cluster_.faults().met(Fault::kGone), 0);
  EXPECT_GT(cluster_.faults().met(Fault::kDuplicateEvent), 0);
  EXPECT_TRUE(cluster_.run_until(
      [&] {
        const auto seen = store.get(kMap);
        return seen && json::string_at(*seen->json, "data.key") == "200";
      },
      std::chrono::minutes(2)));
}

TEST_F(FaultyServerTest, AFrozenClientSeesNothingUntilItThaws) {
  kube::Store<api::Object> store{[](const Json& json) { return api::make_object(json); }};
  kube::Reflector reflector(*client_, api::kConfigMaps, {}, store);
  ASSERT_TRUE(cluster_.run_until([&] { return store.synced(); }, std::chrono::seconds(5)));
  cluster_.faults().freeze("tester");
  cluster_.call("POST", "/api/v1/namespaces/default/configmaps", config_map("0"));
  cluster_.run_for(std::chrono::seconds(5));
  EXPECT_FALSE(store.get(kMap));
  cluster_.faults().thaw("tester");
  EXPECT_TRUE(cluster_.run_until([&] { return store.get(kMap) != nullptr; }, std::chrono::seconds(1)));
}

TEST_F(FaultyServerTest, AnApiThatIsAwayComesBack) {
  kube::Store<api::Object> store{[](const Json& json) { return api::make_object(json); }};
  kube::Reflector reflector(*client_, api::kConfigMaps, {}, store);
  ASSERT_TRUE(cluster_.run_until([&] { return store.synced(); }, std::chrono::seconds(5)));
  cluster_.faults().set_away(true);
  cluster_.call("POST", "/api/v1/namespaces/default/configmaps", config_map("0"));
  EXPECT_FALSE(wait(client_->create(api::kConfigMaps, config_map("1"))));
  cluster_.run_for(std::chrono::seconds(20));
  EXPECT_FALSE(store.get(kMap));
  cluster_.faults().set_away(false);
  EXPECT_TRUE(cluster_.run_until([&] { return store.get(kMap) != nullptr; }, std::chrono::seconds(30)));
}

}  // namespace
}  // namespace tidegate::test
