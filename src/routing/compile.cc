// SPDX-License-Identifier: Apache-2.0
#include "routing/compile.h"

#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"
#include "base/weak_map.h"
#include "http/uri.h"
#include "routing/limits.h"
#include "routing/precedence.h"
#include "routing/share.h"
#include "routing/taken_rules.h"

namespace tidegate::routing {

struct Inheritance {
  WeakMap<std::string, const re2::RE2> regexes;
  WeakMap<std::string, PickSequence> sequences;
};

namespace {

// A host name or pattern as HostMap keeps it; "" is any.
std::string host_pattern(const std::string& hostname) {
  return hostname == "*" ? std::string() : text::lower(hostname);
}

// The place in a HostMap for a pattern; made where missing.
template <typename T>
T& at_host(HostMap<T>& map, const std::string& pattern) {
  if (pattern.empty()) return map.any ? *map.any : map.any.emplace();
  return pattern.starts_with("*.") ? map.wildcard[pattern.substr(1)] : map.exact[pattern];
}

template <typename T>
void remove_host(HostMap<T>& map, const std::string& pattern) {
  if (pattern.empty()) {
    map.any.reset();
  } else if (pattern.starts_with("*.")) {
    map.wildcard.erase(pattern.substr(1));
  } else {
    map.exact.erase(pattern);
  }
}

template <typename Visit>
void each_host(const Rule& rule, Visit visit) {
  if (rule.hostnames.empty()) visit(std::string());
  for (const std::string& hostname : rule.hostnames) visit(host_pattern(hostname));
}

// Higher keys first; the same path is given (lists are kept by path), so what is left of the precedence is
// this.
auto precedence(const CompiledMatch& m) {
  return std::make_tuple(m.match->method.empty(), -static_cast<int>(m.headers.size()),
                         -static_cast<int>(m.query.size()), m.order);
}

bool comes_before(const CompiledMatch& a, const CompiledMatch& b) { return precedence(a) < precedence(b); }

bool regex_comes_before(const CompiledMatch& a, const CompiledMatch& b) {
  const bool vague_a = says_nothing_of_first_element(a.match->path);
  const bool vague_b = says_nothing_of_first_element(b.match->path);
  if (vague_a != vague_b) return vague_b;
  const auto length_a = a.match->path.value.size(), length_b = b.match->path.value.size();
  return length_a != length_b ? length_a > length_b : comes_before(a, b);
}

// As requests' paths are, so that "/caf%c3%a9" meets "/caf%C3%A9". What can't be normalised is left: it never
// matches.
std::string normalized(const std::string& path) { return http::normalize_path(path).value_or(path); }

std::string normalized_prefix(const std::string& path) {
  std::string prefix = normalized(path);
  while (prefix.size() > 1 && prefix.back() == '/') prefix.pop_back();
  return prefix.empty() ? "/" : prefix;
}

bool has_cors(const std::vector<Filter>& filters) {
  return std::any_of(filters.begin(), filters.end(),
                     [](const Filter& filter) { return std::holds_alternative<Cors>(filter); });
}

void sort(HostRules& rules) {
  for (auto& [_, list] : rules.exact) std::sort(list.begin(), list.end(), comes_before);
  for (auto& [_, list] : rules.prefix) std::sort(list.begin(), list.end(), comes_before);
  std::sort(rules.regex.begin(), rules.regex.end(), regex_comes_before);
}

void file(HostRules& rules, const CompiledMatch& match) {
  switch (match.match->path.kind) {
    case PathMatch::Kind::kExact:
      rules.exact[normalized(match.match->path.value)].push_back(match);
      break;
    case PathMatch::Kind::kRegex:
      rules.regex.push_back(match);
      break;
    case PathMatch::Kind::kPrefix:
      rules.longest_prefix = std::max(rules.longest_prefix, match.prefix.size());
      rules.prefix[match.prefix].push_back(match);
      break;
  }
}

class Compiler {
 public:
  Compiler(TablePtr table, const CompiledTable* previous)
      : inheritance_(previous ? previous->inheritance : std::make_shared<Inheritance>()) {
    out_->table = std::move(table);
    out_->inheritance = inheritance_;
    if (previous != nullptr && can_go_on(*previous)) previous_ = previous;
  }

