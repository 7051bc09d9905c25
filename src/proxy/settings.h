// SPDX-License-Identifier: Apache-2.0
// The bounds of the data plane that operators may set, by name: a YAML file of nested names gives some of
// them, the rest keep their defaults.
//
//   clients: {headerTimeout: 5s, http2: {concurrentStreams: 250}}
//   backends: {connections: 200}
//
// One table holds each setting's name, unit, range and meaning; docs/hardening.md shows it, and a test
// compares them. Pure; no thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "proxy/endpoint_health.h"
#include "proxy/limits.h"
#include "proxy/retry_budget.h"
#include "session/limits.h"

namespace tidegate::proxy {

struct Settings {
  session::ServerLimits clients;   // of each listener
  session::ClientLimits backends;  // of each endpoint, a worker
  BalanceSettings balance = {};
  RetrySettings retry = {};  // of all workers together
  Duration tunnel_lifetime = kTunnelLifetime;
  Duration drain_timeout = std::chrono::seconds(20);
};

enum class Unit : std::uint8_t { kCount, kBytes, kDuration, kPercent, kPerSecond };

struct Setting {
  std::string name;  // "clients.headerTimeout"
  Unit unit;
  double least, most;        // inclusive; durations in seconds
  std::string_view meaning;  // what it bounds, in some words
  double (*get)(const Settings&);
  void (*set)(Settings&, double);
};

const std::vector<Setting>& all_settings();
std::string to_text(Unit unit, double value);  // "64Ki", "10s", "128"

// Changes `settings` as the text says, all or nothing. Errors name the file, the setting, the value and what
// was expected: "limits.yaml: clients.headerTimeout: "soon" is no duration such as 10s, from 100ms to 1h".
Result<void> apply_settings(std::string_view yaml, const std::string& file, Settings& settings);

// All of them as such a file, each with its meaning and range beside it.
std::string to_yaml(const Settings& settings);

}  // namespace tidegate::proxy
