// SPDX-License-Identifier: Apache-2.0
// The tables of docs/judging.md: false alarms on good canaries, and what users suffer from bad ones until
// traffic is back on stable, by Tidegate's judge and by models of what people run today (contenders.h).
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/judging/assumptions.h"
#include "tests/judging/contenders.h"
#include "tests/judging/sensitivity.h"
#include "tests/judging/traffic.h"

namespace tidegate::judging {
namespace {

constexpr std::uint64_t kSeed = 20261123;
constexpr int kGoodRollouts = 10'000;
constexpr int kBadRollouts = 200;
constexpr double kStableFails = 0.001;
constexpr std::array<int, 5> kWeights = {1, 5, 10, 25, 50};
constexpr std::array<int, 4> kCanaryFails = {1, 5, 20, 100};
constexpr int kStep = 300;   // seconds a weight of a good rollout
constexpr int kHold = 1800;  // seconds that a bad canary is held at its weight
constexpr double kMostFalseAlarms = 0.012;
constexpr int kNoLimit = 1'000'000;
const metrics::CompareOptions kOptions{.worse_by = 0.01, .confidence = 0.99};

enum Peer { kArgo5m, kArgo1m, kFlagger };
constexpr std::array<Peer, 3> kPeers = {kArgo5m, kArgo1m, kFlagger};
constexpr std::array<const char*, 3> kNames = {"Argo 5m", "Argo 1m", "Flagger"};
constexpr std::array<int, 3> kStockChecks = {4, 4, 5};  // failed checks that roll back

std::unique_ptr<Contender> make(Peer peer, int failed_checks, std::uint64_t run) {
  const int scrape_phase = static_cast<int>(run % 15);
  switch (peer) {
    case kArgo5m:
      return std::make_unique<Argo>(ArgoSettings{300, 300, failed_checks - 1}, scrape_phase);
    case kArgo1m:
      return std::make_unique<Argo>(ArgoSettings{60, 120, failed_checks - 1}, scrape_phase);
    case kFlagger:
      return std::make_unique<Flagger>(failed_checks, scrape_phase);
  }
  return nullptr;
}

std::uint64_t seed_of(std::uint64_t shape, std::uint64_t cell, std::uint64_t run) {
  return Random(kSeed + (shape << 48) + (cell << 32) + run).next();
}

// Failed checks over good rollouts: in which part of them there were at least so many.
class FailedChecks {
 public:
  void add(int failed) {
    const std::size_t most = reached_.size() - 1;
    const std::size_t reached = failed < 0 ? most : std::min(static_cast<std::size_t>(failed), most);
    for (std::size_t i = 0; i <= reached; ++i) ++reached_[i];
  }
  double alarms(int at) const { return reached_[static_cast<std::size_t>(at)] / double{kGoodRollouts}; }
  // The fewest failed checks that keep the rate of false alarms that Tidegate is held to; 0: none do.
  int tuned() const {
    for (int at = 1; at < static_cast<int>(reached_.size()); ++at) {
      if (alarms(at) <= kMostFalseAlarms) return at;
    }
    return 0;
  }