  CompiledTablePtr run() {
    if (previous_ != nullptr) out_->slots.resize(previous_->slots.size());
    const auto& listeners = out_->table->listeners;
    for (std::uint32_t i = 0; i < listeners.size(); ++i) add_listener(listeners[i], i);
    return std::move(out_);
  }

 private:
  // Rules name backends by their index: each must still mean the same. And the slots that rules left behind
  // are not kept forever.
  bool can_go_on(const CompiledTable& previous) const {
    const auto& before = previous.table->backends;
    const auto& now = out_->table->backends;
    const auto same = [](const Shared<Backend>& a, const Shared<Backend>& b) {
      return a.get() == b.get() || (a->port == b->port && a->name == b->name && a->ns == b->ns);
    };
    const auto used = std::count_if(previous.slots.begin(), previous.slots.end(),
                                    [](const Slot& slot) { return slot.compiled != nullptr; });
    return before.size() <= now.size() && std::equal(before.begin(), before.end(), now.begin(), same) &&
           previous.slots.size() <= 2 * static_cast<std::size_t>(used) + kSpareSlots;
  }

  const CompiledListener* before(const Listener& listener) const {
    if (previous_ == nullptr) return nullptr;
    for (const auto& compiled : previous_->listeners) {
      if (same_place(*compiled->listener, listener)) return compiled.get();
    }
    return nullptr;
  }

  void add_listener(const Listener& listener, std::uint32_t index) {
    auto compiled = std::make_unique<CompiledListener>();
    compiled->listener = &listener;
    compiled->index = index;
    CompiledPort& port = port_of(listener);
    port.all.push_back(compiled.get());
    const CompiledListener*& place = at_host(port.by_host, host_pattern(listener.hostname));
    if (place != nullptr) {
      out_->problems.push_back(
          {"listener " + listener.gateway_ns + "/" + listener.gateway + " " + listener.name,
           "hostname \"" + listener.hostname + "\" is already taken on " + listener.address + ":" +
               std::to_string(listener.port) + " by listener " + place->listener->name +
               "; it gets no traffic"});
    } else {
      place = compiled.get();
    }
    add_rules(*compiled, before(listener));
    if (listener.protocol != Protocol::kHttp) add_tunnels(*compiled);
    out_->listeners.push_back(std::move(compiled));
  }

  CompiledPort& port_of(const Listener& listener) {
    const bool udp = listener.protocol == Protocol::kUdp;
    for (CompiledPort& port : out_->ports) {
      if (port.udp == udp && port.port == listener.port && port.address == listener.address) return port;
    }
    CompiledPort& port = out_->ports.emplace_back();
    port.address = listener.address;
    port.port = listener.port;
    port.udp = udp;
    return port;
  }

  void add_rules(CompiledListener& listener, const CompiledListener* before) {
    TakenRules taken(before);
    std::set<std::string> changed;  // patterns of hosts
    const auto note = [&](const Rule& rule) {
      each_host(rule, [&](std::string pattern) { changed.insert(std::move(pattern)); });
    };
    listener.rules.reserve(listener.listener->rules.size());
    if (before) listener.by_place = before->by_place;
    std::vector<CompiledRule*> without_place;
    for (const Shared<Rule>& rule : listener.listener->rules) {
      auto compiled = taken.take(*rule);
      if (!compiled) {
        auto made = make_rule(*rule, taken.replaced());
        if (taken.replaced() != nullptr) {
          listener.by_place[made->place] = made.get();
        } else {
          without_place.push_back(made.get());
          note(*rule);
        }
        compiled = std::move(made);
      }
      fill_slots(*compiled, *listener.listener);
      listener.rules.push_back(std::move(compiled));
    }
    std::vector<std::uint32_t> left;
    taken.each_left([&](const CompiledRule& rule) {
      note(*rule.rule);
      listener.by_place[rule.place] = nullptr;
      left.push_back(rule.place);
    });
    for (CompiledRule* rule : without_place) give_place(listener, *rule, left);
    listener.hosts = before && changed.empty() ? before->hosts : make_hosts(listener, before, changed);
  }

