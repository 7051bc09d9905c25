// SPDX-License-Identifier: Apache-2.0
// Whatever happens to the objects, in whatever order: what the Translator goes on to is what translate()
// makes of the same objects from nothing.
#include "gateway/translator.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "base/text.h"
#include "gateway/served.h"
#include "routing/table_yaml.h"

namespace tidegate::gateway {
namespace {

const std::vector<std::string> kNamespaces = {"shop", "pay"};
const std::vector<std::string> kServices = {"stable", "canary", "old"};
const std::vector<std::string> kGateways = {"gate", "side"};

class Edits {
 public:
  explicit Edits(unsigned seed)
      : random_(seed), translator_({"tidegate.dev/gateway-controller", "127.77.0.0/30"}) {
    put(&ClusterState::classes, api::decode_gateway_class,
        {{"metadata", {{"name", "tidegate"}, {"generation", 1}}},
         {"spec", {{"controllerName", "tidegate.dev/gateway-controller"}}}});
    for (const auto& ns : kNamespaces) change_namespace(ns);
    for (int i = 0; i < 120; ++i) change_something();
  }

  // One to three edits, as a hold-off would gather them.
  void edit() {
    for (int i = below(3); i >= 0; --i) change_something();
  }

  void run_and_compare() {
    const Translation before = translator_.latest();
    ClusterState state = translator_.state();
    state.assigned = before.assigned;
    const auto changes = translator_.run();
    const Translation expected = translate(state, options());
    const Translation& now = translator_.latest();
    ASSERT_EQ(now.table, expected.table) << routing::to_yaml(now.table) << "--- expected\n"
                                         << routing::to_yaml(expected.table);
    ASSERT_EQ(now.problems, expected.problems);
    ASSERT_EQ(now.assigned, expected.assigned);
    ASSERT_EQ(now.statuses.classes, expected.statuses.classes);
    ASSERT_EQ(now.statuses.gateways, expected.statuses.gateways);
    ASSERT_EQ(now.statuses.tls_policies, expected.statuses.tls_policies);
    ASSERT_TRUE(routes_of(now) == routes_of(expected)) << difference(routes_of(now), routes_of(expected));
    if (changes.everything) return;
    ++went_on_;
    ASSERT_NO_FATAL_FAILURE(expect_told(before, now, changes));
  }

  int went_on() const { return went_on_; }

 private:
  using RouteStatuses = std::map<std::pair<std::string, api::Key>, api::RouteStatus>;

  static TranslateOptions options() { return {"tidegate.dev/gateway-controller", "127.77.0.0/30"}; }

  static RouteStatuses routes_of(const Translation& translation) {
    RouteStatuses out;
    for (const auto& [kind, all] : translation.statuses.routes) {
      for (const auto& [key, status] : all) out[{std::string(kind), key}] = status;
    }
    return out;
  }

  static std::string difference(const RouteStatuses& a, const RouteStatuses& b) {
    std::string out;
    const auto add = [&](const char* of, const RouteStatuses& here, const RouteStatuses& there) {
      for (const auto& [id, status] : here) {
        const auto other = there.find(id);
        if (other != there.end() && other->second == status) continue;
        out += of + id.first + " " + to_string(id.second) + ": " + api::encode_status(status).dump() + "\n";
      }
    };
    add("now ", a, b);
    add("expected ", b, a);
    return out;
  }

  // Whoever does only what the changes name misses nothing.
  static void expect_told(const Translation& before, const Translation& now,
                          const Translator::Changes& changes) {
    EXPECT_EQ(before.statuses.gateways, now.statuses.gateways);
    EXPECT_EQ(before.statuses.tls_policies, now.statuses.tls_policies);
    if (!changes.table) {
      EXPECT_EQ(before.table, now.table);
    }
    if (!changes.problems) {
      EXPECT_EQ(before.problems, now.problems);
    }
    RouteStatuses old = routes_of(before);
    for (const auto& [id, status] : routes_of(now)) {
      const bool told = std::any_of(
          changes.routes.begin(), changes.routes.end(),
          [&id = id](const auto& one) { return one.first->kind == id.first && one.second == id.second; });
      if (!told) {
        EXPECT_EQ(old[id], status) << id.first << " " << to_string(id.second);
      }
      old.erase(id);
    }
    for (const auto& [id, status] : old) {
      EXPECT_TRUE(std::any_of(changes.routes.begin(), changes.routes.end(),
                              [&id = id](const auto& one) { return one.second == id.second; }))
          << id.first << " " << to_string(id.second) << " is gone";
    }
  }

