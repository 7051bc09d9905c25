// SPDX-License-Identifier: Apache-2.0
// The verbs of day-to-day work, typed at the binary against a world that runs in this process.
#include <nlohmann/json.hpp>
#include <set>

#include "api/core.h"
#include "api/rollout.h"
#include "tests/integration/program.h"
#include "tests/integration/shop.h"

namespace tidegate::test {
namespace {

struct Answer {
  int code = -1;
  std::string out, err;
};

class Verbs : public ShopTest {
 protected:
  Task<Answer> tidegate(std::vector<std::string> arguments) {
    arguments.push_back("--kubeconfig");
    arguments.push_back(world_->kubeconfig_path());
    auto program = std::make_shared<Program>(dir_.path(), arguments);
    const std::function<bool()> ended = [program] { return !program->running(); };
    co_await until("tidegate " + arguments.front() + " ends", ended);
    Answer answer{program->wait(), program->out(), program->err()};
    co_return answer;
  }
  Task<void> succeeds(std::vector<std::string> arguments) {
    const std::string verb = arguments.front();
    const Answer answer = co_await tidegate(std::move(arguments));
    EXPECT_EQ(answer.code, 0) << verb << ": " << answer.out << answer.err;
  }
  Task<std::set<std::string>> pods() {
    const kube::ListOptions options;
    auto list = co_await world_->client().list(api::kPods, options);
    std::set<std::string> out;
    if (!list) {
      ADD_FAILURE() << list.error().detail;
      co_return out;
    }
    for (const auto& pod : list->items) {
      if (!json::find(pod, "metadata.deletionTimestamp")) out.insert(json::string_at(pod, "metadata.name"));
    }
    co_return out;
  }
  Task<Json> becomes(std::string wanted) {
    const std::function<bool(const Json&)> is = [wanted](const Json& rollout) {
      return phase(rollout) == wanted;
    };
    co_return co_await wait_for(api::kRollouts, "shop", "is " + wanted, is);
  }
};

TEST_F(Verbs, HoldReleaseAbortRetryAndPromote) {
  play(example("01-first-canary"), [this]() -> Task<void> {
    co_await version_1_serves();
    co_await apply(example("01-first-canary/versions/v2.yaml"));
    co_await becomes("Progressing");

    const std::vector<std::string> pause = {"pause", "rollout", "shop", "--reason", "lunch"};
    co_await succeeds(pause);
    const Json held = co_await becomes("Paused");
    EXPECT_NE(json::string_at(held, "status.message").find("lunch"), std::string::npos);
    const std::vector<std::string> wait = {"status", "shop", "--timeout", "100ms"};
    EXPECT_EQ((co_await tidegate(wait)).code, 2) << "neither Healthy nor Degraded in time";

    const std::vector<std::string> resume = {"resume", "shop"};
    co_await succeeds(resume);
    co_await becomes("Progressing");

    const std::vector<std::string> abort = {"abort", "shop", "--reason", "looks odd"};
    co_await succeeds(abort);
    const Json aborted = co_await becomes("Degraded");
    EXPECT_EQ(json::string_at(aborted, "status.abort.reason"), "looks odd");
    const std::vector<std::string> status = {"status", "shop"};
    const Answer degraded = co_await tidegate(status);
    EXPECT_EQ(degraded.code, 1);
    EXPECT_NE(degraded.out.find("looks odd"), std::string::npos) << degraded.out;

    const std::vector<std::string> retry = {"retry", "shop"};
    co_await succeeds(retry);
    co_await becomes("Progressing");
    const std::vector<std::string> promote = {"promote", "shop", "--full"};
    co_await succeeds(promote);
    co_await wait_for(api::kRollouts, "shop", "is promoted", healthy_on_newest);
    EXPECT_EQ((co_await tidegate(status)).code, 0);
    co_await end_load();
    EXPECT_EQ(load_->counts().failed, 0u) << counted();
  });
}

TEST_F(Verbs, RestartMakesEveryPodAnewWithoutAFailedRequest) {
  play(example("01-first-canary"), [this]() -> Task<void> {
    co_await version_1_serves();
    const std::set<std::string> before = co_await pods();
    const std::vector<std::string> restart = {"restart", "shop"};
    co_await succeeds(restart);
    const std::function<bool(const Json&)> begun = [](const Json& rollout) {
      return json::find(rollout, "status.restart") != nullptr;
    };
    co_await wait_for(api::kRollouts, "shop", "makes its pods anew", begun);
    const std::function<bool(const Json&)> over = [](const Json& rollout) {
      return json::find(rollout, "status.restart") == nullptr && phase(rollout) == "Healthy";
    };
    co_await wait_for(api::kRollouts, "shop", "has made its pods anew", over);
    const std::set<std::string> after = co_await pods();
    for (const auto& name : before) EXPECT_FALSE(after.contains(name)) << name << " is an old pod";
    EXPECT_GE(after.size(), before.size());
    co_await end_load();
    EXPECT_EQ(load_->counts().failed, 0u) << counted();
  });
}

TEST_F(Verbs, GetAndDescribeShowWhereItStands) {
  play(example("01-first-canary"), [this]() -> Task<void> {
    co_await version_1_serves();
    co_await apply(example("01-first-canary/versions/v2.yaml"));
    co_await becomes("Progressing");
    const std::vector<std::string> get = {"get", "rollout", "shop"};
    const Answer shown = co_await tidegate(get);
    EXPECT_EQ(shown.code, 0) << shown.err;
    for (const char* part : {"Phase:", "Weight:", "Revisions:", "stable", "canary", "Steps (", "-> "})
      EXPECT_NE(shown.out.find(part), std::string::npos) << part << " is not in:\n" << shown.out;
    const std::vector<std::string> describe = {"describe", "shop"};
    const Answer all = co_await tidegate(describe);
    EXPECT_EQ(all.code, 0) << all.err;
    for (const char* part : {"Conditions:", "Events:", "RolloutStarted"})
      EXPECT_NE(all.out.find(part), std::string::npos) << part << " is not in:\n" << all.out;
    const std::vector<std::string> get_json = {"get", "shop", "-o", "json"};
    const Answer object = co_await tidegate(get_json);
    const auto parsed = json::parse(object.out);
    EXPECT_TRUE(parsed) << object.out;
    EXPECT_EQ(parsed ? json::string_at(*parsed, "kind") : "", "Rollout");
    co_await end_load();
  });
}

TEST_F(Verbs, NameWhatTheyCouldNotFind) {
  play(example("01-first-canary"), [this]() -> Task<void> {
    const std::vector<std::string> abort = {"abort", "no-such-rollout"};
    const Answer answer = co_await tidegate(abort);
    EXPECT_EQ(answer.code, 1);
    EXPECT_NE(answer.err.find("no-such-rollout"), std::string::npos) << answer.err;
    EXPECT_EQ(answer.out, "");
  });
}

}  // namespace
}  // namespace tidegate::test
