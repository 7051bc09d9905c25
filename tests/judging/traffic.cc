// SPDX-License-Identifier: Apache-2.0
#include "tests/judging/traffic.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace tidegate::judging {
namespace {

std::uint32_t threshold(double probability) {
  return probability >= 1 ? ~std::uint32_t{0} : static_cast<std::uint32_t>(probability * 4294967296.0);
}

// Below `bound` out of 2^32; all ones stands for always.
bool below(std::uint32_t chance, std::uint32_t bound) { return chance < bound || bound == ~std::uint32_t{0}; }

}  // namespace

std::uint64_t Random::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

double Random::uniform() { return static_cast<double>((next() >> 11) + 1) * 0x1p-53; }

// Knuth's product of uniforms: exact, and fast enough for some hundred a second.
std::uint64_t Random::poisson(double mean) {
  const double limit = std::exp(-mean);
  std::uint64_t count = 0;
  for (double product = uniform(); product > limit; product *= uniform()) ++count;
  return count;
}

Shape read_shape(const std::string& name) {
  Shape shape;
  shape.name = name;
  std::ifstream file(std::string(SHAPES_DIR) + "/" + name + ".txt");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word;
    while (words >> word) {
      if (word == "seconds_per_value")
        words >> shape.seconds_per_value;
      else
        shape.rates.push_back(std::atof(word.c_str()));
    }
  }
  if (shape.rates.empty() || shape.seconds_per_value < 1) {
    std::fprintf(stderr, "no shape in %s/%s.txt\n", SHAPES_DIR, name.c_str());
    std::exit(1);
  }
  return shape;
}

Traffic::Traffic(const Shape& shape, std::uint64_t seed)
    : shape_(shape), random_(seed), second_(random_.next() % shape.seconds()) {}

Second Traffic::next(const Conditions& conditions) {
  const std::uint32_t to_canary = threshold(conditions.weight);
  const std::uint32_t canary_fails = threshold(conditions.canary_fails);
  const std::uint32_t stable_fails = threshold(conditions.stable_fails);
  Second out;
  for (auto left = random_.poisson(shape_.rate(second_++)); left > 0; --left) {
    const std::uint64_t chance = random_.next();
    const auto failure = static_cast<std::uint32_t>(chance >> 32);
    if (below(static_cast<std::uint32_t>(chance), to_canary)) {
      ++out.canary_requests;
      out.canary_failures += below(failure, canary_fails);
    } else {
      ++out.stable_requests;
      out.stable_failures += below(failure, stable_fails);
    }
  }
  return out;
}

std::vector<Second> record(Traffic traffic, int seconds, const std::function<Conditions(int)>& at) {
  std::vector<Second> out;
  out.reserve(static_cast<std::size_t>(seconds));
  for (int second = 0; second < seconds; ++second) out.push_back(traffic.next(at(second)));
  return out;
}

}  // namespace tidegate::judging