  int below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
  bool one_in(int n) { return below(n) == 0; }
  template <typename List>
  auto any(const List& list) {
    return list[static_cast<std::size_t>(below(static_cast<int>(list.size())))];
  }
  std::string any_name(const char* prefix, int n) { return prefix + std::to_string(below(n)); }

  Json meta(const std::string& ns, const std::string& name) {
    Json out{{"namespace", ns}, {"name", name}, {"uid", ns + name}, {"generation", ++generation_}};
    out["creationTimestamp"] = "2026-01-01T00:00:0" + std::to_string(name.back() % 3) + "Z";
    return out;
  }

  template <typename T>
  void put(Snapshots<T> ClusterState::*kind, T (*decode)(const Json&), const Json& document) {
    auto object = std::make_shared<const T>(decode(document));
    translator_.put(kind, object->meta.key(), std::shared_ptr<const T>(object));
  }
  template <typename T>
  void remove_one(Snapshots<T> ClusterState::*kind) {
    const auto& all = translator_.state().*kind;
    if (all.empty()) return;
    const api::Key key = std::next(all.begin(), below(static_cast<int>(all.size())))->first;
    translator_.put(kind, key, std::shared_ptr<const T>());
  }

  void change_something() {
    const int what = below(100);
    if (what < 30) return reweigh();
    if (what < 42) return change_route();
    if (what < 58) return change_slice();
    if (what < 68) return change_service();
    if (what < 82) return serve();
    if (what < 85) return change_grant();
    if (what < 88) return change_gateway();
    if (what < 90) return write_back();
    if (what < 92) return change_policy();
    if (what < 94) return change_namespace(any(kNamespaces));
    if (what < 96) return one_in(2) ? change_secret() : change_config_map();
    remove_something();
  }

  Json backend() {
    Json out{{"name", any(kServices)}, {"port", one_in(12) ? 81 : 80}, {"weight", below(3)}};
    if (one_in(5)) out["namespace"] = any(kNamespaces);
    if (one_in(25)) out["kind"] = "Bucket";
    return out;
  }

  Json rule(bool http) {
    Json out = Json::object();
    for (int i = one_in(8) ? 3 : 2; i > 0; --i) out["backendRefs"].push_back(backend());
    if (!http) return out;
    out["matches"] = Json::array({{{"path", {{"type", "PathPrefix"}, {"value", any_name("/p", 3)}}}}});
    if (one_in(40)) out["matches"][0]["path"] = {{"type", "RegularExpression"}, {"value", "/a(("}};
    if (one_in(10)) out["timeouts"]["request"] = one_in(3) ? "soon" : "5s";
    if (one_in(8))
      out["filters"] =
          Json::array({{{"type", "RequestMirror"}, {"requestMirror", {{"backendRef", backend()}}}}});
    return out;
  }

  struct Kind {
    const char* kind;
    Snapshots<api::Route> ClusterState::*all;
    api::Route (*decode)(const Json&);
    const char* section;
  };
  static constexpr Kind kKinds[] = {{"HTTPRoute", &ClusterState::http_routes, api::decode_http_route, "web"},
                                    {"GRPCRoute", &ClusterState::grpc_routes, api::decode_grpc_route, "web"},
                                    {"TCPRoute", &ClusterState::tcp_routes, api::decode_tcp_route, "raw"},
                                    {"UDPRoute", &ClusterState::udp_routes, api::decode_udp_route, "dns"}};
  const Kind& any_kind() { return kKinds[one_in(3) ? 1 + below(3) : 0]; }

  void change_route() {
    const Kind& kind = any_kind();
    const bool http = kind.decode == &api::decode_http_route;
    const std::string name = any_name("route-", 3);
    Json spec = Json::object();
    for (int i = one_in(5) ? 2 : 1; i > 0; --i) {
      Json parent{{"name", one_in(20) ? "nowhere" : any(kGateways)}, {"namespace", "shop"}};
      if (!one_in(3)) parent["sectionName"] = kind.section;
      spec["parentRefs"].push_back(parent);
    }
    if (http || kind.decode == &api::decode_grpc_route) {
      for (int i = below(3); i > 0; --i) spec["hostnames"].push_back(any_name("host-", 4) + ".example.com");
    }
    for (int i = below(2); i >= 0; --i) spec["rules"].push_back(rule(http));
    documents_[{kind.kind, name}] = {{"metadata", meta(any(kNamespaces), name)}, {"spec", spec}};
    put(kind.all, kind.decode, documents_[{kind.kind, name}]);
  }

