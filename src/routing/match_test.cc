// SPDX-License-Identifier: Apache-2.0
#include "routing/match.h"

#include <gtest/gtest.h>

#include <random>
#include <regex>
#include <set>
#include <tuple>

#include "base/text.h"
#include "routing/share.h"
#include "routing/table_yaml.h"

namespace tidegate::routing {
namespace {

constexpr auto kExact = PathMatch::Kind::kExact;
constexpr auto kPrefix = PathMatch::Kind::kPrefix;
constexpr auto kRegex = PathMatch::Kind::kRegex;

http::RequestHead get(std::string host, std::string target, std::initializer_list<http::Field> headers = {}) {
  http::RequestHead head;
  head.method = "GET";
  head.target = std::move(target);
  head.authority = std::move(host);
  head.headers = headers;
  return head;
}

Rule rule(std::string name, std::vector<std::string> hostnames, std::vector<Match> matches) {
  Rule out;
  out.route = {"HTTPRoute", "shop", "web", 1};
  out.name = std::move(name);
  out.hostnames = std::move(hostnames);
  out.matches = std::move(matches);
  return out;
}

Listener listener(std::string hostname, std::vector<Rule> rules) {
  Listener out;
  out.name = hostname.empty() ? "any" : hostname;
  out.address = "127.0.0.1";
  out.port = 80;
  out.hostname = std::move(hostname);
  out.rules = to_shared(std::move(rules));
  return out;
}

CompiledTablePtr compiled(std::vector<Listener> listeners) {
  Table table;
  table.listeners = std::move(listeners);
  return compile(std::make_shared<const Table>(std::move(table)));
}

std::string served_by(const CompiledTablePtr& table, const http::RequestHead& request) {
  const auto matched = match(*table->find("127.0.0.1", 80), request);
  return matched.rule() == nullptr ? "" : matched.rule()->rule->name;
}

TEST(Match, PrecedenceIsGatewayApis) {
  // Each list is in table order; the request is GET shop.example/a/b?q=1 with X: 1, Y: 2; `expected` wins.
  struct Case {
    const char* what;
    std::vector<Rule> rules;
    std::string expected;
  };
  const ValueMatch x{"x", "1"}, y{"Y", "2"}, q{"q", "1"}, other{"q", "2"};
  const Case cases[] = {
      {"exact hostname before a better path",
       {rule("path", {"*.example"}, {{{kExact, "/a/b"}}}), rule("host", {"shop.example"}, {{}})},
       "host"},
      {"wildcard before none",
       {rule("none", {}, {{{kExact, "/a/b"}}}), rule("wild", {"*.example"}, {{}})},
       "wild"},
      {"exact path before the longest prefix",
       {rule("p", {}, {{{kPrefix, "/a/b"}}}), rule("e", {}, {{{kExact, "/a/b"}}})},
       "e"},
      {"longest prefix",
       {rule("short", {}, {{{kPrefix, "/a"}}}), rule("long", {}, {{{kPrefix, "/a/b"}}})},
       "long"},
      {"a regular expression before a prefix",
       {rule("p", {}, {{{kPrefix, "/a/b"}}}), rule("r", {}, {{{kRegex, "/a/.*"}}})},
       "r"},
      {"method before headers", {rule("h", {}, {{{}, "", {x, y}}}), rule("m", {}, {{{}, "GET"}})}, "m"},
      {"more headers", {rule("one", {}, {{{}, "", {x}}}), rule("two", {}, {{{}, "", {x, y}}})}, "two"},
      {"headers before queries", {rule("q", {}, {{{}, "", {}, {q}}}), rule("h", {}, {{{}, "", {x}}})}, "h"},
      {"more queries", {rule("none", {}, {{}}), rule("q", {}, {{{}, "", {}, {q}}})}, "q"},
      {"table order breaks ties", {rule("first", {}, {{}}), rule("second", {}, {{}})}, "first"},
      {"a better key that does not hold is passed over",
       {rule("any", {}, {{}}), rule("q", {}, {{{}, "", {}, {other}}})},
       "any"},
      {"a more specific hostname without a matching rule",
       {rule("any", {}, {{}}), rule("h", {"shop.example"}, {{{kExact, "/z"}}})},
       "any"},
      {"the best of several matches counts",
       {rule("p", {}, {{{kPrefix, "/a"}}}), rule("two", {}, {{}, {{kExact, "/a/b"}}})},
       "two"},
  };
  for (const Case& c : cases) {
    const auto table = compiled({listener("", c.rules)});
    EXPECT_EQ(served_by(table, get("shop.example", "/a/b?q=1", {{"X", "1"}, {"y", "2"}})), c.expected)
        << c.what;
  }
}

TEST(Match, PrefixesAreOfWholeElements) {
  struct Case {
    std::string prefix, path;
    bool matches;
  };
  const Case cases[] = {
      {"/v2", "/v2", true},  {"/v2", "/v2/", true},    {"/v2", "/v2/x", true}, {"/v2", "/v2example", false},
      {"/v2/", "/v2", true}, {"/v2/", "/v2/x", true},  {"/", "/", true},       {"/", "/x/y", true},
      {"/a/b", "/a", false}, {"/a/b", "/a/b/c", true}, {"/a", "/b/a", false},  {"/a", "/a//b", true}};
  for (const Case& c : cases) {
    const auto table = compiled({listener("", {rule("hit", {}, {{{kPrefix, c.prefix}}})})});
    EXPECT_EQ(!served_by(table, get("h", c.path)).empty(), c.matches) << c.prefix << " " << c.path;
  }
}

TEST(Match, HostnamesAndWildcards) {
  struct Case {
    std::string pattern, host;
    bool matches;
  };
  const Case cases[] = {{"shop.example", "shop.example", true},
                        {"shop.example", "SHOP.example:8080", true},
                        {"*.example", "shop.example", true},
                        {"*.example", "a.b.example", true},
                        {"*.example", "example", false},
                        {"*.shop.example", "shop.example", false},
                        {"*.shop.example", "myshop.example", false},
                        {"Shop.Example", "shop.example", true},
                        {"", "", true},
                        {"shop.example", "", false}};
  for (const Case& c : cases) {
    const auto by_listener = compiled({listener(c.pattern, {rule("hit", {}, {{}})})});
    EXPECT_EQ(!served_by(by_listener, get(c.host, "/")).empty(), c.matches) << c.pattern << " " << c.host;
    if (c.pattern.empty()) continue;
    const auto by_route = compiled({listener("", {rule("hit", {c.pattern}, {{}})})});
    EXPECT_EQ(!served_by(by_route, get(c.host, "/")).empty(), c.matches) << c.pattern << " " << c.host;
  }
}

TEST(Match, TheListenerIsDecidedBeforeTheRoutes) {
  const auto table =
      compiled({listener("", {rule("any", {}, {{}})}), listener("*.example", {rule("wild", {}, {{}})}),
                listener("shop.example", {rule("shop", {}, {{{kExact, "/only"}}})})});
  EXPECT_EQ(served_by(table, get("shop.example", "/only")), "shop");
  EXPECT_EQ(served_by(table, get("shop.example", "/else")), "");
  EXPECT_EQ(served_by(table, get("b.example", "/else")), "wild");
  EXPECT_EQ(served_by(table, get("else.where", "/")), "any");
}

TEST(Match, NoListenerForTheHost) {
  const auto table = compiled({listener("shop.example", {rule("shop", {}, {{}})})});
  EXPECT_EQ(match(*table->find("127.0.0.1", 80), get("else.where", "/")).listener, nullptr);
  EXPECT_EQ(table->find("127.0.0.1", 81), nullptr);
}

TEST(Match, HeaderAndQueryConditions) {
  const auto table = compiled({listener("", {rule("regex", {}, {{{}, "", {{"X-User", "a[0-9]+", true}}}}),
                                             rule("list", {}, {{{}, "", {{"x-list", "a, b"}}}}),
                                             rule("query", {}, {{{}, "", {}, {{"Name", "a b"}}}})})});
  EXPECT_EQ(served_by(table, get("h", "/", {{"x-user", "a12"}})), "regex");
  EXPECT_EQ(served_by(table, get("h", "/", {{"x-user", "ba12"}})), "");
  EXPECT_EQ(served_by(table, get("h", "/", {{"X-List", "a"}, {"x-list", "b"}})), "list");
  EXPECT_EQ(served_by(table, get("h", "/?Name=a%20b")), "query");
  EXPECT_EQ(served_by(table, get("h", "/?name=a%20b")), "");
  EXPECT_EQ(served_by(table, get("h", "/?Name=x&Name=a%20b")), "");
}

// GRPCRoute: "the most characters in a matching service", then in a matching method, then headers.
TEST(Match, AServiceGoesBeforeAMethodOfAnyService) {
  const auto table = compiled({listener(
      "",
      {rule("any", {}, {{{kPrefix, "/"}, "", {{"x", "1"}}}}), rule("method", {}, {{{kRegex, "/[^/]+/Get"}}}),
       rule("pattern", {}, {{{kRegex, "/(?:shop.*)/[^/]+"}}}),
       rule("service", {}, {{{kPrefix, "/pay.Card"}}}), rule("both", {}, {{{kExact, "/pay.Card/Void"}}})})});
  EXPECT_EQ(served_by(table, get("a", "/pay.Card/Get", {{"X", "1"}})), "service");
  EXPECT_EQ(served_by(table, get("a", "/pay.Card/Void")), "both");
  EXPECT_EQ(served_by(table, get("a", "/shop.Cart/Get")), "pattern");
  EXPECT_EQ(served_by(table, get("a", "/else.Where/Get", {{"X", "1"}})), "method");
  EXPECT_EQ(served_by(table, get("a", "/else.Where/Put", {{"X", "1"}})), "any");
}

TEST(Compile, ABadRegexIsAProblemAndMatchesNothing) {
  const auto table = compiled(
      {listener("", {rule("bad", {}, {{{kRegex, "/a(("}}, {{kPrefix, "/ok"}}}), rule("rest", {}, {{}})})});
  ASSERT_EQ(table->problems.size(), 1U);
  EXPECT_EQ(table->problems[0].place, "HTTPRoute shop/web bad match 0 path");
  EXPECT_NE(table->problems[0].detail.find("\"/a((\""), std::string::npos) << table->problems[0].detail;
  EXPECT_EQ(served_by(table, get("h", "/a((")), "rest");
  EXPECT_EQ(served_by(table, get("h", "/ok")), "bad");
}

TEST(Compile, TwoListenersOfOneHostnameAreAProblem) {
  const auto table = compiled(
      {listener("a.example", {rule("one", {}, {{}})}), listener("A.example", {rule("two", {}, {{}})})});
  EXPECT_EQ(table->problems.size(), 1U);
  EXPECT_EQ(served_by(table, get("a.example", "/")), "one");
}

TEST(Compile, WeightedChoicesGoOnWhereTheyWere) {
  const auto first = compiled({listener("", {rule("0", {}, {{}})})});
  const auto second = compile(first->table, first.get());
  EXPECT_EQ(first->listeners[0]->rules[0]->sequence, second->listeners[0]->rules[0]->sequence);
}

TEST(Compile, ARuleThatMatchesTheSameIsFoundByWhatIsThere) {
  Table table;
  table.backends.resize(2);
  Rule split = rule("split", {"a.example"}, {{{kRegex, "/a.*"}}}), other = rule("other", {"b.example"}, {{}});
  split.backends = {{0, 1, {}, ""}, {1, 0, {}, ""}};
  table.listeners = {listener("", {split, other})};
  auto before = compile(std::make_shared<const Table>(table));
  const auto hosts = before->listeners[0]->hosts;
  const auto slot = before->listeners[0]->rules[0]->first_slot;
  split.backends = {{0, 0, {}, ""}, {1, 1, {}, ""}};
  table.listeners[0].rules[0] = split;
  const auto after = compile(std::make_shared<const Table>(table), before.get());
  before.reset();
  EXPECT_EQ(after->listeners[0]->hosts, hosts);
  const auto found = match(*after->find("127.0.0.1", 80), get("a.example", "/abc"));
  ASSERT_NE(found.rule(), nullptr);
  EXPECT_EQ(found.match->match->path.value, "/a.*");
  EXPECT_EQ(found.rule()->first_slot, slot);
  EXPECT_EQ(found.rule()->pick.at(0), 1U);
  EXPECT_EQ(served_by(after, get("b.example", "/")), "other");
}

TEST(Compile, UnresolvedBackendsHaveSlotsWithoutBackend) {
  Table table;
  table.backends.resize(1);
  Rule with = rule("0", {}, {{}});
  with.backends = {{0, 1, {}, ""}, {0, 1, {}, "Service shop/gone not found"}, {7, 1, {}, ""}};
  table.listeners = {listener("", {with})};
  const auto out = compile(std::make_shared<const Table>(table));
  ASSERT_EQ(out->slots.size(), 3U);
  EXPECT_EQ(out->slots[0].backend, out->table->backends[0].get());
  EXPECT_EQ(out->slots[1].backend, nullptr);
  EXPECT_EQ(out->slots[2].backend, nullptr);
}

// ---- against a matcher that is plain enough to be read as the specification ----

bool naive_host(std::string pattern, const std::string& host) {
  pattern = text::lower(pattern);
  if (pattern.empty()) return true;
  if (pattern.starts_with("*.")) return host.size() > pattern.size() - 1 && host.ends_with(pattern.substr(1));
  return pattern == host;
}

std::pair<int, int> host_rank(const std::string& pattern) {  // bigger is better
  if (pattern.empty()) return {0, 0};
  return {pattern.starts_with("*.") ? 1 : 2, static_cast<int>(pattern.size())};
}

bool naive_path(const PathMatch& path, const std::string& value) {
  switch (path.kind) {
    case kExact:
      return path.value == value;
    case kRegex:
      return std::regex_match(value, std::regex(path.value));
    case kPrefix:
      break;
  }
  const std::string prefix = path.value.size() > 1 && path.value.back() == '/'
                                 ? path.value.substr(0, path.value.size() - 1)
                                 : path.value;
  return prefix == "/" || value == prefix || value.starts_with(prefix + "/");
}

bool naive_values(const std::vector<ValueMatch>& wanted,
                  const std::vector<std::pair<std::string, std::string>>& have) {
  for (const auto& want : wanted) {
    const auto found =
        std::find_if(have.begin(), have.end(), [&](const auto& h) { return h.first == want.name; });
    if (found == have.end() || found->second != want.value) return false;
  }
  return true;
}

std::tuple<int, int, bool, std::size_t, std::size_t> match_rank(const Match& m) {
  const int length =
      static_cast<int>(m.path.value.size()) - (m.path.value.size() > 1 && m.path.value.ends_with('/'));
  switch (m.path.kind) {
    case kExact:
      return {2, 0, !m.method.empty(), m.headers.size(), m.query.size()};
    case kRegex:
      return {1, static_cast<int>(m.path.value.size()), !m.method.empty(), m.headers.size(), m.query.size()};
    case kPrefix:
      break;
  }
  return {0, length, !m.method.empty(), m.headers.size(), m.query.size()};
}

struct Probe {
  std::string host, path, method;
  std::vector<std::pair<std::string, std::string>> headers, query;
};

std::string naive_match(const Table& table, const Probe& probe) {
  const Listener* chosen = nullptr;
  for (const auto& l : table.listeners) {
    if (naive_host(l.hostname, probe.host) &&
        (chosen == nullptr || host_rank(l.hostname) > host_rank(chosen->hostname)))
      chosen = &l;
  }
  if (chosen == nullptr) return "";
  using Key = decltype(std::make_pair(host_rank(""), match_rank(Match())));
  std::optional<Key> best;
  std::string name;
  for (const Rule& r : chosen->rules) {
    for (const auto& hostname : r.hostnames.empty() ? std::vector<std::string>{""} : r.hostnames) {
      for (const auto& m : r.matches) {
        if (!naive_host(hostname, probe.host) || !naive_path(m.path, probe.path) ||
            (!m.method.empty() && m.method != probe.method))
          continue;
        if (!naive_values(m.headers, probe.headers) || !naive_values(m.query, probe.query)) continue;
        const Key key{host_rank(hostname), match_rank(m)};
        if (!best || key > *best) best = key, name = r.name;
      }
    }
  }
  return name;
}

class RandomTables {
 public:
  explicit RandomTables(unsigned seed) : random_(seed) {}

