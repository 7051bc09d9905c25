// SPDX-License-Identifier: Apache-2.0
// The `gateway` provider: values out of the data plane's own counts. Without requests a rate or a quantile is
// NaN, which judging takes for no data. Thread: none; pure.
#pragma once

#include "metrics/traffic.h"

namespace tidegate::metrics {

// What came between two readings. Counts that went back mean a proxy that started anew: then all that it has
// seen since counts.
BackendTraffic since(const BackendTraffic& now, const BackendTraffic& then);
BackendTraffic& operator+=(BackendTraffic& sum, const BackendTraffic& part);

double success_rate(const BackendTraffic& traffic);                  // 0..1
double request_rate(const BackendTraffic& traffic, double seconds);  // per second
// In seconds, interpolated within its bucket, as Prometheus' histogram_quantile does; past the last bound,
// that bound.
double latency_quantile(const BackendTraffic& traffic, double quantile);

}  // namespace tidegate::metrics