 private:
  std::array<int, 31> reached_{};
};

using Rate = std::function<double(int second)>;

// Flagger with all settings stock: a passed check raises the weight by 10, up to 50, the last one promotes.
bool flagger_alone_alarms(const Shape& shape, std::uint64_t run, const Rate& fails) {
  Traffic traffic(shape, seed_of(99, 0, run));
  const int scrape_phase = static_cast<int>(run % 15);
  Flagger flagger(kStockChecks[kFlagger], scrape_phase);
  for (int weight = 10, second = 0; weight <= 50; ++second) {
    if (flagger.watch(traffic.next({weight / 100.0, fails(second), fails(second)}))) return true;
    if (flagger.passed()) weight += 10;
  }
  return false;
}

struct Good {
  int alarms = 0, flagger_alone_alarms = 0;
  std::array<FailedChecks, 3> peers;
};

Good good_rollouts(const Shape& shape, std::uint64_t number, const Rate& fails) {
  Good out;
  for (std::uint64_t i = 0; i < kGoodRollouts; ++i) {
    const auto at = [&](int second) {
      const int weight = kWeights[static_cast<std::size_t>(second / kStep)];
      return Conditions{weight / 100.0, fails(second), fails(second)};
    };
    const auto seconds =
        record(Traffic(shape, seed_of(number, 0, i)), kStep * static_cast<int>(kWeights.size()), at);
    Tidegate tidegate(kOptions);
    out.alarms += run(tidegate, seconds, kStep).rolled_back;
    for (const Peer peer : kPeers) {
      const auto watcher = make(peer, kNoLimit, i);
      run(*watcher, seconds, kStep);
      out.peers[peer].add(watcher->failed_checks());
    }
    out.flagger_alone_alarms += flagger_alone_alarms(shape, i, fails);
  }
  return out;
}

void print_good(const std::string& name, const Good& good) {
  std::printf("| %s | %.2f %% |", name.c_str(), 100.0 * good.alarms / kGoodRollouts);
  for (const Peer peer : kPeers) std::printf(" %.2f %% |", 100 * good.peers[peer].alarms(kStockChecks[peer]));
  std::printf(" %.2f %% |", 100.0 * good.flagger_alone_alarms / kGoodRollouts);
  for (const Peer peer : kPeers) {
    const int tuned = good.peers[peer].tuned();
    if (tuned == 0)
      std::printf(" none |");
    else
      std::printf(" %d: %.2f %% |", tuned, 100 * good.peers[peer].alarms(tuned));
  }
  std::printf("\n");
  std::fflush(stdout);
}

// Over the runs of one cell.
struct Cell {
  double failed = 0, caught = 0;
  std::vector<double> served, seconds;  // of those caught
  void add(const Run& run) {
    failed += static_cast<double>(run.failed) / kBadRollouts;
    if (!run.rolled_back) return;
    caught += 1.0 / kBadRollouts;
    served.push_back(static_cast<double>(run.served));
    seconds.push_back(run.seconds);
  }
};

std::string text(const char* format, double value) {
  char out[32];
  std::snprintf(out, sizeof out, format, value);
  return out;
}

double percentile(const std::vector<double>& sorted, double part) {
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1) + 0.5)];
}

std::string spread_text(std::vector<double> values) {
  if (values.empty()) return "-";
  std::sort(values.begin(), values.end());
  return text("%.0f", percentile(values, 0.5)) + " / " + text("%.0f", percentile(values, 0.99));
}

// Failed requests; how many of the rollouts were caught, where not all were.
std::string failed_text(const Cell& cell) {
  std::string out = text(cell.failed < 10 ? "%.1f" : "%.0f", cell.failed);
  if (cell.caught < 0.9999) out += " (" + text("%.3g", 100 * cell.caught) + " %)";
  return out;
}

// To the fewest that users of another would have met.
double ratio(const Cell& ours, const std::array<Cell, 3>& others) {
  double least = 0;
  for (const auto& other : others) {
    if (other.failed > 0 && (least == 0 || other.failed < least)) least = other.failed;
  }
  return least > 0 ? ours.failed / least : std::nan("");
}

std::string ratio_text(double ratio) { return std::isnan(ratio) ? "-" : text("%.3f", ratio); }

// In how many cells users met at most a tenth of the failures.
struct Tally {
  int cells = 0, tuned_cells = 0, of_best_stock = 0, of_best_tuned = 0;
  std::array<int, 3> of_stock{}, of_tuned{}, tuned_cells_of{};
};

void print_tally(const Tally& tally) {
  std::printf("\nAt most a tenth of the failures, in so many cells:\n\n");
  std::printf("| of | stock | tuned |\n|---|---|---|\n");
  for (const Peer peer : kPeers)
    std::printf("| %s | %d of %d | %d of %d |\n", kNames[peer], tally.of_stock[peer], tally.cells,
                tally.of_tuned[peer], tally.tuned_cells_of[peer]);
  std::printf("| the best of them in each cell | %d of %d | %d of %d |\n", tally.of_best_stock, tally.cells,
              tally.of_best_tuned, tally.tuned_cells);
}

struct Outcomes {
  Cell tidegate;
  std::array<Cell, 3> stock, tuned;  // tuned: nothing failed where nothing is tuned
};

Outcomes bad_rollouts(const Shape& shape, std::uint64_t number, int fails, int weight, const Good& good) {
  Outcomes out;
  const auto cell = static_cast<std::uint64_t>(fails * 100 + weight);
  for (std::uint64_t i = 0; i < kBadRollouts; ++i) {
    const auto seconds = record(Traffic(shape, seed_of(number, cell, i)), kHold, [&](int) {
      return Conditions{weight / 100.0, kStableFails, fails / 100.0};
    });
    Tidegate tidegate(kOptions);
    out.tidegate.add(run(tidegate, seconds, kHold));
    for (const Peer peer : kPeers) {
      out.stock[peer].add(run(*make(peer, kStockChecks[peer], i), seconds, kHold));
      const int tuned = good.peers[peer].tuned();
      if (tuned > 0) out.tuned[peer].add(run(*make(peer, tuned, i), seconds, kHold));
    }
  }
  return out;
}

