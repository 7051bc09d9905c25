// SPDX-License-Identifier: Apache-2.0
// Fast random numbers for spreading load and naming requests (splitmix64). Not: for secrets. Thread: its
// worker's.
#pragma once

#include <cstdint>

namespace tidegate::proxy {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t n) {
    return static_cast<std::size_t>((static_cast<unsigned __int128>(next()) * n) >> 64);
  }
  bool chance(double probability) {  // 1: always, and without a number drawn
    return probability >= 1 || static_cast<double>(next() >> 11) * 0x1p-53 < probability;
  }

 private:
  std::uint64_t state_;
};

}  // namespace tidegate::proxy
