// SPDX-License-Identifier: Apache-2.0
// The Rollout (tidegate.dev/v1alpha1) as a value: what people wrote, checked. Decoding is total: what is
// wrong stands in `problems`, and a Rollout with problems changes nothing in the cluster. Status:
// rollout_status.h. Thread: none; plain values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/analysis.h"
#include "api/field_reader.h"
#include "api/object.h"
#include "api/rollout_status.h"
#include "api/steps.h"
#include "api/workload.h"

namespace tidegate::api {

inline constexpr Resource kRollouts{"tidegate.dev", "v1alpha1", "rollouts", "Rollout"};

// Annotations by which people steer (docs/rollouts.md).
inline constexpr const char* kAbortAnnotation = "tidegate.dev/abort";
inline constexpr const char* kPromoteAnnotation = "tidegate.dev/promote";
inline constexpr const char* kRetryAnnotation = "tidegate.dev/retry";
inline constexpr const char* kRestartAnnotation = "tidegate.dev/restart";
inline constexpr const char* kPauseAnnotation = "tidegate.dev/pause";
// Holds a Rollout that is being deleted until its Deployment serves again (guarantee G15).
inline constexpr const char* kRestoreFinalizer = "tidegate.dev/restore-workload";
inline constexpr const char* kRevisionLabel = "tidegate.dev/pod-template-hash";
// On ReplicaSets, pods and Services of an experiment: the name that ReplicaSet and Service have.
inline constexpr const char* kExperimentLabel = "tidegate.dev/experiment";

struct RouteReference {
  std::string name;                // of the same namespace
  std::vector<std::string> rules;  // by name; empty: every rule that names the stable Service
  std::string kind = "HTTPRoute";  // or GRPCRoute
};

// How a revision that has passed all steps takes over.
enum class Promotion {
  kWeight,    // all traffic by weight, then the stable Service selects it and the traffic returns
  kSelector,  // the stable Service selects it; it stays so if the analysis after that passes
  kSwap,      // all traffic by weight, and the two Services change their roles
};

// Of pods: a number, or a part of all of them.
struct Amount {
  std::int64_t number = 0;
  double ratio = 0;
  std::int64_t of(std::int64_t all) const {
    return std::min(all, number + static_cast<std::int64_t>(ratio * static_cast<double>(all) + 1e-9));
  }
};

// Canary and blue-green alike: steps, then a promotion. In blue-green, the active Service is the stable one
// and the preview Service that of the canary.
struct CanaryStrategy {
  Promotion promotion = Promotion::kWeight;
  std::string stable_service, canary_service;
  std::string sticky_cookie;  // by it a user who met the canary meets it again; empty: none does
  std::vector<RouteReference> routes;
  std::optional<Analysis> analysis;        // in the background of all steps
  std::optional<Analysis> post_promotion;  // once the active Service has switched
  std::vector<Step> steps;
  Duration scale_down_delay{30'000}, abort_scale_down_delay{30'000};
  Amount max_unavailable;             // of spec.replicas, that are done without
  bool dynamic_stable_scale = false;  // stable shrinks as the canary's weight grows
};

struct RolloutSpec {
  std::int64_t replicas = 1;
  std::int64_t revision_history_limit = 5;
  Duration progress_deadline{600'000};
  std::int64_t min_ready_seconds = 0;
  bool paused = false;
  std::int64_t rollback_window = 0;  // so many promoted revisions back no steps are taken
  Workload workload;
  // Never null. An empty object where it is missing, and where the workload has none of its own.
  std::shared_ptr<const Json> pod_template;
  CanaryStrategy canary;
  // AnalysisRuns of former rollouts that are kept.
  std::int64_t successful_run_history_limit = 5, unsuccessful_run_history_limit = 5;
};

struct Rollout {
  Meta meta;
  RolloutSpec spec;
  RolloutStatus status;
  std::vector<FieldProblem> problems;
  std::string revision;    // hash of the pod template, or the name of what the slots serve
  std::string steps_hash;  // of the steps: an edit of them restarts a rollout under way
  std::shared_ptr<const Json> json;
};
Rollout decode_rollout(const Json& json);
// With the pod template of the Deployment that its workloadRef names; null: there is none, a problem.
Rollout with_deployment(Rollout rollout, const Json* deployment);

}  // namespace tidegate::api
