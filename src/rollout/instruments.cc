// SPDX-License-Identifier: Apache-2.0
#include "rollout/instruments.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

namespace tidegate::rollout {

struct Instruments::Families {
  explicit Families(prometheus::Registry& registry)
      : info(prometheus::BuildGauge()
                 .Name("tidegate_rollout_info")
                 .Help("1 for the phase that a Rollout is in, with its revisions")
                 .Register(registry)),
        step(prometheus::BuildGauge().Name("tidegate_rollout_step").Help("Steps passed").Register(registry)),
        weight(
            prometheus::BuildGauge()
                .Name("tidegate_rollout_weight")
                .Help("The canary's share of the traffic in percent: desired, and as the data plane split it")
                .Register(registry)),
        runs(prometheus::BuildCounter()
                 .Name("tidegate_rollout_analysis_runs_total")
                 .Help("Analysis runs that ended, by result")
                 .Register(registry)) {}

  prometheus::Family<prometheus::Gauge>& info;
  prometheus::Family<prometheus::Gauge>& step;
  prometheus::Family<prometheus::Gauge>& weight;
  prometheus::Family<prometheus::Counter>& runs;
};

struct Instruments::Series {
  Families& families;
  prometheus::Gauge* info = nullptr;
  prometheus::Gauge* step = nullptr;
  prometheus::Gauge* desired = nullptr;
  prometheus::Gauge* observed = nullptr;
  std::string shown;  // the labels that `info` stands for

  explicit Series(Families& families) : families(families) {}
  ~Series() {
    if (info) families.info.Remove(info);
    families.step.Remove(step);
    families.weight.Remove(desired);
    families.weight.Remove(observed);
  }
};

Instruments::Instruments(prometheus::Registry* registry) {
  if (registry) families_ = std::make_unique<Families>(*registry);
}
Instruments::~Instruments() { series_.clear(); }

void Instruments::show(const api::Rollout& rollout, const api::RolloutStatus& status) {
  if (!families_) return;
  const prometheus::Labels labels = {{"namespace", rollout.meta.ns}, {"rollout", rollout.meta.name}};
  auto& series = series_[rollout.meta.key()];
  if (!series) {
    series = std::make_unique<Series>(*families_);
    auto with_state = labels;
    series->step = &families_->step.Add(labels);
    with_state["state"] = "desired";
    series->desired = &families_->weight.Add(with_state);
    with_state["state"] = "observed";
    series->observed = &families_->weight.Add(with_state);
  }
  const std::string shown = status.phase + "/" + status.stable_revision + "/" + status.canary_revision;
  if (!series->info || series->shown != shown) {
    if (series->info) families_->info.Remove(series->info);
    auto with_phase = labels;
    with_phase["phase"] = status.phase;
    with_phase["stable"] = status.stable_revision;
    with_phase["canary"] = status.canary_revision;
    series->info = &families_->info.Add(with_phase);
    series->shown = shown;
  }
  series->info->Set(1);
  series->step->Set(static_cast<double>(status.current_step_index));
  series->desired->Set(status.weights.desired);
  series->observed->Set(status.weights.observed.value_or(0));
}

void Instruments::count(const std::vector<Note>& notes) {
  if (!families_) return;
  for (const auto& note : notes) {
    for (const auto* result : {"Successful", "Failed", "Inconclusive", "Error"}) {
      if (note.reason == std::string("Analysis") + result)
        families_->runs.Add({{"result", result}}).Increment();
    }
  }
}

void Instruments::forget(const api::Key& key) { series_.erase(key); }

}  // namespace tidegate::rollout
