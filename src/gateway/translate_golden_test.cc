// SPDX-License-Identifier: Apache-2.0
// tests/golden/translate/<topic>/<case>/{in,out}.yaml: objects in; table, statuses and remaining problems
// out. UPDATE_GOLDEN=1 rewrites out.yaml. A document of kind GoldenOptions in in.yaml may say `proxies:
// pending` (nothing acknowledged yet), `proxies: none` (offline), `addressPool`, and `failed` (listeners that
// could not be opened, by "address:port").
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/yaml.h"
#include "gateway/features.h"
#include "gateway/manifests.h"
#include "gateway/served.h"
#include "gateway/translate.h"
#include "routing/table_yaml.h"

namespace tidegate::gateway {
namespace {

namespace fs = std::filesystem;

struct Case {
  ClusterState state;
  TranslateOptions options;
  std::string proxies = "serving";
  std::vector<std::pair<std::string, std::string>> failed;
};

std::string read_file(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void read_options(const Json& document, Case& out) {
  out.proxies = json::string_at(document, "proxies", "serving");
  out.options.address_pool = json::string_at(document, "addressPool", out.options.address_pool);
  for (const auto& [endpoint, why] : json::object_at(document, "failed").items())
    out.failed.emplace_back(endpoint, why.get<std::string>());
}

Case read_case(const fs::path& path) {
  Case out;
  const auto documents = yaml::parse_all(read_file(path));
  EXPECT_TRUE(documents) << path << ": " << (documents ? "" : documents.error().detail);
  if (!documents) return out;
  for (const auto& document : *documents) {
    if (json::string_at(document.value, "kind") == "GoldenOptions") {
      read_options(document.value, out);
    } else {
      EXPECT_TRUE(add_object(out.state, document.value)) << path << ":" << document.line << ": unknown kind";
    }
  }
  return out;
}

const TimePoint kNow(std::chrono::seconds(1'800'000'000));

// As after a first round: addresses written, table served.
void settle(Case& in, const Translation& first) {
  in.state.served = in.proxies == "serving" ? served_by(first.table, in.failed) : Served{};
  in.state.served.known = in.proxies != "none";
  if (in.proxies != "serving") return;
  in.state.assigned = first.assigned;
  for (auto& [key, gateway] : in.state.gateways) {
    const auto wanted = first.statuses.gateways.find(key);
    if (wanted == first.statuses.gateways.end()) continue;
    auto written = *gateway;
    written.status = merge_status(gateway->status, wanted->second, in.options.controller_name, kNow);
    gateway = std::make_shared<const api::Gateway>(std::move(written));
  }
}

// Times of transition are the matter of statuses_test.cc.
void drop_times(Json& value) {
  if (value.is_object()) value.erase("lastTransitionTime");
  if (!value.is_structured()) return;
  for (auto& item : value) drop_times(item);
}

template <typename T>
void add_statuses(Json& to, const char* kind, const Snapshots<T>& objects, const auto& wanted,
                  const Case& in) {
  for (const auto& [key, status] : wanted) {
    const auto& current = objects.at(key)->status;
    to[std::string(kind) + " " + api::to_string(key)] =
        api::encode_status(merge_status(current, status, in.options.controller_name, kNow));
  }
}

std::string output_of(Case in) {
  settle(in, translate(in.state, in.options));
  const Translation out = translate(in.state, in.options);
  Json rest = Json::object();
  Json& statuses = rest["statuses"] = Json::object();
  add_statuses(statuses, "GatewayClass", in.state.classes, out.statuses.classes, in);
  add_statuses(statuses, "Gateway", in.state.gateways, out.statuses.gateways, in);
  const std::map<std::string, const Snapshots<api::Route>*> routes = {{"HTTPRoute", &in.state.http_routes},
                                                                      {"GRPCRoute", &in.state.grpc_routes},
                                                                      {"TLSRoute", &in.state.tls_routes},
                                                                      {"TCPRoute", &in.state.tcp_routes},
                                                                      {"UDPRoute", &in.state.udp_routes}};
  for (const auto& [kind, wanted] : out.statuses.routes)
    add_statuses(statuses, std::string(kind).c_str(), *routes.at(std::string(kind)), wanted, in);
  add_statuses(statuses, "BackendTLSPolicy", in.state.tls_policies, out.statuses.tls_policies, in);
  drop_times(statuses);
  for (auto& [name, status] : statuses.items()) {
    if (status.contains("supportedFeatures") &&
        status["supportedFeatures"].size() == kSupportedFeatures.size())
      status["supportedFeatures"] = "as claimed";
  }
  for (const auto& problem : out.problems) rest["problems"].push_back(full_message(problem));
  return "# table\n" + routing::to_yaml(out.table) + "---\n" + yaml::dump(rest);
}

std::vector<fs::path> all_cases() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::recursive_directory_iterator(TIDEGATE_GOLDEN_DIR)) {
    if (entry.path().filename() == "in.yaml") out.push_back(entry.path().parent_path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

// The lines that differ, with the first few around them.
std::string difference(const std::string& wanted, const std::string& got) {
  std::istringstream a(wanted), b(got);
  std::string line_a, line_b, out;
  for (int line = 1, shown = 0; shown < 20; ++line) {
    const bool has_a = static_cast<bool>(std::getline(a, line_a));
    const bool has_b = static_cast<bool>(std::getline(b, line_b));
    if (!has_a && !has_b) break;
    if (has_a && has_b && line_a == line_b) continue;
    ++shown;
    out += std::to_string(line) + ":\n  - " + (has_a ? line_a : "(end)") + "\n  + " +
           (has_b ? line_b : "(end)") + "\n";
  }
  return out;
}

class TranslateGolden : public testing::TestWithParam<fs::path> {};

TEST_P(TranslateGolden, GivesWhatStandsInOutYaml) {
  const fs::path out_file = GetParam() / "out.yaml";
  const std::string got = output_of(read_case(GetParam() / "in.yaml"));
  if (const char* update = std::getenv("UPDATE_GOLDEN"); update && std::string_view(update) == "1") {
    std::ofstream(out_file) << got;
    return;
  }
  const std::string wanted = read_file(out_file);
  EXPECT_TRUE(got == wanted) << out_file << " differs (UPDATE_GOLDEN=1 rewrites it):\n"
                             << difference(wanted, got);
}

std::string case_name(const testing::TestParamInfo<fs::path>& info) {
  std::string name = info.param.parent_path().filename().string() + "_" + info.param.filename().string();
  for (auto& c : name) {
    if (c == '-') c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Cases, TranslateGolden, testing::ValuesIn(all_cases()), case_name);

}  // namespace
}  // namespace tidegate::gateway