  // `left`: places that nobody has any more.
  static void give_place(CompiledListener& listener, CompiledRule& rule, std::vector<std::uint32_t>& left) {
    if (left.empty()) {
      rule.place = static_cast<std::uint32_t>(listener.by_place.size());
      listener.by_place.push_back(&rule);
    } else {
      rule.place = left.back();
      left.pop_back();
      listener.by_place[rule.place] = &rule;
    }
  }

  // `replaced` (may be null) leaves it its place, and its slots where they are as many.
  std::shared_ptr<CompiledRule> make_rule(const Rule& rule, const CompiledRule* replaced) {
    auto compiled = std::make_shared<CompiledRule>();
    compiled->rule = &rule;
    if (replaced != nullptr) compiled->place = replaced->place;
    if (replaced != nullptr && replaced->rule->backends.size() == rule.backends.size()) {
      compiled->first_slot = replaced->first_slot;
    } else {
      compiled->first_slot = static_cast<std::uint32_t>(out_->slots.size());
      out_->slots.resize(out_->slots.size() + rule.backends.size());
    }
    std::vector<std::uint32_t> weights;
    for (const WeightedBackend& choice : rule.backends) weights.push_back(choice.weight);
    compiled->pick = WeightedPick(weights);
    compiled->sequence = sequence("rule " + identity(rule));
    add_mirrors(*compiled, rule);
    compiled->cors = has_cors(rule.filters) ||
                     std::any_of(rule.backends.begin(), rule.backends.end(),
                                 [](const WeightedBackend& choice) { return has_cors(choice.filters); });
    return compiled;
  }

  void fill_slots(const CompiledRule& compiled, const Listener& listener) {
    const auto& backends = out_->table->backends;
    Slot* slot = out_->slots.data() + compiled.first_slot;
    for (const WeightedBackend& choice : compiled.rule->backends) {
      const bool resolved = choice.invalid.empty() && choice.backend < backends.size();
      *slot++ = {&compiled, &listener, compiled.rule, &choice,
                 resolved ? backends[choice.backend].get() : nullptr};
    }
  }

  void add_mirrors(CompiledRule& compiled, const Rule& rule) {
    for (const Filter& filter : rule.filters) {
      const auto* mirror = std::get_if<Mirror>(&filter);
      if (mirror == nullptr || mirror->backend >= out_->table->backends.size()) continue;
      const std::string name = "mirror " + std::to_string(compiled.mirrors.size()) + " " + identity(rule);
      compiled.mirrors.push_back({mirror->backend, mirror->numerator, mirror->denominator, sequence(name)});
    }
  }

  // Rules of the same route on several listeners share their sequence: the weights are promised for the rule.
  static std::string identity(const Rule& rule) {
    return rule.route.kind + " " + rule.route.ns + "/" + rule.route.name + " " + rule.name;
  }

  std::shared_ptr<PickSequence> sequence(const std::string& name) {
    return inheritance_->sequences.get_or_make(name, [] { return std::make_shared<PickSequence>(); });
  }

  void add_tunnels(CompiledListener& listener) {
    for (const auto& rule : listener.rules) {
      each_host(*rule->rule, [&](const std::string& pattern) {
        const CompiledRule*& place = at_host(listener.tunnels, pattern);
        if (place == nullptr) place = rule.get();
      });
    }
  }

  // Those of the hosts that changed anew, and the others as they were.
  std::shared_ptr<const Hosts> make_hosts(const CompiledListener& listener, const CompiledListener* before,
                                          const std::set<std::string>& changed) {
    std::map<std::string, std::shared_ptr<HostRules>> made;
    std::uint32_t order = 0;
    for (std::size_t i = 0; i < listener.rules.size(); ++i) {
      const auto& rule = listener.rules[i];
      std::optional<std::vector<CompiledMatch>> matches;
      each_host(*rule->rule, [&](const std::string& pattern) {
        if (!changed.contains(pattern)) return;
        if (!matches) matches = make_matches(*rule, order);
        auto& host = made[pattern];
        if (!host) host = std::make_shared<HostRules>();
        host->held.push_back(listener.listener->rules[i]);
        for (const CompiledMatch& match : *matches) file(*host, match);
      });
    }
    auto hosts = before ? std::make_shared<Hosts>(*before->hosts) : std::make_shared<Hosts>();
    for (const std::string& pattern : changed) remove_host(*hosts, pattern);
    for (auto& [pattern, host] : made) {
      sort(*host);
      at_host(*hosts, pattern) = std::move(host);
    }
    return hosts;
  }

