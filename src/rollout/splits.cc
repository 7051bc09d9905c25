// SPDX-License-Identifier: Apache-2.0
// The arithmetic of a rule's weights; declared in weights.h.
#include <algorithm>
#include <cmath>

#include "rollout/limits.h"
#include "rollout/weights.h"

namespace tidegate::rollout {
namespace {

constexpr double kWhole = 1e-6;  // what rounding may leave of a product that is whole

bool is_whole(double number) { return std::abs(number - std::round(number)) < kWhole; }

// The canary's part in whole numbers where the total allows it, else with a total so many times larger. The
// total of a rule without weights is taken for 100, which people can read.
std::int64_t factor_for(const SeenRule& rule, std::int64_t total, double percent,
                        const Experiments& experiments) {
  std::int64_t largest = total;
  for (const auto& [index, weight] : rule.others) largest = std::max(largest, weight);
  for (std::int64_t factor = 1; largest * factor <= kMaxBackendWeight; factor *= 10) {
    const auto whole = [&](double share) {
      return is_whole(share * static_cast<double>(total * factor) / 100);
    };
    if (whole(percent) && std::all_of(experiments.begin(), experiments.end(),
                                      [&](const auto& weight) { return whole(weight.percent); }))
      return factor;
  }
  return 1;
}

std::int64_t part_of(std::int64_t total, double percent) {
  return std::llround(percent * static_cast<double>(total) / 100);
}

// Of all that the Rollout splits.
std::int64_t sum_of(const SeenRule& rule) {
  std::int64_t total = rule.stable_weight + rule.canary_weight;
  for (const auto& [service, backend] : rule.experiments) total += backend.weight;
  return total;
}

std::int64_t total_of(const SeenRule& rule) {
  const std::int64_t total = sum_of(rule);
  const bool alone = rule.others.empty();
  return total <= 1 && alone ? 100 : std::max<std::int64_t>(total, 1);
}

// Where there are sessions, a canary that nobody is to reach is taken off the rule: at a weight of 0 it would
// keep whom it has.
bool must_go(const SeenRule& rule, double percent) {
  return rule.sticky && percent <= 0 && rule.canary_index.has_value();
}

// Services that the rule names already are set, others added; those that nobody wants any more are removed.
// Returns what they get together.
std::int64_t set_experiments(const SeenRule& rule, const Experiments& experiments, std::int64_t total,
                             RuleWeights& out) {
  std::int64_t sum = 0;
  out.like = rule.stable_index;
  std::map<std::string, SeenRule::Backend> left = rule.experiments;
  for (const auto& wanted : experiments) {
    const std::int64_t weight = part_of(total, wanted.percent);
    sum += weight;
    const auto found = left.find(wanted.service);
    if (found == left.end()) {
      out.experiments.push_back({wanted.service, weight});
      continue;
    }
    out.set.push_back({found->second.index, weight});
    left.erase(found);
  }
  for (const auto& [service, backend] : left) out.removed.push_back(backend.index);
  std::sort(out.removed.rbegin(), out.removed.rend());  // the last one first: the others keep their place
  return sum;
}

}  // namespace

bool splits(const SeenRule& rule, double percent, const Experiments& experiments) {
  if (must_go(rule, percent)) return false;
  if (rule.experiments.size() != experiments.size()) return false;
  if (percent <= 0 && experiments.empty())
    return rule.canary_weight == 0 && (rule.stable_weight > 0 || !rule.others.empty());
  const std::int64_t total = sum_of(rule);
  if ((percent > 0 && !rule.canary_index) || total == 0) return false;
  for (const auto& wanted : experiments) {
    const auto found = rule.experiments.find(wanted.service);
    if (found == rule.experiments.end() || found->second.weight != part_of(total, wanted.percent))
      return false;
  }
  return rule.canary_weight == part_of(total, percent) && factor_for(rule, total, percent, experiments) == 1;
}

RuleWeights weights_for(const SeenRule& rule, double percent, const Experiments& experiments) {
  std::int64_t base = total_of(rule);
  // A total that can't express it gives way to 100 where no other backend counts on it; growing it instead
  // would never end.
  if (rule.others.empty() && factor_for(rule, base, percent, experiments) > 1) base = 100;
  const std::int64_t factor = factor_for(rule, base, percent, experiments);
  const std::int64_t total = base * factor;
  const std::int64_t canary = part_of(total, percent);
  RuleWeights out;
  out.rule = rule.index;
  out.set.push_back({rule.stable_index, 0});
  if (must_go(rule, percent)) {
    out.removed.push_back(*rule.canary_index);
  } else if (rule.canary_index) {
    out.set.push_back({*rule.canary_index, canary});
  } else if (canary > 0 || (!rule.sticky && experiments.empty() && rule.experiments.empty())) {
    out.copy_of = rule.stable_index;
    out.added_weight = canary;
  }
  const std::int64_t given = set_experiments(rule, experiments, total, out);
  out.set.front().weight = std::max<std::int64_t>(0, total - canary - given);
  if (factor > 1) {
    for (const auto& [index, weight] : rule.others) out.set.push_back({index, weight * factor});
  }
  return out;
}

}  // namespace tidegate::rollout
