// SPDX-License-Identifier: Apache-2.0
#include "gateway/controller.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "gateway/addresses.h"
#include "gateway/complaints.h"
#include "gateway/hold_off.h"
#include "gateway/status_writer.h"
#include "gateway/translator.h"
#include "kube/reflector.h"

namespace tidegate::gateway {

struct Controller::State : std::enable_shared_from_this<Controller::State> {
  State(kube::Client& client, kube::EventRecorder& recorder, Options given, Publish publish_table)
      : client(client),
        events(recorder),
        options(std::move(given)),
        publish(std::move(publish_table)),
        refresh_soon(client.scheduler(), kHoldOff, kHoldOffMost, [this] { refresh(); }),
        translator({std::string(kControllerName), options.address_pool}),
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
    TIDEGATE_ASSERT(parse_pool(options.address_pool).has_value());
  }

  void watch_all();
  // `writer`: of the kind's statuses; nullptr: we write none.
  template <typename T, typename Writer>
  void watch(const api::Resource& resource, kube::Store<T>& store, Snapshots<T> ClusterState::*kind,
             Writer writer, kube::Unknown unknown = kube::Unknown::kAwaited);
  template <typename T, typename Writer>
  void changed(Snapshots<T> ClusterState::*kind, const std::shared_ptr<const T>& old,
               const std::shared_ptr<const T>& now, Writer writer);
  void synced();
  bool all_synced() const { return kinds_synced == kKinds; }

  void refresh();
  void stop();
  void publish_if_new();
  void note(const Translator::Changes& changes);
  void write_statuses();
  template <typename Writers>
  void for_route_writers(Writers write);
  void applied(routing::TablePtr table, const std::vector<std::pair<std::string, std::string>>& failed);
  bool settled() const;

  static Task<void> create_default_class(std::shared_ptr<State> state);

  kube::Client& client;
  kube::EventRecorder& events;
  Options options;
  Publish publish;

  std::shared_ptr<Stores> stores = std::make_shared<Stores>();
  static constexpr std::size_t kKinds = 14;  // that watch_all() watches
  std::size_t kinds_synced = 0;
  bool stopped = false;
  HoldOff refresh_soon;

