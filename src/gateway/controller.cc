// SPDX-License-Identifier: Apache-2.0
#include "gateway/controller.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "gateway/addresses.h"
#include "gateway/complaints.h"
#include "gateway/hold_off.h"
#include "gateway/served.h"
#include "gateway/status_writer.h"
#include "gateway/translate.h"
#include "kube/reflector.h"
#include "routing/share.h"

namespace tidegate::gateway {

struct Controller::State : std::enable_shared_from_this<Controller::State> {
  State(kube::Client& client, kube::EventRecorder& recorder, Options given, Publish publish_table)
      : client(client),
        events(recorder),
        options(std::move(given)),
        publish(std::move(publish_table)),
        refresh_soon(client.scheduler(), kHoldOff, kHoldOffMost, [this] { refresh(); }),
        class_writer(client, api::kGatewayClasses, stores, stores->classes, std::string(kControllerName)),
        gateway_writer(client, api::kGateways, stores, stores->gateways, std::string(kControllerName)),
        http_writer(client, api::kHttpRoutes, stores, stores->http_routes, std::string(kControllerName)),
        grpc_writer(client, api::kGrpcRoutes, stores, stores->grpc_routes, std::string(kControllerName)),
        tls_writer(client, api::kTlsRoutes, stores, stores->tls_routes, std::string(kControllerName)),
        tcp_writer(client, api::kTcpRoutes, stores, stores->tcp_routes, std::string(kControllerName)),
        udp_writer(client, api::kUdpRoutes, stores, stores->udp_routes, std::string(kControllerName)),
        policy_writer(client, api::kBackendTlsPolicies, stores, stores->tls_policies,
                      std::string(kControllerName)),
        complaints([this](const auto& resource, const auto& meta, auto reason, auto message) {
          events.record(resource, meta, kube::EventRecorder::Type::kWarning, reason, message);
        }) {
    translation_options.controller_name = kControllerName;
    translation_options.address_pool = options.address_pool;
    TIDEGATE_ASSERT(parse_pool(options.address_pool).has_value());
  }

  void watch_all();
  // `writer`: of the kind's statuses; nullptr: we write none.
  template <typename T, typename Writer>
  void watch(const api::Resource& resource, kube::Store<T>& store, Writer writer,
             kube::Unknown unknown = kube::Unknown::kAwaited);
  template <typename T, typename Writer>
  void changed(const std::shared_ptr<const T>& old, const std::shared_ptr<const T>& now, Writer writer);
  void synced();
  bool all_synced() const { return kinds_synced == kKinds; }

  void refresh();
  void stop();
  void publish_if_new(routing::Table table);
  void write_statuses();
  void applied(const routing::Table& table, const std::vector<std::pair<std::string, std::string>>& failed);
  bool settled() const;

  static Task<void> create_default_class(std::shared_ptr<State> state);

  kube::Client& client;
  kube::EventRecorder& events;
  Options options;
  Publish publish;
  TranslateOptions translation_options;

  std::shared_ptr<Stores> stores = std::make_shared<Stores>();
  static constexpr std::size_t kKinds = 14;  // that watch_all() watches
  std::size_t kinds_synced = 0;
  bool stopped = false;
  HoldOff refresh_soon;

  Translation latest;  // of the last refresh
  Served served;       // by the proxies
  // Of routes, by kind: the lowest of all listeners.
  std::map<std::pair<std::string, api::Key>, std::int64_t> served_generations;
  routing::TablePtr published;
  std::uint64_t acknowledged = 0;  // generation of the table that the proxies serve
  std::unique_ptr<Scheduler::Timer> awaiting_proxies;

