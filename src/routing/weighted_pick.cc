// SPDX-License-Identifier: Apache-2.0
#include "routing/weighted_pick.h"

namespace tidegate::routing {
namespace {

// The point's place on a circle of `total` units.
std::uint64_t scale(std::uint64_t point, std::uint64_t total) {
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(point) * total) >> 64);
}

}  // namespace

WeightedPick::WeightedPick(std::span<const std::uint32_t> weights) {
  ends_.reserve(weights.size());
  std::uint64_t end = 0;
  for (const std::uint32_t weight : weights) ends_.push_back(end += weight);
}

std::optional<std::size_t> WeightedPick::at(std::uint64_t point) const {
  if (ends_.empty() || ends_.back() == 0) return std::nullopt;
  const std::uint64_t place = scale(point, ends_.back());
  std::size_t index = 0;
  while (ends_[index] <= place) ++index;
  return index;
}

bool in_fraction(std::uint64_t point, std::uint32_t numerator, std::uint32_t denominator) {
  return denominator != 0 && scale(point, denominator) < numerator;
}

}  // namespace tidegate::routing