  Translator translator;
  Translator::Changes unwritten;  // to the statuses
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
void Controller::State::watch(const api::Resource& resource, kube::Store<T>& store,
                              Snapshots<T> ClusterState::*kind, Writer writer, kube::Unknown unknown) {
  store.on_change(
      [this, kind, writer](const auto& old, const auto& now) { this->changed(kind, old, now, writer); });
  reflectors.push_back(std::make_unique<kube::Reflector>(
      client, resource, kube::ListOptions{}, store, [this] { synced(); }, unknown));
}

void Controller::State::watch_all() {
  watch(api::kGatewayClasses, stores->classes, &ClusterState::classes, &class_writer);
  watch(api::kGateways, stores->gateways, &ClusterState::gateways, &gateway_writer);
  watch(api::kHttpRoutes, stores->http_routes, &ClusterState::http_routes, &http_writer);
  // A cluster may do without: older releases of Gateway API, or an installation of less.
  watch(api::kGrpcRoutes, stores->grpc_routes, &ClusterState::grpc_routes, &grpc_writer,
        kube::Unknown::kEmpty);
  watch(api::kTlsRoutes, stores->tls_routes, &ClusterState::tls_routes, &tls_writer, kube::Unknown::kEmpty);
  watch(api::kTcpRoutes, stores->tcp_routes, &ClusterState::tcp_routes, &tcp_writer, kube::Unknown::kEmpty);
  watch(api::kUdpRoutes, stores->udp_routes, &ClusterState::udp_routes, &udp_writer, kube::Unknown::kEmpty);
  watch(api::kReferenceGrants, stores->grants, &ClusterState::grants, nullptr);
  watch(api::kServices, stores->services, &ClusterState::services, nullptr);
  watch(api::kEndpointSlices, stores->slices, &ClusterState::slices, nullptr);
  watch(api::kSecrets, stores->secrets, &ClusterState::secrets, nullptr);
  watch(api::kNamespaces, stores->namespaces, &ClusterState::namespaces, nullptr);
  watch(api::kBackendTlsPolicies, stores->tls_policies, &ClusterState::tls_policies, &policy_writer,
        kube::Unknown::kEmpty);
  watch(api::kConfigMaps, stores->config_maps, &ClusterState::config_maps, nullptr);
}

template <typename T, typename Writer>
void Controller::State::changed(Snapshots<T> ClusterState::*kind, const std::shared_ptr<const T>& old,
                                const std::shared_ptr<const T>& now, Writer writer) {
  const api::Key key = (now ? now : old)->meta.key();
  if constexpr (!std::is_same_v<Writer, std::nullptr_t>) {
    if (old && (!now || old->meta.uid != now->meta.uid)) writer->forget(key);
    if (old && now && old->meta.uid == now->meta.uid && old->meta.generation == now->meta.generation)
      writer->check(key);
  }
  if (translator.put(kind, key, now) && all_synced()) refresh_soon.trigger();
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
  const auto changes = translator.run();
  note(changes);
  if (changes.table) publish_if_new();
  if (!awaiting_proxies) write_statuses();
}

void Controller::State::note(const Translator::Changes& changes) {
  unwritten.everything = unwritten.everything || changes.everything;
  unwritten.problems = unwritten.problems || changes.problems;
  unwritten.routes.insert(changes.routes.begin(), changes.routes.end());
}

void Controller::State::publish_if_new() {
  routing::Table table = translator.latest().table;
  table.generation = published ? published->generation : 0;
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

template <typename Writers>
void Controller::State::for_route_writers(Writers write) {
  write(api::kHttpRoutes, http_writer);
  write(api::kGrpcRoutes, grpc_writer);
  write(api::kTlsRoutes, tls_writer);
  write(api::kTcpRoutes, tcp_writer);
  write(api::kUdpRoutes, udp_writer);
}

void Controller::State::write_statuses() {
  const auto changes = std::exchange(unwritten, {});
  const auto& statuses = translator.latest().statuses;
  const auto wanted = [&](const api::Resource& resource) {
    const auto found = statuses.routes.find(resource.kind);
    return found == statuses.routes.end() ? std::map<api::Key, api::RouteStatus>{} : found->second;
  };
  if (changes.everything) {
    class_writer.want(statuses.classes);
    gateway_writer.want(statuses.gateways);
    for_route_writers([&](const api::Resource& resource, auto& writer) { writer.want(wanted(resource)); });
    policy_writer.want(statuses.tls_policies);
  }
  for (const auto& [resource, key] : changes.routes) {
    for_route_writers([&, &resource = resource, &key = key](const api::Resource& kind, auto& writer) {
      if (&kind == resource) writer.want(key, statuses.of_route(kind.kind, key));
    });
  }
  if (changes.problems) complaints.update(translator.latest().problems, *stores);
}

void Controller::State::applied(routing::TablePtr table,
                                const std::vector<std::pair<std::string, std::string>>& failed) {
  acknowledged = table->generation;
  if (published && acknowledged == published->generation) awaiting_proxies.reset();
  translator.serve(std::move(table), failed);
  refresh_soon.trigger();
}

bool Controller::State::settled() const {
  if (!published || acknowledged != published->generation || refresh_soon.pending() || awaiting_proxies)
    return false;
  for (const auto& [key, status] : translator.latest().statuses.gateways) {
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

void Controller::applied(routing::TablePtr table,
                         const std::vector<std::pair<std::string, std::string>>& failed) {
  state_->applied(std::move(table), failed);
}

std::int64_t Controller::served_generation(const std::string& kind, const std::string& ns,
                                           const std::string& name) const {
  return state_->translator.state().served.lowest_generation(kind, {ns, name});
}

bool Controller::settled() const { return state_->settled(); }

}  // namespace tidegate::gateway
