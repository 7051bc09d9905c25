// SPDX-License-Identifier: Apache-2.0
#include "app/world.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "analysis/controller.h"
#include "api/condition.h"
#include "api/gateway.h"
#include "apiserver/server.h"
#include "app/embedded_crds.h"
#include "app/traffic.h"
#include "base/log.h"
#include "gateway/addresses.h"
#include "gateway/controller.h"
#include "kube/client.h"
#include "kube/events.h"
#include "local/ip_pool.h"
#include "local/runtime.h"
#include "metrics/exposition.h"
#include "proxy/admin.h"
#include "proxy/runtime.h"
#include "rollout/controller.h"

namespace tidegate::app {
namespace {

Result<void> make_data_dir(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return Error{ErrorCode::kIo, "data dir " + path + ": cannot be made: " + error.message()};
  if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0) {
    return Error{ErrorCode::kIo, "data dir " + path + ": not writable: " + std::strerror(errno)};
  }
  return {};
}

// Holds a client key: only the user may read it, from its first byte on.
Result<void> write_private(const std::string& path, const std::string& text) {
  const std::string next = path + ".next";
  std::error_code error;
  std::filesystem::remove(next, error);
  const mode_t before = ::umask(0077);
  std::ofstream out(next, std::ios::binary);
  ::umask(before);
  out << text;
  out.close();
  if (!out) return Error{ErrorCode::kIo, path + ": cannot be written: " + std::strerror(errno)};
  std::filesystem::rename(next, path, error);
  if (error) return Error{ErrorCode::kIo, path + ": cannot be written: " + error.message()};
  return {};
}

Result<void> check_pools(const WorldOptions& options) {
  if (!gateway::parse_pool(options.gateway_pool)) {
    return Error{ErrorCode::kInvalid,
                 "--gateway-pool: \"" + options.gateway_pool + "\" is no IPv4 block such as 127.77.0.0/16"};
  }
  auto pods = local::IpPool::parse(options.pod_pool);
  if (!pods) return context("--pod-pool", pods.error());
  return {};
}

Result<proxy::Settings> load_limits(const std::string& path) {
  proxy::Settings settings;
  if (path.empty()) return settings;
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return Error{ErrorCode::kIo, "--limits: " + path + ": cannot be read"};
  auto applied = proxy::apply_settings(text.str(), path, settings);
  if (!applied) return context("--limits", applied.error());
  return settings;
}

std::vector<std::pair<std::string, std::string>> reasons(const proxy::Runtime::Applied& applied) {
  std::vector<std::pair<std::string, std::string>> failed;
  for (const auto& [address, error] : applied.failed) failed.emplace_back(address, error.detail);
  return failed;
}

}  // namespace

struct World::Parts {
  Parts(net::EventLoop& loop, WorldOptions options) : loop(loop), options(std::move(options)) {}

  net::EventLoop& loop;
  WorldOptions options;
  proxy::Settings limits;
  metrics::Exposition exposition;
  std::unique_ptr<apiserver::Server> api;
  std::unique_ptr<kube::Client> client;
  std::unique_ptr<kube::EventRecorder> gateway_events, rollout_events;
  std::unique_ptr<gateway::Controller> gateway;
  std::unique_ptr<proxy::Runtime> proxy;
  std::unique_ptr<session::HttpServer> admin;
  std::unique_ptr<LocalTraffic> traffic;
  std::unique_ptr<metrics::providers::Fetch> fetch;  // outlives those who measure
  std::unique_ptr<rollout::Controller> rollouts;
  std::unique_ptr<analysis::Controller> analyses;
  std::unique_ptr<local::Runtime> runtime;

  Result<void> open_ports();
  Result<void> connect();
  void wire();
};

Result<void> World::Parts::open_ports() {
  auto server = apiserver::Server::open(loop, {options.api, options.data_dir, nullptr});
  if (!server) return server.error();
  api = std::move(*server);
  proxy::Runtime::Options proxy_options;
  proxy_options.workers = options.workers;
  proxy_options.settings = limits;
  proxy = std::make_unique<proxy::Runtime>(loop, std::move(proxy_options),
                                           [this](const proxy::Runtime::Applied& applied) {
                                             if (gateway) gateway->applied(applied.table, reasons(applied));
                                           });
  exposition.add(proxy->collectable());
  proxy::AdminSources sources;
  sources.exposition = &exposition;
  sources.table = [this] { return proxy->table(); };
  sources.ready = [this] { return gateway && gateway->settled(); };
  auto opened = proxy::open_admin(loop, options.metrics, std::move(sources));
  if (!opened) return opened.error();
  admin = std::move(*opened);
  return {};
}