void print_bad(int fails, int weight, const Outcomes& outcomes, const Good& good, Tally& tally) {
  const Cell& ours = outcomes.tidegate;
  std::printf("| %d %% | %d | %s | %s | %s |", fails, weight, failed_text(ours).c_str(),
              spread_text(ours.served).c_str(), spread_text(ours.seconds).c_str());
  for (const auto& peer : outcomes.stock) std::printf(" %s |", failed_text(peer).c_str());
  const double of_stock = ratio(ours, outcomes.stock), of_tuned = ratio(ours, outcomes.tuned);
  std::printf(" %s |", ratio_text(of_stock).c_str());
  for (const Peer peer : kPeers)
    std::printf(" %s |", good.peers[peer].tuned() > 0 ? failed_text(outcomes.tuned[peer]).c_str() : "-");
  std::printf(" %s |\n", ratio_text(of_tuned).c_str());
  std::fflush(stdout);
  ++tally.cells;
  tally.tuned_cells += !std::isnan(of_tuned);
  tally.of_best_stock += of_stock <= 0.1;
  tally.of_best_tuned += of_tuned <= 0.1;
  for (const Peer peer : kPeers) {
    tally.of_stock[peer] += ours.failed <= 0.1 * outcomes.stock[peer].failed;
    tally.tuned_cells_of[peer] += good.peers[peer].tuned() > 0;
    tally.of_tuned[peer] += ours.failed <= 0.1 * outcomes.tuned[peer].failed;
  }
}

void print_heads(std::vector<std::string> heads, const char* before_tuned, const char* last) {
  for (const char* name : kNames) heads.push_back(name);
  heads.push_back(before_tuned);
  for (const char* name : kNames) heads.push_back(std::string(name) + ", tuned");
  if (*last) heads.push_back(last);
  std::string line = "|", rule = "|";
  for (const auto& head : heads) {
    line += " " + head + " |";
    rule += "---|";
  }
  std::printf("%s\n%s\n", line.c_str(), rule.c_str());
}

void bad_table(const Shape& shape, std::uint64_t number, const Good& good, Tally& tally) {
  std::printf("\nRequests failed by a bad canary until traffic is back on stable, traffic `%s`:\n\n",
              shape.name.c_str());
  print_heads({"canary fails", "weight", "Tidegate", "requests seen", "seconds"}, "ratio", "ratio");
  for (const int fails : kCanaryFails) {
    for (const int weight : kWeights)
      print_bad(fails, weight, bad_rollouts(shape, number, fails, weight, good), good, tally);
  }
}

void print_all() {
  std::printf("judging: seed %llu, %d good rollouts a row, %d bad ones a cell\n\n",
              static_cast<unsigned long long>(kSeed), kGoodRollouts, kBadRollouts);
  std::printf("False alarms on good canaries (both sides fail %.1f %%; 1 %% asked of Tidegate):\n\n",
              100 * kStableFails);
  print_heads({"traffic", "Tidegate"}, "Flagger at its own pace", "");
  std::vector<Shape> shapes;
  std::vector<Good> goods;
  for (const char* name : {"steady", "daily", "bursty", "low", "recorded"}) {
    shapes.push_back(read_shape(name));
    goods.push_back(good_rollouts(shapes.back(), shapes.size(), [](int) { return kStableFails; }));
    print_good(name, goods.back());
  }
  // A database that both need is away for three minutes: nothing that a canary could be blamed for.
  const auto incident = [](int second) { return second >= 120 && second < 300 ? 0.1 : kStableFails; };
  print_good("steady, both failing 10 % for 3 minutes", good_rollouts(shapes[0], 9, incident));
  Tally tally;
  for (std::size_t i = 0; i < shapes.size(); ++i) bad_table(shapes[i], i + 1, goods[i], tally);
  print_tally(tally);
  print_sensitivity();
  print_assumptions();
}

}  // namespace
}  // namespace tidegate::judging

int main() {
  const auto began = std::chrono::steady_clock::now();
  tidegate::judging::print_all();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::fprintf(stderr, "judging: %.0f s\n", took.count());
}