  Table table() {
    Table out;
    for (const auto& hostname : {"", "*.example", "shop.example", "*.eu.example"}) {
      if (!one_of({0, 1, 1})) continue;
      std::vector<Rule> rules;
      for (int i = one_of({1, 3, 8}); i > 0; --i)
        rules.push_back(random_rule(std::string(hostname) + "#" + std::to_string(rules.size())));
      out.listeners.push_back(listener(hostname, std::move(rules)));
    }
    return out;
  }

  // A rule comes, goes, changes or moves; or a whole listener does.
  void edit(Table& table) {
    if (table.listeners.empty() || one_of({0, 0, 0, 0, 0, 0, 0, 1})) {
      const Table other = this->table();
      table.listeners = other.listeners;
      return;
    }
    auto& rules = table.listeners[random_() % table.listeners.size()].rules;
    const auto at = [&] { return rules.begin() + static_cast<std::ptrdiff_t>(random_() % rules.size()); };
    switch (rules.empty() ? 0 : one_of({0, 1, 2, 3, 4})) {
      case 0:
        rules.insert(rules.empty() ? rules.end() : at(), random_rule("new" + std::to_string(random_())));
        break;
      case 1:
        rules.erase(at());
        break;
      case 2:
        *at() = random_rule("other" + std::to_string(random_()));
        break;
      case 3: {
        const auto changed = at();
        Rule rule = *changed;
        ++rule.route.generation;
        rule.backends = {{0, 1, {}, ""}, {1, static_cast<std::uint32_t>(one_of({0, 1, 2})), {}, ""}};
        *changed = std::move(rule);
        break;
      }
      default:
        std::iter_swap(at(), at());
    }
  }

