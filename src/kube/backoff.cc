// SPDX-License-Identifier: Apache-2.0
#include "kube/backoff.h"

#include <algorithm>

namespace tidegate::kube {

Duration Backoff::next() {
  std::uniform_int_distribution<Duration::rep> spread(std::max(min_, top_ / 2).count(), top_.count());
  top_ = std::min(top_ * 2, max_);
  return Duration(spread(random_));
}

}  // namespace tidegate::kube
