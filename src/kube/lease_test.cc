// SPDX-License-Identifier: Apache-2.0
#include "kube/lease.h"

#include <gtest/gtest.h>

#include "kube/lease_record.h"
#include "kube/playback.h"

namespace tidegate::kube {
namespace {

TEST(LeaseSight, ALeaseIsFreeOnceItWasNotRenewedForItsDuration) {
  LeaseSight sight;
  const LeaseRecord held{"7", "other", 15s, "t0", "t1", 0};
  sight.look(held, SteadyTime(1s));
  sight.look(held, SteadyTime(10s));
  EXPECT_FALSE(sight.free_for("me", SteadyTime(15s)));
  EXPECT_TRUE(sight.free_for("other", SteadyTime(15s)));
  EXPECT_TRUE(sight.free_for("me", SteadyTime(16s)));
  auto renewed = held;
  renewed.renewed = "t2";
  sight.look(renewed, SteadyTime(15s));
  EXPECT_FALSE(sight.free_for("me", SteadyTime(29s)));
}

TEST(LeaseRecord, TakingItCountsTransitionsAndRenewingDoesNot) {
  const TimePoint now{std::chrono::seconds(1'800'000'000)};
  const api::Key key{"ns", "l"};
  Json lease = take_lease(Json::object(), key, "a", now);
  EXPECT_EQ(decode_lease(lease).holder, "a");
  EXPECT_EQ(decode_lease(lease).transitions, 0);
  lease["metadata"]["resourceVersion"] = "1";
  EXPECT_EQ(decode_lease(take_lease(lease, key, "a", now + 2s)).acquired, decode_lease(lease).acquired);
  EXPECT_EQ(decode_lease(take_lease(lease, key, "b", now + 2s)).transitions, 1);
  EXPECT_EQ(decode_lease(give_lease(lease, now)).holder, "");
}

// One Lease as an API server keeps it: resourceVersion guards it.
class LeaseTest : public PlaybackTest {
 protected:
  void on_request(session::Request request, session::Responder responder) override {
    const auto& method = request.head.method;
    if (away_) return responder.send({503, "application/json", "{}"});
    if (method == "GET")
      return responder.send({lease_.is_null() ? 404 : 200, "application/json", lease_.dump()});
    Json body = Json::parse(request.body);
    const auto version = lease_.is_null() ? "" : json::string_at(lease_, "metadata.resourceVersion");
    if ((method == "POST") != lease_.is_null() ||
        json::string_at(body, "metadata.resourceVersion") != version) {
      return responder.send({409, "application/json", "{}"});
    }
    body["metadata"]["resourceVersion"] = std::to_string(++version_);
    lease_ = body;
    responder.send({200, "application/json", lease_.dump()});
  }
  std::unique_ptr<LeaderElection> elect(std::string identity) {
    LeaderElection::Options options;
    options.lease = {"ns", "gate"};
    options.identity = identity;
    options.started = [this, identity] { said_.push_back(identity + " started"); };
    options.lost = [this, identity] { said_.push_back(identity + " lost"); };
    return std::make_unique<LeaderElection>(client(), options);
  }
  void pass(Duration time) {
    const auto until = scheduler_.clock().now() + time;
    run_ahead_until([&] { return scheduler_.clock().now() >= until; });
  }

  Json lease_ = nullptr;
  int version_ = 0;
  bool away_ = false;
  std::vector<std::string> said_;
};

TEST_F(LeaseTest, OneOfTwoLeadsAndKeepsRenewing) {
  const auto a = elect("a");
  run_ahead_until([&] { return a->leading(); });
  const auto b = elect("b");
  pass(60s);
  EXPECT_TRUE(a->leading());
  EXPECT_FALSE(b->leading());
  EXPECT_EQ(said_, std::vector<std::string>{"a started"});
}

TEST_F(LeaseTest, ReleaseHandsOverWithinOneRetry) {
  const auto a = elect("a");
  run_ahead_until([&] { return a->leading(); });
  const auto b = elect("b");
  pass(1s);
  bool released = false;
  auto release = [](LeaderElection& election, bool& done) -> Task<void> {
    co_await election.release();
    done = true;
  };
  net::spawn(loop_.io(), release(*a, released));
  run_ahead_until([&] { return released; });
  EXPECT_FALSE(a->leading());
  pass(kLeaseRetry + 1s);
  EXPECT_TRUE(b->leading());
  EXPECT_EQ(json::int_at(lease_, "spec.leaseTransitions"), 1);
}

TEST_F(LeaseTest, ALeaderThatVanishedIsFollowedAfterTheLeaseRanOut) {
  auto a = elect("a");
  run_ahead_until([&] { return a->leading(); });
  a.reset();
  const auto b = elect("b");
  pass(10s);
  EXPECT_FALSE(b->leading());
  pass(10s);
  EXPECT_TRUE(b->leading());
}

TEST_F(LeaseTest, ALeaderThatCannotRenewStepsDownBeforeOthersMayTakeOver) {
  const auto a = elect("a");
  run_ahead_until([&] { return a->leading(); });
  away_ = true;
  pass(kRenewDeadline + 1s);
  EXPECT_FALSE(a->leading());
  EXPECT_EQ(said_, (std::vector<std::string>{"a started", "a lost"}));
}

TEST_F(LeaseTest, ALeaderWhoseLeaseWasTakenStopsLeading) {
  const auto a = elect("a");
  run_ahead_until([&] { return a->leading(); });
  lease_["spec"]["holderIdentity"] = "intruder";
  lease_["metadata"]["resourceVersion"] = std::to_string(++version_);
  pass(kLeaseRetry + 1s);
  EXPECT_FALSE(a->leading());
}

}  // namespace
}  // namespace tidegate::kube
