// SPDX-License-Identifier: Apache-2.0
#include "tests/judging/contenders.h"

namespace tidegate::judging {

void Tidegate::add_last() {
  stable_.requests += last_.stable_requests;
  stable_.failures += last_.stable_failures;
  canary_.requests += last_.canary_requests;
  canary_.failures += last_.canary_failures;
  last_ = {};
}

bool Tidegate::watch(const Second& second) {
  if (stretch_seconds_ == std::chrono::duration_cast<std::chrono::seconds>(metrics::kLongestStretch).count())
    weight_changed();
  ++stretch_seconds_;
  add_last();
  last_ = second;
  return metrics::is_worse(options_, earlier_, stable_, canary_);
}

void Tidegate::weight_changed() {
  add_last();
  earlier_ = metrics::finish_stretch(options_, earlier_, stable_, canary_);
  stable_ = canary_ = {};
  stretch_seconds_ = 0;
}

void Prometheus::add(const Second& second) {
  failed_ += second.canary_failures;
  succeeded_ += second.canary_requests - second.canary_failures;
  if (++now_ % kScrape == phase_) samples_.push_back({now_, succeeded_, failed_});
}

std::optional<double> Prometheus::increase(int window, std::uint64_t Sample::*series) const {
  const Sample* first = nullptr;
  for (auto sample = samples_.rbegin(); sample != samples_.rend(); ++sample) {
    if (sample->at <= now_ - window || (*sample).*series == 0) break;
    first = &*sample;
  }
  if (!first || first == &samples_.back()) return std::nullopt;
  return static_cast<double>(samples_.back().*series - first->*series);
}

std::optional<double> Prometheus::success_rate(int window) const {
  const auto succeeded = increase(window, &Sample::succeeded);
  const auto failed = increase(window, &Sample::failed);
  if (!succeeded) return std::nullopt;
  return *succeeded / (*succeeded + failed.value_or(0));
}

void Argo::measure() {
  const auto rate = prometheus_.success_rate(settings_.window);
  if (!rate) {
    ++errors_;
    due_ = now_ + 10;
    return;
  }
  errors_ = 0;
  due_ = now_ + settings_.interval;
  if (!(*rate >= 0.95)) ++failed_;
}

bool Argo::watch(const Second& second) {
  if (now_ == due_) measure();  // of what was before this second
  ++now_;
  prometheus_.add(second);
  return errors_ > 4 || failed_ > settings_.failure_limit;
}

bool Flagger::watch(const Second& second) {
  prometheus_.add(second);
  passed_ = false;
  if (++now_ % 60 != 0) return false;
  if (failed_ >= threshold_) return true;
  const auto rate = prometheus_.success_rate(60);
  passed_ = rate && *rate >= 0.99;
  if (!passed_) ++failed_;
  return false;
}

Run run(Contender& contender, const std::vector<Second>& seconds, int seconds_per_weight) {
  Run out;
  const auto serve = [&out](const Second& second) {
    out.served += second.canary_requests;
    out.failed += second.canary_failures;
    ++out.seconds;
  };
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    if (i > 0 && i % static_cast<std::size_t>(seconds_per_weight) == 0) contender.weight_changed();
    serve(seconds[i]);
    if (contender.watch(seconds[i])) {
      out.rolled_back = true;
      if (i + 1 < seconds.size()) serve(seconds[i + 1]);
      break;
    }
  }
  return out;
}

}  // namespace tidegate::judging
