// SPDX-License-Identifier: Apache-2.0
#include "routing/compile.h"

#include <re2/re2.h>

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "http/uri.h"
#include "routing/limits.h"
#include "routing/precedence.h"

namespace tidegate::routing {
namespace {

bool is_wildcard(std::string_view hostname) { return hostname.starts_with("*."); }

// The place in a HostMap for a pattern; made where missing.
template <typename T>
T& at_host(HostMap<T>& map, const std::string& hostname) {
  if (hostname.empty() || hostname == "*") {
    if (!map.any) map.any = std::make_unique<T>();
    return *map.any;
  }
  const std::string lower = text::lower(hostname);
  return is_wildcard(lower) ? map.wildcard[lower.substr(1)] : map.exact[lower];
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

class Compiler {
 public:
  Compiler(TablePtr table, const CompiledTable* previous) : previous_(previous) {
    out_->table = std::move(table);
  }

  CompiledTablePtr run() {
    const auto& listeners = out_->table->listeners;
    for (std::uint32_t i = 0; i < listeners.size(); ++i) add_listener(listeners[i], i);
    return std::move(out_);
  }

 private:
  void add_listener(const Listener& listener, std::uint32_t index) {
    auto compiled = std::make_unique<CompiledListener>();
    compiled->listener = &listener;
    compiled->index = index;
    CompiledPort& port = port_of(listener);
    port.all.push_back(compiled.get());
    const CompiledListener*& place = at_host(port.by_host, listener.hostname);
    if (place != nullptr) {
      out_->problems.push_back(
          {"listener " + listener.gateway_ns + "/" + listener.gateway + " " + listener.name,
           "hostname \"" + listener.hostname + "\" is already taken on " + listener.address + ":" +
               std::to_string(listener.port) + " by listener " + place->listener->name +
               "; it gets no traffic"});
    } else {
      place = compiled.get();
    }
    order_ = 0;
    for (const Rule& rule : listener.rules) add_rule(*compiled, listener, rule);
    sort(compiled->hosts);
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

  void add_rule(CompiledListener& listener, const Listener& source, const Rule& rule) {
    auto compiled = std::make_unique<CompiledRule>();
    compiled->rule = &rule;
    compiled->listener = &source;
    add_backends(*compiled, rule);
    add_mirrors(*compiled, rule);
    compiled->cors = has_cors(rule.filters) ||
                     std::any_of(rule.backends.begin(), rule.backends.end(),
                                 [](const WeightedBackend& choice) { return has_cors(choice.filters); });
    for (std::size_t i = 0; i < rule.matches.size(); ++i) {
      place_ = "match " + std::to_string(i);
      add_match(listener, *compiled, rule.matches[i]);
    }
    if (source.protocol != Protocol::kHttp) add_tunnel(listener, *compiled);
    out_->rules.push_back(std::move(compiled));
  }

  void add_backends(CompiledRule& compiled, const Rule& rule) {
    const auto& backends = out_->table->backends;
    compiled.first_slot = static_cast<std::uint32_t>(out_->slots.size());
    std::vector<std::uint32_t> weights;
    for (const WeightedBackend& choice : rule.backends) {
      weights.push_back(choice.weight);
      const bool resolved = choice.invalid.empty() && choice.backend < backends.size();
      out_->slots.push_back(
          {compiled.listener, &rule, &choice, resolved ? &backends[choice.backend] : nullptr});
    }
    compiled.pick = WeightedPick(weights);
    compiled.sequence = sequence("rule " + identity(rule));
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
    auto& place = out_->sequences[name];
    if (place) return place;
    if (previous_ != nullptr) {
      if (const auto old = previous_->sequences.find(name); old != previous_->sequences.end())
        return place = old->second;
    }
    return place = std::make_shared<PickSequence>();
  }

  void add_match(CompiledListener& listener, const CompiledRule& rule, const Match& source) {
    CompiledMatch match;
    match.rule = &rule;
    match.match = &source;
    match.order = order_++;
    if (!compile_values(rule, source.headers, "header", true, match.headers)) return;
    if (!compile_values(rule, source.query, "query parameter", false, match.query)) return;
    if (source.path.kind == PathMatch::Kind::kRegex) {
      match.path_regex = regex(source.path.value, rule, "path");
      if (!match.path_regex) return;
    }
    if (source.path.kind == PathMatch::Kind::kPrefix) match.prefix = normalized_prefix(source.path.value);
    if (rule.rule->hostnames.empty()) return file(at_host(listener.hosts, {}), match);
    for (const std::string& hostname : rule.rule->hostnames) file(at_host(listener.hosts, hostname), match);
  }

  static void add_tunnel(CompiledListener& listener, const CompiledRule& rule) {
    const auto file = [&](const std::string& hostname) {
      const CompiledRule*& place = at_host(listener.tunnels, hostname);
      if (place == nullptr) place = &rule;
    };
    if (rule.rule->hostnames.empty()) return file({});
    for (const std::string& hostname : rule.rule->hostnames) file(hostname);
  }

  static void file(HostRules& rules, const CompiledMatch& match) {
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
    if (const auto known = out_->regexes.find(pattern); known != out_->regexes.end()) return known->second;
    Regex compiled;
    if (previous_ != nullptr) {
      if (const auto old = previous_->regexes.find(pattern); old != previous_->regexes.end())
        compiled = old->second;
    }
    if (!compiled) {
      re2::RE2::Options options(re2::RE2::Quiet);
      options.set_max_mem(kRegexMemoryBytes);
      if (pattern.size() <= kRegexBytes) compiled = std::make_shared<const re2::RE2>(pattern, options);
    }
    if (compiled && compiled->ok()) return out_->regexes[pattern] = compiled;
    const std::string why =
        compiled ? compiled->error() : "longer than " + std::to_string(kRegexBytes) + " bytes";
    out_->problems.push_back({identity(*rule.rule) + " " + place_ + " " + what,
                              "\"" + pattern.substr(0, 100) + "\" is not an RE2 regular expression: " + why +
                                  "; it matches nothing"});
    return nullptr;
  }

  static void sort(HostMap<HostRules>& hosts) {
    for (auto& [_, rules] : hosts.exact) sort(rules);
    for (auto& [_, rules] : hosts.wildcard) sort(rules);
    if (hosts.any) sort(*hosts.any);
  }

  static void sort(HostRules& rules) {
    for (auto& [_, list] : rules.exact) std::sort(list.begin(), list.end(), comes_before);
    for (auto& [_, list] : rules.prefix) std::sort(list.begin(), list.end(), comes_before);
    std::sort(rules.regex.begin(), rules.regex.end(), regex_comes_before);
  }

  const CompiledTable* previous_;
  std::shared_ptr<CompiledTable> out_ = std::make_shared<CompiledTable>();
  std::uint32_t order_ = 0;  // of matches within the listener
  std::string place_;        // of the match at hand, for problems
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