  Probe probe() {
    Probe out{pick({"shop.example", "a.example", "a.eu.example", "eu.example", "example", "x"}),
              pick({"/", "/a", "/a/", "/a/b", "/ab", "/a/b/c", "/z"}),
              pick({"GET", "POST"}),
              {},
              {}};
    for (const char* name : {"x", "y"}) {
      if (one_of({0, 1})) out.headers.emplace_back(name, pick({"1", "2"}));
      if (one_of({0, 1})) out.query.emplace_back(name, pick({"1", "2"}));
    }
    return out;
  }

 private:
  Rule random_rule(std::string name) {
    std::vector<std::string> hostnames;
    for (int i = one_of({0, 0, 1, 2}); i > 0; --i)
      hostnames.push_back(pick({"shop.example", "*.example", "a.eu.example", "*.eu.example"}));
    std::vector<Match> matches;
    for (int i = one_of({1, 2}); i > 0; --i) matches.push_back(random_match());
    return rule(std::move(name), std::move(hostnames), std::move(matches));
  }

  Match random_match() {
    Match out;
    switch (one_of({0, 1, 1, 2})) {
      case 0:
        out.path = {kExact, pick({"/", "/a", "/a/b", "/a/"})};
        break;
      case 1:
        out.path = {kPrefix, pick({"/", "/a", "/a/b", "/a/", "/ab"})};
        break;
      default:
        out.path = {kRegex, pick({"/a.*", "/[a-z]", "/a/b", "/.*/c"})};
        break;
    }
    if (one_of({0, 1})) out.method = pick({"GET", "POST"});
    for (const char* value : {"x", "y"}) {
      if (one_of({0, 0, 1})) out.headers.push_back({value, pick({"1", "2"})});
      if (one_of({0, 0, 1})) out.query.push_back({value, pick({"1", "2"})});
    }
    return out;
  }

