// SPDX-License-Identifier: Apache-2.0
// A Table made ready for look-up: hash maps instead of lists, compiled regular expressions, weights as
// shares. Total: what can't be compiled becomes a Problem and never matches; the rest of the table serves.
// Look-up order (Gateway API): the listener by host (exact, longest wildcard, any; no fall-through), then
// among that listener's rules the highest key of: hostname, exact path, regular expression (Gateway API
// leaves its place open), longest prefix, method, number of headers, number of query parameters, order in the
// table. Thread: compiled on the control thread, then shared as const by all workers (PickSequence alone
// changes, atomically).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "routing/table.h"
#include "routing/weighted_pick.h"

namespace re2 {
class RE2;
}

namespace tidegate::routing {

struct CompileProblem {
  std::string place;   // "HTTPRoute shop/web rule 0 match 2 path"
  std::string detail;  // value, what was expected, what happens to traffic
  friend bool operator==(const CompileProblem&, const CompileProblem&) = default;
};

// Transparent hash, so that look-ups by string_view make no string.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <typename T>
using TextMap = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

using Regex = std::shared_ptr<const re2::RE2>;

struct Inheritance;  // what outlives tables, by name (compile.cc)

struct CompiledMirror {
  std::uint32_t backend = 0;
  std::uint32_t numerator = 100, denominator = 100;
  std::shared_ptr<PickSequence> sequence;
};

struct CompiledRule {
  const Rule* rule = nullptr;
  std::uint32_t first_slot =
      0;                    // backend i of this rule counts in slot first_slot + i (CompiledTable::slots)
  std::uint32_t place = 0;  // in CompiledListener::by_place
  WeightedPick pick;
  std::shared_ptr<PickSequence> sequence;  // outlives tables: the rule of the same name goes on where it was
  std::vector<CompiledMirror> mirrors;
  bool cors = false;  // a filter of it or of its backends wants to know the request's origin
};

struct CompiledValue {  // a header or query condition
  std::string name;     // headers: lower case
  std::string value;
  Regex regex;  // null: exact
};

// One match of one rule; the path is already decided by where it is kept, save for regular expressions.
struct CompiledMatch {
  std::uint32_t place = 0;  // of the rule: who takes its place in a later table is found by the same match
  const Match* match = nullptr;
  std::string prefix;  // kPrefix: as matched, without a trailing slash; "/" for all
  Regex path_regex;    // kRegex
  std::vector<CompiledValue> headers, query;
  std::uint32_t order = 0;  // in the table
};

// The rules of one listener under one hostname pattern, best first in each list.
struct HostRules {
  TextMap<std::vector<CompiledMatch>> exact, prefix;
  std::vector<CompiledMatch> regex;
  std::size_t longest_prefix = 0;  // characters; nothing longer need be tried
  std::vector<Shared<Rule>> held;  // that the matches point into
};

template <typename T>
struct HostMap {  // "*.example.com" is kept as ".example.com"
  TextMap<T> exact, wildcard;
  std::optional<T> any;
};
using Hosts = HostMap<std::shared_ptr<const HostRules>>;

struct CompiledListener {
  const Listener* listener = nullptr;
  std::uint32_t index = 0;                                 // in Table::listeners
  std::vector<std::shared_ptr<const CompiledRule>> rules;  // as Listener::rules
  std::vector<const CompiledRule*> by_place;               // the same; null: nobody's
  std::shared_ptr<const Hosts> hosts;                      // never null
  HostMap<const CompiledRule*> tunnels;  // in place of `hosts`, where the protocol is not kHttp
};

// All listeners of one address and port, those of UDP apart.
struct CompiledPort {
  std::string address;
  std::uint16_t port = 0;
  bool udp = false;
  std::vector<const CompiledListener*> all;  // in table order, never empty
  HostMap<const CompiledListener*> by_host;
};

// What one slot of counters stands for.
struct Slot {
  const CompiledRule* compiled =
      nullptr;  // the same as before: so is all that the slot stands for. Null: unused
  const Listener* listener = nullptr;
  const Rule* rule = nullptr;
  const WeightedBackend* choice = nullptr;
  const Backend* backend = nullptr;  // null: the reference could not be resolved
};

struct CompiledTable {
  TablePtr table;
  std::vector<CompiledPort> ports;
  std::vector<std::unique_ptr<CompiledListener>> listeners;  // as Table::listeners
  std::vector<Slot> slots;                                   // a rule that stays keeps its own
  std::vector<CompileProblem> problems;                      // of what was compiled anew

  std::shared_ptr<Inheritance> inheritance;  // for the next compile() alone

  const CompiledPort* find(std::string_view address, std::uint16_t port) const;  // not of UDP
};

using CompiledTablePtr = std::shared_ptr<const CompiledTable>;

// `previous` (may be null) lends what it made of rules that both tables hold (share.h), its regular
// expressions, and the state of its weighted choices. One call at a time for tables that follow each other.
CompiledTablePtr compile(TablePtr table, const CompiledTable* previous = nullptr);

}  // namespace tidegate::routing
