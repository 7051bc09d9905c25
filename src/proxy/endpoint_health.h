// SPDX-License-Identifier: Apache-2.0
// What one worker has learnt of an endpoint by using it: whether it fails, so that it is left out for a while
// (passive ejection), and whether it is new, so that it gets its share little by little (slow start). Pure;
// time is an argument. Not: the choice among endpoints (backends.h). Thread: its worker's.
#pragma once

#include <algorithm>

#include "base/clock.h"
#include "session/streams.h"

namespace tidegate::proxy {

// How requests spread over endpoints. Each worker judges by the requests that it sent itself.
struct BalanceSettings {
  // Envoy Gateway's passive health check: 5 failures in a row, 30 s, a tenth of the endpoints.
  int eject_after = 5;                                // failures in a row
  Duration ejection = std::chrono::seconds(30);       // the first; each further one is longer by as much
  Duration max_ejection = std::chrono::seconds(300);  // as Envoy's
  int max_ejected_percent = 10;                       // of a backend's; but one always may, and all never
  Duration slow_start = std::chrono::seconds(10);     // until a new endpoint has its full share; 0: at once
};

// Whether this end of a request speaks against the endpoint. `unsent` as in streams.h: a connection kept for
// reuse may close at any time, and that is nobody's fault.
bool is_endpoint_failure(session::StreamError error, bool unsent);

class EndpointHealth {
 public:
  explicit EndpointHealth(SteadyTime since) : since_(since) {}

  void answered() { failures_ = 0; }  // whatever it said
  // True: often enough in a row for it to be ejected, where the backend can spare it.
  bool failed(SteadyTime now, const BalanceSettings& settings);
  void eject(SteadyTime now, const BalanceSettings& settings);
  bool ejected(SteadyTime now) const { return now < ejected_until_; }

  // From kLeastShare to 1: of what an endpoint that has long been there gets.
  double share(SteadyTime now, const BalanceSettings& settings) const;
  static constexpr double kLeastShare = 0.1;

 private:
  SteadyTime since_;  // in service, for the first time or again
  SteadyTime ejected_until_ = SteadyTime::min();
  Duration ejected_for_{0};  // the last time
  int failures_ = 0;         // in a row
};

}  // namespace tidegate::proxy
