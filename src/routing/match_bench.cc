// SPDX-License-Identifier: Apache-2.0
// What a look-up costs in tables of 1 to 5,000 routes, and what compiling such a table costs.
#include <benchmark/benchmark.h>

#include "routing/match.h"

namespace tidegate::routing {
namespace {

TablePtr table_of(std::int64_t routes) {
  Table table;
  Listener& listener = table.listeners.emplace_back();
  listener.address = "127.0.0.1";
  listener.port = 80;
  for (std::int64_t i = 0; i < routes; ++i) {
    Rule rule;
    rule.route = {"HTTPRoute", "shop", "route-" + std::to_string(i), 1};
    rule.name = "0";
    rule.hostnames = {"host-" + std::to_string(i) + ".example.com"};
    rule.matches = {{{PathMatch::Kind::kPrefix, "/api/v1"}},
                    {{PathMatch::Kind::kExact, "/health"}},
                    {{}, "GET", {{"x-canary", "1"}}}};
    rule.backends = {{0, 90}, {1, 10}};
    listener.rules.push_back(std::move(rule));
  }
  table.backends.resize(2);
  return std::make_shared<const Table>(std::move(table));
}

http::RequestHead request_for(std::int64_t route) {
  http::RequestHead head;
  head.method = "GET";
  head.target = "/api/v1/items/42?page=2";
  head.authority = "host-" + std::to_string(route) + ".example.com";
  for (const char* name : {"user-agent", "accept", "accept-encoding", "cookie", "referer"})
    head.headers.add(name, "some value");
  return head;
}

void BM_Match(benchmark::State& state) {
  const auto table = compile(table_of(state.range(0)));
  const auto head = request_for(state.range(0) / 2);
  const CompiledPort& port = *table->find("127.0.0.1", 80);
  for (auto _ : state) benchmark::DoNotOptimize(match(port, head));
}
BENCHMARK(BM_Match)->Arg(1)->Arg(100)->Arg(5000);

void BM_Compile(benchmark::State& state) {
  const auto table = table_of(state.range(0));
  const auto previous = compile(table);
  for (auto _ : state) benchmark::DoNotOptimize(compile(table, previous.get()));
}
BENCHMARK(BM_Compile)->Arg(100)->Arg(5000)->Unit(benchmark::kMillisecond);

void BM_WeightedPick(benchmark::State& state) {
  const std::uint32_t weights[] = {1, 99};
  const WeightedPick pick(weights);
  PickSequence sequence;
  for (auto _ : state) benchmark::DoNotOptimize(pick.at(sequence.next()));
}
BENCHMARK(BM_WeightedPick);

}  // namespace
}  // namespace tidegate::routing
