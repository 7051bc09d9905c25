// SPDX-License-Identifier: Apache-2.0
// Simulated requests: a shape says how many a second, chance says which are the canary's and which fail.
// Deterministic by seed. Thread: one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tidegate::judging {

// SplitMix64 (Steele, Lea, Flood 2014): small, fast, the same on each machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  double uniform();  // in (0, 1]
  std::uint64_t poisson(double mean);

 private:
  std::uint64_t state_;
};

// A file of shapes/: `seconds_per_value N`, then requests a second, repeated without end; # begins a comment.
struct Shape {
  std::string name;
  int seconds_per_value = 1;
  std::vector<double> rates;
  double rate(std::uint64_t second) const { return rates[second / seconds_per_value % rates.size()]; }
  std::uint64_t seconds() const { return rates.size() * static_cast<std::uint64_t>(seconds_per_value); }
};
Shape read_shape(const std::string& name);  // ends the program on a bad file

struct Second {
  std::uint32_t stable_requests = 0, stable_failures = 0;
  std::uint32_t canary_requests = 0, canary_failures = 0;
};

// What holds in one second: the canary's share and the rates of failures.
struct Conditions {
  double weight = 0, stable_fails = 0, canary_fails = 0;
};

// Begins at a random second of the shape.
class Traffic {
 public:
  Traffic(const Shape& shape, std::uint64_t seed);
  Second next(const Conditions& conditions);

 private:
  const Shape& shape_;
  Random random_;
  std::uint64_t second_;
};

std::vector<Second> record(Traffic traffic, int seconds, const std::function<Conditions(int)>& at);

}  // namespace tidegate::judging
