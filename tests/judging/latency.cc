// SPDX-License-Identifier: Apache-2.0
#include "tests/judging/latency.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/judging/traffic.h"

namespace tidegate::judging {
namespace {

constexpr double kSigma = 0.7;  // of the durations' logarithm: the p99 is five times the median

class Durations {
 public:
  explicit Durations(double median) {
    for (const double bound : metrics::kDurationBounds)
      below_.push_back(0.5 * std::erfc(-std::log(bound / median) / kSigma / std::sqrt(2)));
  }
  void add(metrics::BackendTraffic& traffic, Random& random) const {
    const auto bucket = std::lower_bound(below_.begin(), below_.end(), random.uniform()) - below_.begin();
    ++traffic.requests;
    ++traffic.duration_counts[static_cast<std::size_t>(bucket)];
  }

 private:
  std::vector<double> below_;  // the part of requests up to each bound
};

}  // namespace

std::uint64_t requests_until_slow(std::uint64_t seed, const metrics::CompareOptions& options, int seconds,
                                  const Medians& medians) {
  Random random(seed);
  metrics::Earlier earlier;
  metrics::BackendTraffic stable, canary;
  std::uint64_t served = 0;
  for (int second = 0; second < seconds; ++second) {
    if (second == seconds / 2) {
      earlier = finish_stretch(options, earlier, stable, canary);
      stable = canary = {};
    }
    const double weight = second < seconds / 2 ? 0.1 : 0.5;
    const auto [of_stable, of_canary] = medians(second);
    const Durations stable_durations(of_stable), canary_durations(of_canary);
    for (auto left = random.poisson(50); left > 0; --left) {
      if (random.uniform() < weight) {
        canary_durations.add(canary, random);
        ++served;
      } else {
        stable_durations.add(stable, random);
      }
    }
    if (is_worse(options, earlier, stable, canary)) return served;
  }
  return 0;
}

}  // namespace tidegate::judging
