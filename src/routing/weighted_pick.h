// SPDX-License-Identifier: Apache-2.0
// Weighted choice that keeps to its weights exactly instead of on average. Each choice takes the next point
// of a low-discrepancy sequence (multiples of the golden ratio, modulo 1), and the point falls into one
// backend's share of the circle. Every run of consecutive points, wherever it starts, is spread evenly: over
// any n requests a share is met within a few requests (the error grows with log n, not with its root), also
// when the weights change in between. Unlike a fixed rotation, the sequence has no period that a client's own
// pattern of requests (page, picture, page, picture) could lock on to. Not: sticky. Thread: a PickSequence is
// one relaxed atomic that all workers share; a WeightedPick is constant.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tidegate::routing {

// The points, as fractions of 2^64. In a cache line of its own: workers on other cores take points of other
// rules.
class alignas(64) PickSequence {
 public:
  // 2^64 divided by the golden ratio, made odd: successive multiples fill the circle most evenly.
  static constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15ULL;

  std::uint64_t next() { return taken_.fetch_add(1, std::memory_order_relaxed) * kStep; }

 private:
  std::atomic<std::uint64_t> taken_{0};
};

class WeightedPick {
 public:
  WeightedPick() = default;
  explicit WeightedPick(std::span<const std::uint32_t> weights);

  // Index of the weight whose share holds the point; nullopt where all weights are 0.
  std::optional<std::size_t> at(std::uint64_t point) const;

 private:
  std::vector<std::uint64_t> ends_;  // cumulated weights
};

// Whether the point lies in the first numerator/denominator of the circle. denominator 0: never.
bool in_fraction(std::uint64_t point, std::uint32_t numerator, std::uint32_t denominator);

}  // namespace tidegate::routing