  // What a rollout does.
  void reweigh() {
    if (documents_.empty()) return;
    auto& [id, document] = *std::next(documents_.begin(), below(static_cast<int>(documents_.size())));
    const auto* kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                    [&id = id](const Kind& one) { return one.kind == id.first; });
    document["metadata"]["generation"] = ++generation_;
    Json& rules = document["spec"]["rules"];
    Json& one = rules[static_cast<std::size_t>(below(static_cast<int>(rules.size())))];
    for (Json& choice : one["backendRefs"]) choice["weight"] = below(4);
    if (one_in(6)) one["backendRefs"][0]["name"] = any(kServices);
    put(kind->all, kind->decode, document);
  }

  void change_service() {
    const std::string name = any(kServices);
    Json port{{"name", "http"}, {"port", one_in(12) ? 81 : 80}, {"protocol", one_in(6) ? "UDP" : "TCP"}};
    if (one_in(6)) port["appProtocol"] = one_in(2) ? "kubernetes.io/h2c" : "kubernetes.io/wss";
    Json document{{"metadata", meta(any(kNamespaces), name)}, {"spec", {{"ports", Json::array({port})}}}};
    if (one_in(5)) document["metadata"]["annotations"][std::string(api::kStickySplitAnnotation)] = "v/1";
    if (one_in(15)) document["spec"]["type"] = "ExternalName";
    put(&ClusterState::services, api::decode_service, document);
  }

  void change_slice() {
    const std::string name = any_name("slice-", 5);
    Json document{{"metadata", meta(any(kNamespaces), name)},
                  {"addressType", one_in(20) ? "FQDN" : "IPv4"},
                  {"ports", Json::array({{{"name", "http"}, {"port", 8080 + below(2)}}})},
                  {"endpoints", Json::array()}};
    document["metadata"]["labels"]["kubernetes.io/service-name"] = any(kServices);
    for (int i = below(4); i > 0; --i) {
      document["endpoints"].push_back(
          {{"addresses", Json::array({any_name("10.0.0.", 6)})}, {"conditions", {{"ready", !one_in(4)}}}});
    }
    put(&ClusterState::slices, api::decode_endpoint_slice, document);
  }

  void change_grant() {
    const std::string ns = any(kNamespaces);
    put(&ClusterState::grants, api::decode_reference_grant,
        {{"metadata", meta(ns, "grant")},
         {"spec",
          {{"from", Json::array({{{"group", "gateway.networking.k8s.io"},
                                  {"kind", any_kind().kind},
                                  {"namespace", any(kNamespaces)}}})},
           {"to", Json::array({{{"group", ""}, {"kind", "Service"}}})}}}});
  }

  void change_gateway() {
    const std::string name = any(kGateways);
    Json web{{"name", "web"}, {"protocol", "HTTP"}, {"port", 80 + below(2)}};
    web["allowedRoutes"]["namespaces"]["from"] = one_in(4) ? "Same" : "All";
    if (one_in(4)) {
      web["allowedRoutes"]["namespaces"] = {{"from", "Selector"},
                                            {"selector", {{"matchLabels", {{"team", "t0"}}}}}};
    }
    Json tls = web;
    tls["name"] = "tls", tls["protocol"] = "HTTPS", tls["port"] = 443;
    tls["tls"]["certificateRefs"] = Json::array({{{"name", "certificate"}}});
    if (one_in(3)) tls["tls"]["certificateRefs"][0]["namespace"] = "pay";
    if (one_in(3)) web["hostname"] = "*.example.com";
    Json raw{{"name", "raw"}, {"protocol", "TCP"}, {"port", 90}},
        dns{{"name", "dns"}, {"protocol", "UDP"}, {"port", 53}};
    raw["allowedRoutes"] = dns["allowedRoutes"] = web["allowedRoutes"];
    Json spec{{"gatewayClassName", one_in(10) ? "another" : "tidegate"},
              {"listeners", Json::array({web, raw, dns, tls})}};
    if (one_in(8)) spec["tls"]["backend"]["clientCertificateRef"] = {{"name", "client"}};
    if (one_in(4)) {
      const Json authorities{{"group", ""},
                             {"kind", one_in(2) ? "ConfigMap" : "Secret"},
                             {"name", "authorities"},
                             {"namespace", any(kNamespaces)}};
      Json& frontend = spec["tls"]["frontend"] = Json::object();
      frontend["default"]["validation"]["caCertificateRefs"] = Json::array({authorities});
      if (one_in(2)) frontend["perPort"] = Json::array({{{"port", 443}, {"tls", Json::object()}}});
    }
    if (one_in(6)) spec["listeners"].erase(2);
    put(&ClusterState::gateways, api::decode_gateway, {{"metadata", meta("shop", name)}, {"spec", spec}});
  }

