// SPDX-License-Identifier: Apache-2.0
#include "app/simulate.h"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "rollout/decide.h"

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;

constexpr int kNotPromoted = 1, kUnplayable = 2;
constexpr int kMaxDecisions = 50;  // at one moment: each has to change something
constexpr Duration kLongest = std::chrono::hours(7 * 24);
constexpr Duration kShortestTick = 1s, kLongestTick = 30s;
constexpr Duration kPersonTakes = 1min;  // to promote where a step waits for that
constexpr TimePoint kBegin{std::chrono::seconds(1'800'000'000)};

std::string fixed(double number, int digits) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, number);
  return buffer;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  if (from.empty()) return;
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

class Play {
 public:
  Play(SimulatedCluster cluster, double requests_a_second, const Behaviour& canary)
      : cluster_(std::move(cluster)), rate_(requests_a_second), canary_(canary) {}

  // The first revision, about which nobody wants to read.
  Result<void> settle() {
    for (int i = 0; i < 600; ++i) {
      decide();
      const auto rollout = cluster_.rollout();
      if (rollout.status.phase == "Degraded") return Error{ErrorCode::kInvalid, rollout.status.message};
      if (rollout.status.phase == "Healthy") return {};
      cluster_.tick(kShortestTick, 0, {}, {});
    }
    return Error{ErrorCode::kInvalid,
                 "the first revision does not come up: " + cluster_.rollout().status.message};
  }

  Simulated run() {
    old_ = cluster_.rollout().revision;
    cluster_.ship("2");
    new_ = cluster_.rollout().revision;
    cluster_.tick(Duration(0), 0, {}, {});
    before_ = cluster_.traffic();
    begin_ = cluster_.now();
    telling_ = true;
    while (cluster_.now() - begin_ < kLongest) {
      const Duration next = decide();
      if (over()) break;
      promote_where_a_person_would();
      const Duration passed = std::clamp(next, kShortestTick, kLongestTick);
      cluster_.tick(passed, rate_ * std::chrono::duration<double>(passed).count(), {}, canary_);
    }
    const auto status = cluster_.rollout().status;
    Simulated out;
    out.promoted = status.phase == "Healthy" && status.stable_revision == new_;
    out.text = text_ + "\n" + ending(status, out.promoted);
    return out;
  }

 private:
  // Until nothing changes; when to look again.
  Duration decide() {
    Duration next = kLongestTick;
    for (int i = 0; i < kMaxDecisions; ++i) {
      const auto decision = rollout::decide(cluster_.rollout(), cluster_.observe());
      for (const auto& action : decision.actions) cluster_.apply(action);
      const bool written = cluster_.write_status(decision.next);
      cluster_.measure(decision.measures);
      for (const auto& note : decision.notes) tell(note);
      next = decision.actions.empty() && decision.measures.empty()
                 ? decision.wake_after.value_or(kLongestTick)
                 : kShortestTick;
      if (!written && decision.actions.empty()) break;
    }
    return next;
  }

  bool over() const {
    const auto status = cluster_.rollout().status;
    if (status.phase == "Healthy") return status.stable_revision == new_;
    if (status.phase == "Degraded") return cluster_.served_share() == 0;
    return status.phase == "Paused" && !waits_for_promotion(status);
  }

  static bool waits_for_promotion(const api::RolloutStatus& status) {
    return !status.pause_conditions.empty() &&
           std::all_of(status.pause_conditions.begin(), status.pause_conditions.end(),
                       [](const auto& pause) { return pause.reason == "PauseStep"; });
  }

  void promote_where_a_person_would() {
    const auto rollout = cluster_.rollout();
    const auto& status = rollout.status;
    if (status.phase != "Paused" || !waits_for_promotion(status)) return;
    const auto& steps = rollout.spec.canary.steps;
    const auto index = static_cast<std::size_t>(status.current_step_index);
    const auto* pause = index < steps.size() ? std::get_if<api::Pause>(&steps[index]) : nullptr;
    if (!pause || !pause->for_person() ||
        cluster_.now() - status.pause_conditions.front().since < kPersonTakes)
      return;
    cluster_.annotate(api::kPromoteAnnotation, "step");
    line("a person promotes");
  }

  void tell(const rollout::Note& note) {
    if (telling_) line(note.reason + ": " + note.message);
  }

  void line(std::string what) {
    replace_all(what, new_, "NEW");
    replace_all(what, old_, "OLD");
    const auto& status = cluster_.rollout().status;
    std::string time = "+" + text::format_age(cluster_.now() - begin_);
    std::string weight = fixed(cluster_.served_share() * 100, 1) + " %";
    time.resize(std::max<std::size_t>(time.size(), 8), ' ');
    weight.insert(0, weight.size() < 8 ? 8 - weight.size() : 0, ' ');
    std::string step = status.step;
    step.resize(std::max<std::size_t>(step.size(), 6), ' ');
    text_ += time + step + weight + "  " + what + "\n";
  }

  std::string ending(const api::RolloutStatus& status, bool promoted) const {
    const auto& now = cluster_.traffic();
    const auto by_new = now.canary.requests - before_.canary.requests;
    const auto all = by_new + now.stable.requests - before_.stable.requests;
    const auto failed = now.canary.failures - before_.canary.failures;
    std::string message = status.message;
    replace_all(message, new_, "NEW");
    replace_all(message, old_, "OLD");
    const std::string took = text::format_age(cluster_.now() - begin_);
    return (promoted ? "promoted after " : status.phase + " after ") + took + ": " + message + "\n" +
           "users: " + std::to_string(all) + " requests, " + std::to_string(by_new) +
           " of them answered by NEW, " + std::to_string(failed) + " failed\n";
  }

  SimulatedCluster cluster_;
  double rate_;
  Behaviour canary_;
  std::string old_, new_, text_;
  rollout::SeenTraffic before_;
  TimePoint begin_{};
  bool telling_ = false;
};

Json any_template() {
  return {{"metadata", {{"labels", {{"app", "simulated"}}}}},
          {"spec", {{"containers", Json::array({{{"name", "app"}, {"image", "app"}}})}}}};
}

Error unplayable(const std::string& what) { return {ErrorCode::kInvalid, what}; }

}  // namespace