  StatusWriter<api::GatewayClass> class_writer;
  StatusWriter<api::Gateway> gateway_writer;
  StatusWriter<api::Route> http_writer, grpc_writer, tls_writer, tcp_writer, udp_writer;
  StatusWriter<api::BackendTlsPolicy> policy_writer;
  Complaints complaints;
  std::vector<std::unique_ptr<kube::Reflector>>
      reflectors;  // last: the first to go, so that nothing changes any more
};

// ---- what comes in ----

template <typename T, typename Writer>
void Controller::State::watch(const api::Resource& resource, kube::Store<T>& store, Writer writer,
                              kube::Unknown unknown) {
  store.on_change([this, writer](const auto& old, const auto& now) { changed(old, now, writer); });
  reflectors.push_back(std::make_unique<kube::Reflector>(
      client, resource, kube::ListOptions{}, store, [this] { synced(); }, unknown));
}

void Controller::State::watch_all() {
  watch(api::kGatewayClasses, stores->classes, &class_writer);
  watch(api::kGateways, stores->gateways, &gateway_writer);
  watch(api::kHttpRoutes, stores->http_routes, &http_writer);
  // A cluster may do without: older releases of Gateway API, or an installation of less.
  watch(api::kGrpcRoutes, stores->grpc_routes, &grpc_writer, kube::Unknown::kEmpty);
  watch(api::kTlsRoutes, stores->tls_routes, &tls_writer, kube::Unknown::kEmpty);
  watch(api::kTcpRoutes, stores->tcp_routes, &tcp_writer, kube::Unknown::kEmpty);
  watch(api::kUdpRoutes, stores->udp_routes, &udp_writer, kube::Unknown::kEmpty);
  watch(api::kReferenceGrants, stores->grants, nullptr);
  watch(api::kServices, stores->services, nullptr);
  watch(api::kEndpointSlices, stores->slices, nullptr);
  watch(api::kSecrets, stores->secrets, nullptr);
  watch(api::kNamespaces, stores->namespaces, nullptr);
  watch(api::kBackendTlsPolicies, stores->tls_policies, &policy_writer, kube::Unknown::kEmpty);
  watch(api::kConfigMaps, stores->config_maps, nullptr);
}

template <typename T, typename Writer>
void Controller::State::changed(const std::shared_ptr<const T>& old, const std::shared_ptr<const T>& now,
                                Writer writer) {
  if constexpr (!std::is_same_v<Writer, std::nullptr_t>) {
    if (old && (!now || old->meta.uid != now->meta.uid)) writer->forget(old->meta.key());
    if (old && now && old->meta.uid == now->meta.uid && old->meta.generation == now->meta.generation) {
      writer->check(now->meta.key());
      // The translation looks at no status but that of Gateways, for their addresses.
      if (!std::is_same_v<T, api::Gateway>) return;
    }
  }
  if (all_synced()) refresh_soon.trigger();
}

void Controller::State::synced() {
  ++kinds_synced;
  if (!all_synced()) return;
  log::info("gateway controller has synced",
            {{"gateways", stores->gateways.all().size()},
             {"routes", stores->http_routes.all().size() + stores->grpc_routes.all().size()}});
  refresh();
  net::spawn(client.io(), create_default_class(shared_from_this()));
}

Task<void> Controller::State::create_default_class(std::shared_ptr<State> state) {
  if (state->options.default_class.empty()) co_return;
  for (const auto& [key, gateway_class] : state->stores->classes.all()) {
    if (gateway_class->controller_name == kControllerName) co_return;
  }
  Json object = {{"apiVersion", api::kGatewayClasses.api_version()}, {"kind", "GatewayClass"}};
  object["metadata"]["name"] = state->options.default_class;
  object["spec"]["controllerName"] = kControllerName;
  const auto created = co_await state->client.create(api::kGatewayClasses, object);
  if (!created && created.error().code != ErrorCode::kConflict)
    log::warning("could not create the default GatewayClass", {{"error", created.error().detail}});
}

// ---- what goes out ----

// A coroutine may hold the state for a while longer; nothing more comes out of it.
void Controller::State::stop() {
  stopped = true;
  reflectors.clear();
  refresh_soon.cancel();
  awaiting_proxies.reset();
}

void Controller::State::refresh() {
  if (stopped || !all_synced()) return;
  ClusterState state = stores->snapshot();
  state.assigned = std::move(latest.assigned);
  state.served = served;
  latest = translate(state, translation_options);
  publish_if_new(std::move(latest.table));
  if (!awaiting_proxies) write_statuses();
}

void Controller::State::publish_if_new(routing::Table table) {
  table.generation = published ? published->generation : 0;
  if (published) routing::share(table, *published);
  if (published && table == *published) return;
  ++table.generation;
  published = std::make_shared<const routing::Table>(std::move(table));
  // The proxies answer within milliseconds as a rule: then one write tells both that the route is fine and
  // that it is served.
  awaiting_proxies = client.scheduler().after(kAwaitProxies, [this] {
    awaiting_proxies.reset();
    write_statuses();
  });
  publish(published);
}

void Controller::State::write_statuses() {
  class_writer.want(latest.statuses.classes);
  gateway_writer.want(latest.statuses.gateways);
  const auto write_routes = [this](StatusWriter<api::Route>& writer, const api::Resource& resource) {
    writer.want(latest.statuses.routes[resource.kind]);
  };
  write_routes(http_writer, api::kHttpRoutes);
  write_routes(grpc_writer, api::kGrpcRoutes);
  write_routes(tls_writer, api::kTlsRoutes);
  write_routes(tcp_writer, api::kTcpRoutes);
  write_routes(udp_writer, api::kUdpRoutes);
  policy_writer.want(latest.statuses.tls_policies);
  complaints.update(latest.problems, *stores);
}

void Controller::State::applied(const routing::Table& table,
                                const std::vector<std::pair<std::string, std::string>>& failed) {
  served = served_by(table, failed);
  acknowledged = table.generation;
  served_generations.clear();
  for (const auto& [place, generation] : served.routes) {
    const auto [it, added] =
        served_generations.try_emplace({std::get<2>(place), std::get<3>(place)}, generation);
    it->second = std::min(it->second, generation);
  }
  if (published && acknowledged == published->generation) awaiting_proxies.reset();
  refresh_soon.trigger();
}

bool Controller::State::settled() const {
  if (!published || acknowledged != published->generation || refresh_soon.pending() || awaiting_proxies)
    return false;
  for (const auto& [key, status] : latest.statuses.gateways) {
    const auto* accepted = api::find_condition(status.conditions, "Accepted");
    const auto* programmed = api::find_condition(status.conditions, "Programmed");
    if (accepted->status == "True" && programmed->status != "True") return false;
  }
  return class_writer.settled() && gateway_writer.settled() && http_writer.settled() &&
         grpc_writer.settled() && tls_writer.settled() && tcp_writer.settled() && udp_writer.settled() &&
         policy_writer.settled();
}

// ---- the face ----

Controller::Controller(kube::Client& client, kube::EventRecorder& events, Options options, Publish publish)
    : state_(std::make_shared<State>(client, events, std::move(options), std::move(publish))) {}
Controller::~Controller() { state_->stop(); }

void Controller::start() { state_->watch_all(); }

void Controller::applied(const routing::Table& table,
                         const std::vector<std::pair<std::string, std::string>>& failed) {
  state_->applied(table, failed);
}

std::int64_t Controller::served_generation(const std::string& kind, const std::string& ns,
                                           const std::string& name) const {
  const auto it = state_->served_generations.find({kind, api::Key{ns, name}});
  return it == state_->served_generations.end() ? 0 : it->second;
}

bool Controller::settled() const { return state_->settled(); }

}  // namespace tidegate::gateway