  void change_policy() {
    Json validation{{"hostname", "shop.test"}, {"wellKnownCACertificates", "System"}};
    if (one_in(2)) {
      validation = {{"hostname", "shop.test"}};
      validation["caCertificateRefs"] =
          Json::array({{{"group", ""}, {"kind", "ConfigMap"}, {"name", "authorities"}}});
    }
    put(&ClusterState::tls_policies, api::decode_backend_tls_policy,
        {{"metadata", meta(any(kNamespaces), any_name("policy-", 2))},
         {"spec",
          {{"targetRefs", Json::array({{{"group", ""}, {"kind", "Service"}, {"name", any(kServices)}}})},
           {"validation", validation}}}});
  }

  std::string any_pem(const std::string& label) {
    return "-----BEGIN " + label + "-----\n" + text::base64_encode(any_name("c", 3)) + "\n-----END " + label +
           "-----\n";
  }

  void change_config_map() {
    Json document{{"metadata", meta(any(kNamespaces), one_in(2) ? "authorities" : "else")}};
    if (!one_in(3)) document["data"]["ca.crt"] = any_pem("CERTIFICATE");
    put(&ClusterState::config_maps, api::decode_config_map, document);
  }

  void change_secret() {
    const std::string name = any(std::vector<std::string>{"certificate", "client", "authorities", "else"});
    auto secret = api::decode_secret({{"metadata", meta(any(kNamespaces), name)}});
    secret.data["tls.crt"] = secret.data["ca.crt"] = any_pem("CERTIFICATE");
    if (!one_in(4)) secret.data["tls.key"] = any_pem("PRIVATE KEY");
    const api::Key key = secret.meta.key();
    translator_.put(&ClusterState::secrets, key, std::make_shared<const api::Secret>(std::move(secret)));
  }

  void change_namespace(const std::string& name) {
    Json document{
        {"metadata",
         {{"name", name}, {"generation", ++generation_}, {"labels", {{"team", any_name("t", 2)}}}}}};
    put(&ClusterState::namespaces, api::decode_namespace, document);
  }

  // The statuses that are wanted come back with the objects; generations stay.
  void write_back() {
    const auto& statuses = translator_.latest().statuses;
    for (const auto& [key, status] : statuses.gateways) {
      const auto found = translator_.state().gateways.find(key);
      if (found == translator_.state().gateways.end()) continue;
      auto written = *found->second;
      written.status = status;
      translator_.put(&ClusterState::gateways, key, std::make_shared<const api::Gateway>(std::move(written)));
    }
    for (const auto& [key, status] : statuses.routes.contains("HTTPRoute")
                                         ? statuses.routes.at("HTTPRoute")
                                         : std::map<api::Key, api::RouteStatus>{}) {
      const auto found = translator_.state().http_routes.find(key);
      if (found == translator_.state().http_routes.end()) continue;
      auto written = *found->second;
      written.status = status;
      translator_.put(&ClusterState::http_routes, key,
                      std::make_shared<const api::Route>(std::move(written)));
    }
  }

  void serve() {
    if (one_in(2) || tables_.empty())
      tables_.push_back(std::make_shared<const routing::Table>(translator_.latest().table));
    if (tables_.size() > 4) tables_.erase(tables_.begin());
    if (one_in(12)) failed_ = one_in(2) ? Failed{} : Failed{{"127.77.0.1:80", "in use"}};
    translator_.serve(one_in(4) ? any(tables_) : tables_.back(), failed_);
  }