Result<Simulated> simulate(const std::vector<Manifest>& manifests, double requests_a_second,
                           const Behaviour& canary) {
  analysis::Templates templates;
  std::vector<Json> rollouts;
  for (const auto& manifest : manifests) {
    const std::string kind = json::string_at(*manifest.object, "kind"),
                      name = json::string_at(*manifest.object, "metadata.name");
    if (!json::string_at(*manifest.object, "apiVersion").starts_with("tidegate.dev/")) continue;
    if (kind == "Rollout") rollouts.push_back(*manifest.object);
    if (kind == "AnalysisTemplate") templates.of_namespace[name] = manifest.object;
    if (kind == "ClusterAnalysisTemplate") templates.of_cluster[name] = manifest.object;
  }
  if (rollouts.size() != 1)
    return unplayable("expected one Rollout, found " + std::to_string(rollouts.size()));
  Json& spec = rollouts[0]["spec"];
  if (!spec.is_object()) return unplayable("the Rollout has no spec");
  if (spec.contains("services"))
    return unplayable("spec.services is not modelled: expected template or workloadRef");
  if (spec.erase("workloadRef") > 0)
    spec["template"] = any_template();  // whose pods they are makes no difference
  SimulatedCluster cluster(std::move(rollouts[0]), std::move(templates), kBegin);
  if (const auto read = cluster.rollout(); !read.problems.empty())
    return unplayable(to_string(read.problems));
  Play play(std::move(cluster), requests_a_second, canary);
  if (auto settled = play.settle(); !settled) return settled.error();
  return play.run();
}

int run_simulate(const std::vector<std::string>& paths, double requests_a_second, const Behaviour& canary) {
  std::vector<Manifest> manifests;
  for (const auto& path : paths) {
    auto loaded = load_manifests(path);
    if (!loaded) {
      std::cerr << "tidegate simulate: " << loaded.error().detail << "\n";
      return kUnplayable;
    }
    std::move(loaded->begin(), loaded->end(), std::back_inserter(manifests));
  }
  const auto played = simulate(manifests, requests_a_second, canary);
  if (!played) {
    std::cerr << "tidegate simulate: " << played.error().detail << "\n";
    return kUnplayable;
  }
  std::cout << played->text;
  return played->promoted ? 0 : kNotPromoted;
}

}  // namespace tidegate::app
