// SPDX-License-Identifier: Apache-2.0
// The steps of a canary strategy as values, in the order that they are taken. What each does: rollout/steps/.
// Thread: none; plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/analysis.h"
#include "api/field_reader.h"

namespace tidegate::api {

struct SetWeight {
  double percent = 0;
};
struct Pause {
  std::optional<Duration> duration;
  std::int64_t min_requests = 0;
  bool for_person() const { return !duration && min_requests == 0; }
};
struct SetCanaryScale {  // exactly one of the three
  std::optional<std::int64_t> replicas;
  std::optional<double> weight;
  bool match_traffic_weight = false;
};
struct AnalysisStep {
  Analysis analysis;
};
struct HeaderMatch {
  enum class How { kExact, kPrefix, kRegex };
  std::string header;
  How how = How::kExact;
  std::string value;
};
struct SetHeaderRoute {
  std::string name;
  std::vector<HeaderMatch> match;  // all of them have to hold; empty: the step removes the route
};
struct MirrorMatch {
  std::string method;                // empty: any
  std::vector<HeaderMatch> headers;  // all of them have to hold
};
struct SetMirrorRoute {
  std::string name;
  std::optional<std::int64_t> percent;  // absent: the step removes the mirror
  std::vector<MirrorMatch> match;       // any one of them; empty: all requests of the driven rules
};
// Pods of their own for a while: the stable and the canary version at the same age and size.
struct ExperimentTemplate {
  std::string name;
  bool canary = false;  // runs the canary's pods, else stable's
  std::int64_t replicas = 1;
  double weight = 0;  // percent of the requests on the routes, which stable gives
};
struct Experiment {
  std::vector<ExperimentTemplate> templates;
  std::optional<Duration> duration;  // absent: until the analysis is through
  std::optional<Analysis> analysis;
};
// A new kind: an alternative here, a row in the table of steps.cc, a file in rollout/steps/; the compiler
// lists the rest.
using Step =
    std::variant<SetWeight, Pause, SetCanaryScale, AnalysisStep, SetHeaderRoute, SetMirrorRoute, Experiment>;
std::string describe(const Step& step);         // "setWeight 5", "pause 5m"
const Analysis* analysis_of(const Step& step);  // that it waits for; null: none

// `canary` is at spec.strategy.canary. What is wrong is reported through it; steps that can't be read are
// left out.
std::vector<Step> decode_steps(const FieldReader& canary);

}  // namespace tidegate::api