  void remove_something() {
    switch (below(6)) {
      case 0:
        return remove_one(&ClusterState::services);
      case 1:
      case 2:
        return remove_one(&ClusterState::slices);
      case 3:
        return remove_one(&ClusterState::grants);
      case 4:
        return remove_one(&ClusterState::tls_policies);
      default:
        return remove_route(any_kind());
    }
  }

  void remove_route(const Kind& kind) {
    const auto& all = translator_.state().*kind.all;
    if (all.empty()) return;
    const api::Key key = std::next(all.begin(), below(static_cast<int>(all.size())))->first;
    documents_.erase({kind.kind, key.name});
    translator_.put(kind.all, key, std::shared_ptr<const api::Route>());
  }

  using Failed = std::vector<std::pair<std::string, std::string>>;
  std::mt19937 random_;
  Translator translator_;
  std::int64_t generation_ = 0;
  std::map<std::pair<std::string, std::string>, Json> documents_;  // of routes, by kind and name; the latest
  std::vector<routing::TablePtr> tables_;
  Failed failed_;
  int went_on_ = 0;
};

TEST(Translator, WhatNobodyNamesChangesNothing) {
  Translator translator({});
  translator.run();
  const auto object = [](auto value, const char* name) {
    value.meta.ns = "shop", value.meta.name = name;
    return std::make_shared<const decltype(value)>(std::move(value));
  };
  EXPECT_FALSE(translator.put(&ClusterState::secrets, {"shop", "s"}, object(api::Secret{}, "s")));
  EXPECT_FALSE(translator.put(&ClusterState::config_maps, {"shop", "c"}, object(api::ConfigMap{}, "c")));
  EXPECT_FALSE(translator.put(&ClusterState::namespaces, {"", "shop"}, object(api::Namespace{}, "shop")));
  api::Gateway gateway;
  gateway.client_certificate = api::ObjectReference{"", "Secret", "", "s"};
  EXPECT_TRUE(translator.put(&ClusterState::gateways, {"shop", "g"}, object(gateway, "g")));
  EXPECT_TRUE(translator.put(&ClusterState::secrets, {"shop", "s"}, object(api::Secret{}, "s")));
  EXPECT_TRUE(translator.run().everything);
}

TEST(Translator, AuthoritiesOfClientsAreWatched) {
  Translator translator({});
  const auto named = [](auto value, const char* name) {
    value.meta.ns = "shop", value.meta.name = name;
    return std::make_shared<const decltype(value)>(std::move(value));
  };
  api::Gateway gateway;
  gateway.client_validation = api::ClientValidation{{{"", "ConfigMap", "", "all"}}};
  gateway.client_validation_per_port = {
      {443, api::ClientValidation{{{"", "ConfigMap", "", "port"}, {"", "Secret", "far", "port"}}}}};
  translator.put(&ClusterState::gateways, {"shop", "g"}, named(gateway, "g"));
  const auto map = named(api::ConfigMap{}, "");
  const auto secret = named(api::Secret{}, "");
  EXPECT_TRUE(translator.put(&ClusterState::config_maps, {"shop", "all"}, map));
  EXPECT_TRUE(translator.put(&ClusterState::config_maps, {"shop", "port"}, map));
  EXPECT_TRUE(translator.put(&ClusterState::secrets, {"far", "port"}, secret));
  EXPECT_FALSE(translator.put(&ClusterState::config_maps, {"far", "all"}, map));
  EXPECT_FALSE(translator.put(&ClusterState::secrets, {"shop", "all"}, secret));
  EXPECT_TRUE(translator.put(&ClusterState::grants, {"far", "grant"}, named(api::ReferenceGrant{}, "grant")));
}

class RandomEdits : public testing::TestWithParam<unsigned> {};

TEST_P(RandomEdits, GiveWhatTranslationFromNothingGives) {
  constexpr int kRounds = 500;
  Edits edits(GetParam());
  for (int round = 0; round < kRounds; ++round) {
    edits.edit();
    ASSERT_NO_FATAL_FAILURE(edits.run_and_compare()) << "round " << round;
    if (HasFailure()) FAIL() << "round " << round;
  }
  EXPECT_GT(edits.went_on(), kRounds / 4) << "most edits led to a translation from nothing";
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomEdits, testing::Range(1U, 4U));

}  // namespace
}  // namespace tidegate::gateway
