// SPDX-License-Identifier: Apache-2.0
#include "local/deployment_plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "base/text.h"
#include "local/limits.h"

namespace tidegate::local {
namespace {

std::int32_t resolve(const std::string& value, std::int32_t replicas, bool round_up) {
  const std::string text = value.empty() ? "25%" : value;
  const bool percent = text.back() == '%';
  const auto number = text::parse_int(std::string_view(text).substr(0, text.size() - (percent ? 1 : 0)));
  const std::int64_t count = std::clamp<std::int64_t>(number.value_or(0), 0, kMaxReplicas);
  if (!percent) return static_cast<std::int32_t>(count);
  return static_cast<std::int32_t>((count * replicas + (round_up ? 99 : 0)) / 100);
}

std::int32_t sum(const std::vector<SetState>& sets, std::int32_t SetState::*field) {
  std::int32_t total = 0;
  for (const auto& set : sets) total += set.*field;
  return total;
}

// Takes up to `budget` replicas from the old sets, oldest first: those that are not available always (they
// serve nobody), the others while the budget lasts.
std::vector<Scale> shrink_old(std::vector<SetState> old, std::int32_t budget) {
  std::sort(old.begin(), old.end(), [](const SetState& a, const SetState& b) {
    return std::tie(a.created, a.name) < std::tie(b.created, b.name);
  });
  std::vector<std::int32_t> left;
  for (auto& set : old) {
    const std::int32_t broken = std::clamp(set.replicas - set.available, 0, std::max(budget, 0));
    left.push_back(set.replicas - broken);
    budget -= broken;
  }
  std::vector<Scale> out;
  for (std::size_t i = 0; i < old.size(); ++i) {
    const std::int32_t taken = std::clamp(left[i], 0, std::max(budget, 0));
    budget -= taken;
    left[i] -= taken;
    if (left[i] != old[i].replicas) out.push_back({old[i].name, left[i]});
  }
  return out;
}

std::vector<Scale> plan_recreate(const DeploymentSpec& spec, const SetState& fresh,
                                 const std::vector<SetState>& old) {
  std::vector<Scale> out;
  for (const auto& set : old) {
    if (set.replicas > 0) out.push_back({set.name, 0});
  }
  if (sum(old, &SetState::current) == 0 && out.empty() && fresh.replicas != spec.replicas) {
    out.push_back({fresh.name, spec.replicas});
  }
  return out;
}

}  // namespace

DeploymentSpec decode_deployment_spec(const Json& deployment) {
  const Json& from = json::object_at(deployment, "spec");
  DeploymentSpec spec;
  spec.replicas = std::clamp(api::int32_at(from, "replicas", 1), 0, kMaxReplicas);
  spec.recreate = json::string_at(from, "strategy.type") == "Recreate";
  spec.max_surge =
      resolve(api::int_or_string_at(from, "strategy.rollingUpdate.maxSurge"), spec.replicas, true);
  spec.max_unavailable =
      resolve(api::int_or_string_at(from, "strategy.rollingUpdate.maxUnavailable"), spec.replicas, false);
  if (spec.max_surge == 0 && spec.max_unavailable == 0) spec.max_unavailable = 1;  // else it could never move
  spec.paused = json::bool_at(from, "paused");
  spec.min_ready_seconds = api::int32_at(from, "minReadySeconds");
  spec.revision_history = api::int32_at(from, "revisionHistoryLimit", kDefaultRevisionHistory);
  spec.progress_deadline_seconds = json::int_at(from, "progressDeadlineSeconds", kDefaultProgressDeadline);
  spec.template_hash = text::safe_hash(json::dump(json::object_at(from, "template")));
  return spec;
}

std::vector<Scale> plan_rollout(const DeploymentSpec& spec, const SetState& fresh,
                                const std::vector<SetState>& old) {
  if (spec.recreate) return plan_recreate(spec, fresh, old);
  const std::int32_t total = fresh.replicas + sum(old, &SetState::replicas);
  const std::int32_t room = spec.replicas + spec.max_surge - total;
  std::int32_t target = std::min(fresh.replicas, spec.replicas);
  if (room > 0) target = std::min(spec.replicas, fresh.replicas + room);

  // What may go without fewer than replicas - maxUnavailable being available; the fresh ones that are not
  // available yet are kept out of it.
  const std::int32_t waiting = std::max(0, fresh.replicas - fresh.available);
  const std::int32_t budget = total - (spec.replicas - spec.max_unavailable) - waiting;
  std::vector<Scale> out = shrink_old(old, budget);
  if (target != fresh.replicas) out.insert(out.begin(), {fresh.name, target});
  return out;
}

DeploymentStatus deployment_status(const DeploymentSpec& spec, const SetState& fresh,
                                   const std::vector<SetState>& old) {
  DeploymentStatus status;
  status.updated = fresh.current;
  status.replicas = fresh.current + sum(old, &SetState::current);
  status.ready = fresh.ready + sum(old, &SetState::ready);
  status.available = fresh.available + sum(old, &SetState::available);
  status.complete = status.updated == spec.replicas && status.replicas == spec.replicas &&
                    status.available == spec.replicas;
  const std::int32_t spared = spec.recreate ? 0 : spec.max_unavailable;
  status.available_enough = status.available >= spec.replicas - spared;
  return status;
}

}  // namespace tidegate::local
