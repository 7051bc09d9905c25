// SPDX-License-Identifier: Apache-2.0
#include "api/blue_green.h"

#include "base/text.h"

namespace tidegate::api {
namespace {

constexpr std::int64_t kDay = 86'400;

std::vector<Step> steps_before_promotion(const FieldReader& at) {
  std::vector<Step> out;
  SetCanaryScale scale;
  scale.replicas = at.integer("previewReplicaCount", 1, 100'000);
  if (!scale.replicas) scale.weight = 100;
  out.emplace_back(scale);
  if (at.has("prePromotionAnalysis"))
    out.emplace_back(AnalysisStep{decode_analysis(at.child("prePromotionAnalysis"))});
  const std::int64_t seconds = at.integer("autoPromotionSeconds", 0, kDay).value_or(0);
  Pause pause;
  if (seconds > 0) pause.duration = std::chrono::seconds(seconds);
  if (seconds > 0 || !at.flag("autoPromotionEnabled").value_or(true)) out.emplace_back(pause);
  return out;
}

}  // namespace

void decode_blue_green(const FieldReader& blue_green, CanaryStrategy& out) {
  out.promotion = Promotion::kSelector;
  out.steps = steps_before_promotion(blue_green);
  if (blue_green.has("postPromotionAnalysis"))
    out.post_promotion = decode_analysis(blue_green.child("postPromotionAnalysis"));
}

}  // namespace tidegate::api
