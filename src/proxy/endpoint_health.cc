// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoint_health.h"

namespace tidegate::proxy {

bool is_endpoint_failure(session::StreamError error, bool unsent) {
  using session::StreamError;
  switch (error) {
    case StreamError::kConnectRefused:
    case StreamError::kConnectTimeout:
    case StreamError::kTls:
    case StreamError::kTimeout:
    case StreamError::kProtocol:
      return true;
    case StreamError::kReset:
      return !unsent;
    case StreamError::kNone:
    case StreamError::kOverflow:
    case StreamError::kCancelled:
    case StreamError::kUnsupported:
    case StreamError::kRefused:
      return false;
  }
  return false;
}

bool EndpointHealth::failed(SteadyTime now, const BalanceSettings& settings) {
  if (ejected(now)) return false;  // requests that were under way
  return ++failures_ >= settings.eject_after;
}

void EndpointHealth::eject(SteadyTime now, const BalanceSettings& settings) {
  // One that did well for as long as it was out begins anew.
  if (now - since_ >= ejected_for_) ejected_for_ = Duration(0);
  ejected_for_ = std::min(ejected_for_ + settings.ejection, settings.max_ejection);
  since_ = ejected_until_ = now + ejected_for_;
  failures_ = 0;
}

double EndpointHealth::share(SteadyTime now, const BalanceSettings& settings) const {
  const Duration age = now - since_;
  if (age >= settings.slow_start) return 1;
  return std::max(kLeastShare,
                  static_cast<double>(age.count()) / static_cast<double>(settings.slow_start.count()));
}

}  // namespace tidegate::proxy