Result<void> World::Parts::connect() {
  if (options.kubeconfig.empty()) options.kubeconfig = options.data_dir + "/kubeconfig";
  if (auto written = write_private(options.kubeconfig, api->kubeconfig()); !written) return written.error();
  auto config = kube::load_kubeconfig(options.kubeconfig);
  if (!config) return config.error();
  config->user_agent = "tidegate-up";
  client = std::make_unique<kube::Client>(loop.io(), loop.scheduler(), std::move(*config));
  return {};
}

void World::Parts::wire() {
  gateway_events = std::make_unique<kube::EventRecorder>(*client, "tidegate-gateway");
  rollout_events = std::make_unique<kube::EventRecorder>(*client, "tidegate-rollout");
  gateway = std::make_unique<gateway::Controller>(
      *client, *gateway_events, gateway::Controller::Options{options.gateway_pool},
      [this](routing::TablePtr table) { proxy->publish(std::move(table)); });
  traffic = std::make_unique<LocalTraffic>(loop.scheduler().clock(), *proxy, *gateway);
  fetch = metrics::providers::open_fetch(loop.io(), loop.scheduler());
  rollout::Controller::Options rollout_options;
  rollout_options.fetch = fetch.get();
  rollouts = std::make_unique<rollout::Controller>(*client, *rollout_events, traffic.get(),
                                                   &exposition.registry(), rollout_options);
  analyses = std::make_unique<analysis::Controller>(*client, *fetch);
  if (!options.runtime) return;
  local::Runtime::Options local_options;
  local_options.log_dir = options.data_dir + "/logs";
  local_options.pod_cidr = options.pod_pool;
  local_options.self_program = options.self_program;
  local_options.images = options.images;
  runtime = std::make_unique<local::Runtime>(loop.io(), loop.scheduler(), *client, std::move(local_options));
  api->set_log_source(&runtime->logs());
}

World::World(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
World::~World() = default;

Result<std::unique_ptr<World>> World::open(net::EventLoop& loop, WorldOptions options) {
  if (auto checked = check_pools(options); !checked) return checked.error();
  auto limits = load_limits(options.limits);
  if (!limits) return limits.error();
  if (auto made = make_data_dir(options.data_dir); !made) return made.error();
  auto parts = std::make_unique<Parts>(loop, std::move(options));
  parts->limits = std::move(*limits);
  if (auto opened = parts->open_ports(); !opened) return opened.error();
  if (auto connected = parts->connect(); !connected) return connected.error();
  parts->wire();
  return std::unique_ptr<World>(new World(std::move(parts)));
}

Task<Result<void>> World::start(std::vector<Manifest> manifests) {
  auto crds = parse_embedded(embedded_crds());
  if (!crds) co_return crds.error();
  ApplyOptions own;
  own.dry_run_first = false;
  own.for_kubectl = false;  // these documents are larger than an annotation may be
  auto installed = co_await apply_manifests(*parts_->client, *crds, own);
  if (!installed) co_return installed.error();
  ApplyOptions given;
  auto applied = co_await apply_manifests(*parts_->client, manifests, given);
  if (!applied) co_return applied.error();
  parts_->gateway->start();
  parts_->rollouts->start();
  parts_->analyses->start();
  if (parts_->runtime) parts_->runtime->start();
  co_return Result<void>();
}

Task<std::vector<std::string>> World::waiting_for(std::vector<Manifest> manifests) {
  std::vector<std::string> waiting;
  for (const auto& manifest : manifests) {
    if (json::string_at(*manifest.object, "kind") != "Gateway") continue;
    const api::Key key{json::string_at(*manifest.object, "metadata.namespace", "default"),
                       json::string_at(*manifest.object, "metadata.name")};
    auto gateway = co_await parts_->client->get(api::kGateways, key);
    const auto conditions = gateway ? api::decode_conditions(json::array_at(*gateway, "status.conditions"))
                                    : std::vector<api::Condition>{};
    const auto* programmed = api::find_condition(conditions, "Programmed");
    if (programmed && programmed->status == "True") continue;
    waiting.push_back("gateway " + to_string(key) + ": " +
                      (programmed ? programmed->message : "not seen yet"));
  }
  co_return waiting;
}

bool World::settled() const { return parts_->gateway->settled(); }

Task<void> World::stop() {
  if (parts_->runtime) co_await parts_->runtime->stop();
  parts_->proxy->drain();
  parts_->api->drain();
}

net::Address World::api_address() const { return parts_->api->address(); }
net::Address World::metrics_address() const { return parts_->admin->address(); }
const std::string& World::kubeconfig_path() const { return parts_->options.kubeconfig; }
kube::Client& World::client() { return *parts_->client; }

}  // namespace tidegate::app