  std::vector<CompiledMatch> make_matches(const CompiledRule& rule, std::uint32_t& order) {
    std::vector<CompiledMatch> out;
    for (std::size_t i = 0; i < rule.rule->matches.size(); ++i) {
      place_ = "match " + std::to_string(i);
      auto match = make_match(rule, rule.rule->matches[i]);
      if (!match) continue;
      match->order = order++;
      out.push_back(std::move(*match));
    }
    return out;
  }

  // nullopt: it can't be served.
  std::optional<CompiledMatch> make_match(const CompiledRule& rule, const Match& source) {
    CompiledMatch match;
    match.place = rule.place;
    match.match = &source;
    if (!compile_values(rule, source.headers, "header", true, match.headers)) return std::nullopt;
    if (!compile_values(rule, source.query, "query parameter", false, match.query)) return std::nullopt;
    if (source.path.kind == PathMatch::Kind::kRegex) {
      match.path_regex = regex(source.path.value, rule, "path");
      if (!match.path_regex) return std::nullopt;
    }
    if (source.path.kind == PathMatch::Kind::kPrefix) match.prefix = normalized_prefix(source.path.value);
    return match;
  }

  // Of equivalent names the first one counts, as Gateway API says. False: the match can't be served.
  bool compile_values(const CompiledRule& rule, const std::vector<ValueMatch>& from, const char* what,
                      bool lower_names, std::vector<CompiledValue>& to) {
    for (const ValueMatch& value : from) {
      std::string name = lower_names ? text::lower(value.name) : value.name;
      if (std::any_of(to.begin(), to.end(),
                      [&](const CompiledValue& earlier) { return earlier.name == name; }))
        continue;
      CompiledValue compiled{std::move(name), value.value, nullptr};
      if (value.regex) {
        compiled.regex = regex(value.value, rule, std::string(what) + " " + value.name);
        if (!compiled.regex) return false;
      }
      to.push_back(std::move(compiled));
    }
    return true;
  }

  Regex regex(const std::string& pattern, const CompiledRule& rule, const std::string& what) {
    const auto compiled = inheritance_->regexes.get_or_make(pattern, [&]() -> Regex {
      re2::RE2::Options options(re2::RE2::Quiet);
      options.set_max_mem(kRegexMemoryBytes);
      return pattern.size() <= kRegexBytes ? std::make_shared<const re2::RE2>(pattern, options) : nullptr;
    });
    if (compiled && compiled->ok()) return compiled;
    const std::string why =
        compiled ? compiled->error() : "longer than " + std::to_string(kRegexBytes) + " bytes";
    out_->problems.push_back({identity(*rule.rule) + " " + place_ + " " + what,
                              "\"" + pattern.substr(0, 100) + "\" is not an RE2 regular expression: " + why +
                                  "; it matches nothing"});
    return nullptr;
  }

  static constexpr std::size_t kSpareSlots = 1000;

  const std::shared_ptr<Inheritance> inheritance_;
  const CompiledTable* previous_ = nullptr;  // whose rules can be taken over
  std::shared_ptr<CompiledTable> out_ = std::make_shared<CompiledTable>();
  std::string place_;  // of the match at hand, for problems
};

}  // namespace

const CompiledPort* CompiledTable::find(std::string_view address, std::uint16_t port) const {
  for (const CompiledPort& candidate : ports) {
    if (!candidate.udp && candidate.port == port && candidate.address == address) return &candidate;
  }
  return nullptr;
}

CompiledTablePtr compile(TablePtr table, const CompiledTable* previous) {
  return Compiler(std::move(table), previous).run();
}

}  // namespace tidegate::routing
