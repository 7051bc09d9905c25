// SPDX-License-Identifier: Apache-2.0
#include "rollout/controller.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "analysis/prober.h"
#include "base/log.h"
#include "base/text.h"
#include "kube/reflector.h"
#include "kube/workqueue.h"
#include "rollout/decide.h"
#include "rollout/instruments.h"
#include "rollout/observe.h"
#include "rollout/perform.h"
#include "rollout/perform_records.h"

namespace tidegate::rollout {

using RolloutPtr = std::shared_ptr<const api::Rollout>;

struct Controller::State {
  State(kube::Client& client, kube::EventRecorder& events, const metrics::TrafficSource* traffic,
        prometheus::Registry* registry, Options options)
      : client(client),
        events(events),
        traffic(traffic),
        instruments(registry),
        own_fetch(options.fetch ? nullptr : metrics::providers::open_fetch(client.io(), client.scheduler())),
        prober(client, options.fetch ? *options.fetch : *own_fetch,
               [this](const api::Key& owner) { queue.add(owner); }),
        queue(client.io(), client.scheduler(), queue_options(options),
              [this](api::Key key) { return reconcile(*this, std::move(key)); }) {}

  static kube::WorkQueue::Options queue_options(const Options& options) {
    return {"rollout", options.parallel};
  }

  void listen();
  void start();
  void add_users_of_template(const api::Meta& meta);
  void add_users(const std::string& ns, const std::string& service);
  void add_users_of_route(const api::Meta& route, std::string_view kind);
  void add_followers(const api::Meta& deployment);
  void add_owner(const api::Meta& meta);
  void add_restarting(const api::Meta& pod);
  void watch(const api::Resource& resource, kube::Sink& sink, std::string label_selector = {});
  RolloutPtr current(const api::Key& key);
  RolloutPtr resolved(RolloutPtr rollout) const;  // with the pod template of its Deployment
  void remember(Json document);
  void publish(const api::Rollout& rollout, const Decision& decision);

  static Task<kube::ReconcileResult> reconcile(State& state, api::Key key);
  static Task<Result<void>> write_status(State& state, Json document, const api::RolloutStatus& next);