  int one_of(std::vector<int> values) { return values[random_() % values.size()]; }
  std::string pick(std::vector<std::string> values) { return values[random_() % values.size()]; }
  std::mt19937 random_;
};

constexpr unsigned kSeed = 20240607;

// How many of `probes` requests a rule serves; each has to be served by the one that a naive matcher finds.
int hits(const CompiledTablePtr& table, RandomTables& random, int probes) {
  int count = 0;
  const CompiledPort* port = table->find("127.0.0.1", 80);
  for (int i = 0; port != nullptr && i < probes; ++i) {
    const Probe probe = random.probe();
    auto head = get(probe.host, probe.path);
    head.method = probe.method;
    for (const auto& [name, value] : probe.headers) head.headers.add(name, value);
    for (const auto& [name, value] : probe.query)
      head.target += (head.target.find('?') == std::string::npos ? "?" : "&") + name + "=" + value;
    const std::string expected = naive_match(*table->table, probe);
    EXPECT_EQ(served_by(table, head), expected) << probe.host << head.target;
    count += !expected.empty();
  }
  return count;
}

TEST(Match, EqualsANaiveMatcherOnRandomTables) {
  RandomTables random(kSeed);
  int count = 0;
  for (int round = 0; round < 300 && !HasFailure(); ++round) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + " round " + std::to_string(round));
    const auto out = compile(std::make_shared<const Table>(random.table()));
    ASSERT_TRUE(out->problems.empty());
    count += hits(out, random, 40);
  }
  EXPECT_GT(count, 2'000);  // the tables and probes do meet
}

// Each rule's choices stand in slots of its own, with the listener and the backends of this table.
void expect_slots(const CompiledTable& table) {
  std::set<const Slot*> taken;
  for (const auto& listener : table.listeners) {
    for (const auto& rule : listener->rules) {
      for (std::size_t i = 0; i < rule->rule->backends.size(); ++i) {
        const Slot& slot = table.slots.at(rule->first_slot + i);
        EXPECT_TRUE(taken.insert(&slot).second);
        EXPECT_EQ(slot.compiled, rule.get());
        EXPECT_EQ(slot.listener, listener->listener);
        EXPECT_EQ(slot.choice, &rule->rule->backends[i]);
        EXPECT_EQ(slot.backend, table.table->backends[slot.choice->backend].get());
      }
    }
  }
  for (const Slot& slot : table.slots) EXPECT_EQ(slot.compiled != nullptr, taken.contains(&slot));
}

TEST(Match, EqualsANaiveMatcherAfterEachOfManyEdits) {
  RandomTables random(kSeed);
  Table table = random.table();
  table.backends = {Backend{"shop", "a", 80}, Backend{"shop", "b", 80}};
  auto latest = compile(std::make_shared<const Table>(table));
  int count = 0, kept = 0;
  for (int round = 0; round < 3'000 && !HasFailure(); ++round) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + " round " + std::to_string(round));
    random.edit(table);
    if (round % 7 == 0) {
      Backend backend = table.backends[1];
      backend.endpoints.push_back({"10.0.0.1", static_cast<std::uint16_t>(round), false});
      table.backends[1] = backend;
    }
    Table next = *from_yaml(to_yaml(table));  // equal, and shares nothing
    share(next, *latest->table);
    const auto out = compile(std::make_shared<const Table>(std::move(next)), latest.get());
    for (const Slot& slot : out->slots) {
      const auto place = static_cast<std::size_t>(&slot - out->slots.data());
      kept += slot.compiled && place < latest->slots.size() && latest->slots[place].compiled == slot.compiled;
    }
    latest = out;
    expect_slots(*latest);
    count += hits(latest, random, 5);
  }
  EXPECT_GT(count, 2'000);
  EXPECT_GT(kept, 2'000);
}

TEST(Share, LeavesEqualTablesEqualAndOfTheSameObjects) {
  RandomTables random(kSeed);
  for (int round = 0; round < 300; ++round) {
    const Table before = random.table();
    Table table = *from_yaml(to_yaml(before));
    ASSERT_EQ(table, before);
    share(table, before);
    for (std::size_t l = 0; l < table.listeners.size(); ++l) {
      for (std::size_t r = 0; r < table.listeners[l].rules.size(); ++r)
        ASSERT_EQ(table.listeners[l].rules[r].get(), before.listeners[l].rules[r].get());
    }
  }
}

// ---- tunnels ----

class Tunnels : public testing::Test {
 protected:
  void add(const char* name, const char* hostname, Protocol protocol, std::uint16_t port = 443) {
    table_->listeners.push_back({"ns", "gate", name, "127.77.0.1", port, hostname, "", "", {}, protocol});
  }
  void route(const char* name, std::vector<std::string> hostnames) {
    Rule rule;
    rule.route = {"TLSRoute", "ns", name, 1};
    rule.hostnames = std::move(hostnames);
    table_->listeners.back().rules.push_back(std::move(rule));
  }
  // "listener/route" for what a client asks for.
  std::string found(std::string_view server_name) {
    compiled_ = compile(table_);
    const auto* listener = find_listener(compiled_->ports.front(), server_name);
    if (listener == nullptr) return "none";
    const auto* rule = match_tunnel(*listener, server_name);
    return listener->listener->name + "/" + (rule == nullptr ? "none" : rule->rule->route.name);
  }

  std::shared_ptr<Table> table_ = std::make_shared<Table>();
  CompiledTablePtr compiled_;
};

TEST_F(Tunnels, AreFoundByTheMostSpecificNameWithinTheMostSpecificListener) {
  add("any", "", Protocol::kTls);
  route("of-any", {});
  route("named-of-any", {"a.example", "*.shop.example"});
  add("wild", "*.example", Protocol::kTls);
  route("exact", {"a.example"});
  route("longer", {"*.b.example"});
  route("shorter", {"*.example"});
  add("one", "c.example", Protocol::kTls);
  route("elsewhere", {"d.example"});
  for (const auto& [name, wanted] : std::vector<std::pair<const char*, const char*>>{
           {"a.example", "wild/exact"},
           {"x.b.example", "wild/longer"},
           {"b.example", "wild/shorter"},
           {"c.example", "one/none"},  // no way back to a wider listener
           {"example", "any/of-any"},
           {"", "any/of-any"}})
    EXPECT_EQ(found(name), wanted) << name;
}

TEST_F(Tunnels, TheFirstOfEqualRoutesIsTaken) {
  add("tcp", "", Protocol::kTcp);
  route("older", {});
  route("younger", {});
  EXPECT_EQ(found(""), "tcp/older");
}

TEST_F(Tunnels, UdpHasPortsOfItsOwn) {
  add("udp", "", Protocol::kUdp, 53);
  add("tcp", "", Protocol::kTcp, 53);
  compiled_ = compile(table_);
  ASSERT_EQ(compiled_->ports.size(), 2u);
  EXPECT_TRUE(compiled_->ports[0].udp);
  EXPECT_EQ(compiled_->find("127.77.0.1", 53), &compiled_->ports[1]);
  EXPECT_TRUE(compiled_->problems.empty());
}

}  // namespace
}  // namespace tidegate::routing
