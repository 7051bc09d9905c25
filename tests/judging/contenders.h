// SPDX-License-Identifier: Apache-2.0
// Who watches a canary: Tidegate's own judge, and models of Argo Rollouts and Flagger with the settings that
// people copy. A model is told each second what was served and says when it would roll back; what it leaves
// out is in the peer's favour (no time for queries, reconciles and webhooks). Thread: one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "metrics/compare.h"
#include "tests/judging/traffic.h"

namespace tidegate::judging {

class Contender {
 public:
  virtual ~Contender() = default;
  // At the end of each second; true: rolls back now.
  virtual bool watch(const Second& second) = 0;
  virtual void weight_changed() {}
  // Checks that failed so far; -1: rolled back for another reason.
  virtual int failed_checks() const { return 0; }
};

// metrics::is_worse, asked every second for counts that are a second old, with stretches as compare.h asks
// for.
class Tidegate : public Contender {
 public:
  explicit Tidegate(const metrics::CompareOptions& options) : options_(options) {}
  bool watch(const Second& second) override;
  void weight_changed() override;

 private:
  void add_last();

  metrics::CompareOptions options_;
  metrics::Earlier earlier_;
  metrics::BackendTraffic stable_, canary_;
  Second last_;  // not read yet
  int stretch_seconds_ = 0;
};

// Prometheus with one series of answered requests and one of failed ones, scraped every 15 s from `phase` on.
// rate() over a window knows a series from its second sample in it on.
class Prometheus {
 public:
  explicit Prometheus(int phase) : phase_(phase % kScrape) {}
  void add(const Second& second);
  // sum(rate(not 5xx)) / sum(rate(all)); absent without a sum to divide, NaN for 0/0.
  std::optional<double> success_rate(int window) const;

 private:
  static constexpr int kScrape = 15;
  struct Sample {
    int at;
    std::uint64_t succeeded, failed;
  };
  std::optional<double> increase(int window, std::uint64_t Sample::*series) const;

  int phase_, now_ = 0;
  std::uint64_t succeeded_ = 0, failed_ = 0;
  std::vector<Sample> samples_;
};

// A background AnalysisRun with successCondition result[0] >= 0.95. The first measurement comes at once. An
// empty result is an error, tried again after 10 s; the fifth error in a row ends the run. A NaN fails the
// condition. More failures than `failure_limit` end the run.
struct ArgoSettings {
  int interval, window, failure_limit;
};
class Argo : public Contender {
 public:
  Argo(const ArgoSettings& settings, int phase) : settings_(settings), prometheus_(phase) {}
  bool watch(const Second& second) override;
  int failed_checks() const override { return errors_ > 4 ? -1 : failed_; }

 private:
  void measure();

  ArgoSettings settings_;
  Prometheus prometheus_;
  int now_ = 0, due_ = 0, failed_ = 0, errors_ = 0;
};

// A Canary with request-success-rate min 99: checked each minute, over that minute; no data is a failed
// check. Checks that failed add up over the rollout, and the tick after the one that reaches `threshold`
// rolls back.
class Flagger : public Contender {
 public:
  Flagger(int threshold, int phase) : threshold_(threshold), prometheus_(phase) {}
  bool watch(const Second& second) override;
  int failed_checks() const override { return failed_; }
  bool passed() const { return passed_; }  // the check of this second, if there was one

 private:
  int threshold_;
  Prometheus prometheus_;
  int now_ = 0, failed_ = 0;
  bool passed_ = false;
};

// What users met until traffic was back on stable, a second after the decision.
struct Run {
  bool rolled_back = false;
  int seconds = 0;
  std::uint64_t served = 0, failed = 0;  // by the canary
};
Run run(Contender& contender, const std::vector<Second>& seconds, int seconds_per_weight);

}  // namespace tidegate::judging