  kube::Client& client;
  kube::EventRecorder& events;
  const metrics::TrafficSource* traffic;
  Cluster cluster;
  bool pods_watched = false;         // from the first restart on
  bool deployments_watched = false;  // from the first workloadRef on
  bool grpc_watched = false;         // from the first Rollout on that names a GRPCRoute
  // Rollouts as our own writes left them: newer than the cache until the watch has caught up. Deciding on an
  // older status would put an older weight on the route.
  std::map<api::Key, RolloutPtr> written;
  Instruments instruments;
  std::unique_ptr<metrics::providers::Fetch> own_fetch;
  analysis::Prober prober;
  kube::WorkQueue queue;  // its reconciles use all of the above
  std::vector<std::unique_ptr<kube::Reflector>> reflectors;
};

namespace {

constexpr Duration kFirstList = std::chrono::milliseconds(100);  // until Deployments are known

// Versions are opaque to clients but for this: Kubernetes' are numbers that grow, and so are ours.
bool newer(const api::Meta& a, const api::Meta& b) {
  const auto left = text::parse_int(a.resource_version), right = text::parse_int(b.resource_version);
  return a.uid == b.uid && left && right && *left > *right;
}

bool names_grpc_route(const api::Rollout& rollout) {
  const auto& routes = rollout.spec.canary.routes;
  return std::any_of(routes.begin(), routes.end(),
                     [](const auto& route) { return route.kind == api::kGrpcRoutes.kind; });
}

analysis::Prober::Owner owner_of(const api::Rollout& rollout) {
  return {rollout.meta.ns,
          {api::kRollouts.api_version(), std::string(api::kRollouts.kind), rollout.meta.name,
           rollout.meta.uid, true}};
}

}  // namespace

void Controller::State::listen() {
  for (auto* templates : {&cluster.templates, &cluster.cluster_templates}) {
    templates->on_change(
        [this](const auto& old, const auto& now) { add_users_of_template((now ? now : old)->meta); });
  }
  cluster.rollouts.on_change([this](const auto& old, const auto& now) {
    const api::Key key = (now ? now : old)->meta.key();
    const auto aborting = [](const RolloutPtr& rollout) {
      return rollout && rollout->meta.annotations.contains(api::kAbortAnnotation);
    };
    if (now && !grpc_watched && names_grpc_route(*now)) {
      grpc_watched = true;
      watch(api::kGrpcRoutes, cluster.grpc_routes);
    }
    if (now && !pods_watched && looks_at_pods(*now)) {
      pods_watched = true;
      watch(api::kPods, cluster.pods, std::string(api::kRevisionLabel));
    }
    if (now && !deployments_watched && std::holds_alternative<api::WorkloadRef>(now->spec.workload)) {
      deployments_watched = true;
      watch(api::kDeployments, cluster.deployments);
    }
    aborting(now) && !aborting(old) ? queue.add_urgent(key) : queue.add(key);
  });
  cluster.replica_sets.on_change(
      [this](const auto& old, const auto& now) { add_owner((now ? now : old)->meta); });
  cluster.pods.on_change(
      [this](const auto& old, const auto& now) { add_restarting((now ? now : old)->meta); });
  cluster.services.on_change([this](const auto& old, const auto& now) {
    const auto& meta = (now ? now : old)->meta;
    add_users(meta.ns, meta.name);
  });
  cluster.slices.on_change([this](const auto& old, const auto& now) {
    const auto& slice = now ? *now : *old;
    add_users(slice.meta.ns, slice.service);
  });
  cluster.deployments.on_change(
      [this](const auto& old, const auto& now) { add_followers((now ? now : old)->meta); });
  for (const auto* kind : {&api::kHttpRoutes, &api::kGrpcRoutes}) {
    cluster.routes(kind->kind).on_change([this, kind](const auto& old, const auto& now) {
      const auto& meta = (now ? now : old)->meta;
      add_users_of_route(meta, kind->kind);
      add_owner(meta);
    });
  }
}

void Controller::State::add_users(const std::string& ns, const std::string& service) {
  each_in(cluster.rollouts, ns, [&](const api::Rollout& rollout) {
    const auto& strategy = rollout.spec.canary;
    const auto experiment = service.starts_with(rollout.meta.name + "-");
    if (strategy.stable_service == service || strategy.canary_service == service || experiment)
      queue.add(rollout.meta.key());
  });
}

void Controller::State::add_users_of_template(const api::Meta& meta) {
  for (const auto& [key, rollout] : cluster.rollouts.all()) {
    if ((meta.ns.empty() || key.ns == meta.ns) && uses_templates(*rollout)) queue.add(key);
  }
}

void Controller::State::add_users_of_route(const api::Meta& route, std::string_view kind) {
  each_in(cluster.rollouts, route.ns, [&](const api::Rollout& rollout) {
    for (const auto& reference : rollout.spec.canary.routes) {
      if (reference.kind == kind && reference.name == route.name) queue.add(rollout.meta.key());
    }
  });
}

void Controller::State::add_followers(const api::Meta& deployment) {
  each_in(cluster.rollouts, deployment.ns, [&](const api::Rollout& rollout) {
    const auto* reference = std::get_if<api::WorkloadRef>(&rollout.spec.workload);
    if (reference && reference->name == deployment.name) queue.add(rollout.meta.key());
  });
}

RolloutPtr Controller::State::resolved(RolloutPtr rollout) const {
  const auto* reference = std::get_if<api::WorkloadRef>(&rollout->spec.workload);
  if (!reference) return rollout;
  const auto deployment = cluster.deployments.get({rollout->meta.ns, reference->name});
  return std::make_shared<const api::Rollout>(
      api::with_deployment(*rollout, deployment ? deployment->json.get() : nullptr));
}

void Controller::State::add_owner(const api::Meta& meta) {
  for (const auto& owner : meta.owners) {
    if (owner.kind == api::kRollouts.kind) queue.add({meta.ns, owner.name});
  }
}

// Of a ReplicaSet of a Rollout that looks at its pods.
void Controller::State::add_restarting(const api::Meta& pod) {
  for (const auto& owner : pod.owners) {
    const auto set = cluster.replica_sets.get({pod.ns, owner.name});
    for (const auto& above : set ? set->meta.owners : std::vector<api::OwnerReference>()) {
      const auto rollout = cluster.rollouts.get({pod.ns, above.name});
      if (rollout && looks_at_pods(*rollout)) queue.add(rollout->meta.key());
    }
  }
}

void Controller::State::watch(const api::Resource& resource, kube::Sink& sink, std::string label_selector) {
  const kube::ListOptions options{"", std::move(label_selector), ""};
  reflectors.push_back(std::make_unique<kube::Reflector>(client, resource, options, sink, [this] {
    if (cluster.synced()) queue.start();
  }));
}

void Controller::State::start() {
  listen();
  watch(api::kRollouts, cluster.rollouts);
  watch(api::kReplicaSets, cluster.replica_sets);
  watch(api::kServices, cluster.services);
  watch(api::kEndpointSlices, cluster.slices);
  watch(api::kHttpRoutes, cluster.http_routes);
  watch(api::kAnalysisTemplates, cluster.templates);
  watch(api::kClusterAnalysisTemplates, cluster.cluster_templates);
  watch(api::kAnalysisRuns, cluster.runs);
}

RolloutPtr Controller::State::current(const api::Key& key) {
  const RolloutPtr cached = cluster.rollouts.get(key);
  const auto ours = written.find(key);
  if (ours == written.end()) return cached;
  if (cached && newer(ours->second->meta, cached->meta)) return ours->second;
  written.erase(ours);
  return cached;
}

void Controller::State::remember(Json document) {
  auto rollout = std::make_shared<const api::Rollout>(read_rollout(document));
  written[rollout->meta.key()] = std::move(rollout);
}

void Controller::State::publish(const api::Rollout& rollout, const Decision& decision) {
  for (const auto& note : decision.notes) {
    const auto type = note.warning ? kube::EventRecorder::Type::kWarning : kube::EventRecorder::Type::kNormal;
    events.record(api::kRollouts, rollout.meta, type, note.reason, note.message);
    log::info(
        "rollout",
        {{"rollout", api::to_string(rollout.meta.key())}, {"event", note.reason}, {"message", note.message}});
  }
  instruments.count(decision.notes);
  instruments.show(rollout, decision.next);
}

Task<Result<void>> Controller::State::write_status(State& state, Json document,
                                                   const api::RolloutStatus& next) {
  document["status"] = api::encode_rollout_status(next);
  auto written = co_await state.client.update_status(api::kRollouts, std::move(document));
  if (!written) co_return written.error();
  state.remember(std::move(*written));
  co_return Result<void>();
}

Task<kube::ReconcileResult> Controller::State::reconcile(State& state, api::Key key) {
  const RolloutPtr found = state.current(key);
  if (!found || (found->meta.deleted && found->meta.finalizers.empty())) {
    state.written.erase(key);
    state.instruments.forget(key);
    state.prober.forget(key);
    co_return kube::Requeue{};
  }
  if (state.deployments_watched && !state.cluster.deployments.synced()) co_return kube::Requeue{kFirstList};
  const RolloutPtr rollout = state.resolved(found);
  const TimePoint now = state.client.scheduler().clock().now();
  Observation seen = observe(*rollout, state.cluster, state.traffic, now);
  seen.samples = state.prober.samples(key);
  const Decision decision = decide(*rollout, seen);
  Json document = *rollout->json;
  for (const auto& action : decision.actions) {
    const auto done = co_await perform(state.client, state.cluster, rollout, action, document);
    if (!done) co_return context(to_string(action), done.error());
  }
  if (json::string_at(document, "metadata.deletionTimestamp") != "" &&
      json::array_at(document, "metadata.finalizers").empty()) {
    co_return kube::Requeue{};  // gone with its last finalizer
  }
  if (decision.next != rollout->status) {
    const auto done = co_await write_status(state, std::move(document), decision.next);
    if (!done) co_return done.error();
  } else if (json::string_at(document, "metadata.resourceVersion") != rollout->meta.resource_version) {
    state.remember(std::move(document));
  }
  state.publish(*rollout, decision);
  state.prober.want(owner_of(*rollout), decision.measures);
  co_await record_runs(state.client, state.cluster, rollout, decision, now);
  co_return kube::Requeue{decision.wake_after};
}

Controller::Controller(kube::Client& client, kube::EventRecorder& events,
                       const metrics::TrafficSource* traffic, prometheus::Registry* registry, Options options)
    : state_(std::make_shared<State>(client, events, traffic, registry, options)) {}

Controller::~Controller() = default;

void Controller::start() { state_->start(); }

}  // namespace tidegate::rollout
