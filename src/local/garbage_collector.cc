// SPDX-License-Identifier: Apache-2.0
#include "local/garbage_collector.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "local/api_calls.h"

namespace tidegate::local {
namespace {

constexpr Duration kRefreshDelay = std::chrono::milliseconds(200);  // several CRDs often come at once
constexpr Duration kRefreshRetry = std::chrono::seconds(2);
constexpr Duration kUnknownKindRetry = std::chrono::seconds(30);

api::Key key_of(const api::Resource& resource, const std::string& ns, const std::string& name) {
  return {resource.namespaced ? ns : std::string(), name};
}

// Gone or changed under us: the watch will tell.
bool is_settled(const Error& error) {
  return error.code == ErrorCode::kNotFound || error.code == ErrorCode::kConflict;
}

}  // namespace

std::shared_ptr<GarbageCollector> GarbageCollector::make(asio::io_context& io, Scheduler& scheduler,
                                                         kube::Client& client,
                                                         std::shared_ptr<ResourceCatalog> catalog) {
  std::shared_ptr<GarbageCollector> self(new GarbageCollector(io, scheduler, client, std::move(catalog)));
  kube::WorkQueue::Options options;
  options.controller = "garbage-collector";
  self->queue_ = std::make_unique<kube::WorkQueue>(io, scheduler, options, [raw = self.get()](api::Key uid) {
    return reconcile(raw->shared_from_this(), std::move(uid));
  });
  return self;
}

void GarbageCollector::start() {
  queue_->start();
  refresh_soon();
}

void GarbageCollector::stop() {
  stopped_ = true;
  refresh_timer_.reset();
  queue_.reset();
  watched_.clear();
}

void GarbageCollector::refresh_soon() {
  if (stopped_) return;
  if (refreshing_) {
    refresh_again_ = true;
    return;
  }
  if (refresh_timer_) return;
  refresh_timer_ = scheduler_.after(watched_.empty() ? Duration(0) : kRefreshDelay, [this] {
    refreshing_ = true;
    net::spawn(io_, refresh_kinds(shared_from_this()));
  });
}

Task<void> GarbageCollector::refresh_kinds(std::shared_ptr<GarbageCollector> self) {
  auto refreshed = co_await ResourceCatalog::refresh(self->catalog_, self->client_);
  while (!refreshed && !self->stopped_) {
    log::warning("the API server's kinds are not known", {{"error", refreshed.error().detail}});
    co_await net::sleep_for(self->scheduler_, kRefreshRetry);
    if (self->stopped_) co_return;
    refreshed = co_await ResourceCatalog::refresh(self->catalog_, self->client_);
  }
  if (self->stopped_) co_return;
  self->watch_kinds();
  self->refreshing_ = false;
  self->refresh_timer_.reset();
  if (std::exchange(self->refresh_again_, false)) self->refresh_soon();
}

void GarbageCollector::watch_kinds() {
  const auto& kinds = catalog_->all();
  for (auto it = watched_.begin(); it != watched_.end();) {
    const bool served =
        std::any_of(kinds.begin(), kinds.end(), [&](const auto& kind) { return kind.path() == it->first; });
    it = served ? std::next(it) : watched_.erase(it);
  }
  for (const auto& resource : kinds) {
    auto [it, added] = watched_.try_emplace(resource.path());
    if (!added) continue;
    Watched& watched = it->second;
    watched.store = std::make_unique<kube::Store<MetaObject>>(
        [](const Json& json) { return MetaObject{api::decode_meta(json)}; });
    watched.store->on_change(
        [this, resource](const auto& old, const auto& now) { changed(resource, old.get(), now.get()); });
    watched.reflector =
        std::make_unique<kube::Reflector>(client_, resource, kube::ListOptions{}, *watched.store);
  }
}

void GarbageCollector::changed(const api::Resource& resource, const MetaObject* old, const MetaObject* now) {
  if (stopped_) return;
  if (resource.plural == "customresourcedefinitions") refresh_soon();
  if (old && (!now || old->meta.uid != now->meta.uid)) {
    graph_.remove(old->meta.uid);
    enqueue(old->meta.uid);
    for (const auto& owner : old->meta.owners) enqueue(owner.uid);  // one that waits for its dependents
  }
  if (!now) return;
  graph_.put({resource, now->meta});
  if (!now->meta.owners.empty() || now->meta.deleted) enqueue(now->meta.uid);
}

void GarbageCollector::enqueue(const std::string& uid) {
  if (queue_) queue_->add({"", uid});
}

Task<kube::ReconcileResult> GarbageCollector::reconcile(std::shared_ptr<GarbageCollector> self,
                                                        api::Key key) {
  const std::string uid = key.name;
  const Collection plan = plan_collection(self->graph_, uid);
  Result<void> done;
  switch (plan.kind) {
    case Collection::Kind::kNothing:
      break;
    case Collection::Kind::kTellDependents:
      for (const auto& dependent : plan.uids) self->enqueue(dependent);
      break;
    case Collection::Kind::kDelete: {
      const GraphNode* node = self->graph_.find(uid);
      const std::string ns = node ? node->meta.ns : std::string();
      for (const auto& owner : plan.unknown) {
        const auto found = co_await exists(self, owner, ns);
        if (!found) co_return found.error();
        if (*found)
          co_return kube::Requeue{self->catalog_->find(owner.api_version, owner.kind)
                                      ? std::nullopt
                                      : std::optional(kUnknownKindRetry)};
      }
      done = co_await remove(self, uid);
      break;
    }
    case Collection::Kind::kDeleteDependents:
      for (const auto& dependent : plan.uids) {
        done = co_await remove(self, dependent);
        if (!done) break;
      }
      break;
    case Collection::Kind::kReleaseForeground: {
      const std::string finalizer(kForegroundFinalizer);
      done = co_await release(self, uid, finalizer);
      break;
    }
    case Collection::Kind::kOrphan: {
      for (const auto& dependent : plan.uids) {
        done = co_await disown(self, dependent, uid);
        if (!done) co_return done.error();
      }
      const std::string finalizer(kOrphanFinalizer);
      done = co_await release(self, uid, finalizer);
      break;
    }
  }
  if (!done) co_return done.error();
  co_return kube::Requeue{};
}

// Asked of the API server itself: our watches may be behind, and a wrong "no" would delete what is wanted.
Task<Result<bool>> GarbageCollector::exists(std::shared_ptr<GarbageCollector> self, api::OwnerReference owner,
                                            std::string ns) {
  const api::Resource* known = self->catalog_->find(owner.api_version, owner.kind);
  if (!known) co_return true;
  const api::Resource resource = *known;
  const api::Key key = key_of(resource, ns, owner.name);
  const auto got = co_await self->client_.get(resource, key);
  if (got) co_return json::string_at(*got, "metadata.uid") == owner.uid;
  if (got.error().code == ErrorCode::kNotFound) co_return false;
  co_return got.error();
}

Task<Result<void>> GarbageCollector::remove(std::shared_ptr<GarbageCollector> self, std::string uid) {
  const GraphNode* node = self->graph_.find(uid);
  if (!node || node->meta.deleted) co_return Result<void>();
  const api::Resource resource = node->resource;
  const api::Key key = node->meta.key();
  DeleteOptions options;
  options.uid = uid;
  const auto removed = co_await remove_with(self->client_, resource, key, options);
  if (!removed && !is_settled(removed.error())) co_return removed.error();
  co_return Result<void>();
}

Task<Result<void>> GarbageCollector::release(std::shared_ptr<GarbageCollector> self, std::string uid,
                                             std::string finalizer) {
  const GraphNode* node = self->graph_.find(uid);
  if (!node) co_return Result<void>();
  Json left = Json::array();
  for (const auto& one : node->meta.finalizers) {
    if (one != finalizer) left.push_back(one);
  }
  const api::Resource resource = node->resource;
  const api::Key key = node->meta.key();
  Json patch = {
      {"metadata", {{"uid", uid}, {"resourceVersion", node->meta.resource_version}, {"finalizers", left}}}};
  const auto patched = co_await self->client_.patch(resource, key, kube::PatchType::kMerge, std::move(patch));
  if (!patched && !is_settled(patched.error())) co_return patched.error();
  co_return Result<void>();
}

Task<Result<void>> GarbageCollector::disown(std::shared_ptr<GarbageCollector> self, std::string uid,
                                            std::string owner) {
  const GraphNode* node = self->graph_.find(uid);
  if (!node) co_return Result<void>();
  const api::Resource resource = node->resource;
  const api::Key key = node->meta.key();
  auto current = co_await self->client_.get(resource, key);
  if (!current && current.error().code == ErrorCode::kNotFound) co_return Result<void>();
  if (!current) co_return current.error();
  Json left = Json::array();
  for (const auto& one : json::array_at(*current, "metadata.ownerReferences")) {
    if (json::string_at(one, "uid") != owner) left.push_back(one);
  }
  const std::string version = json::string_at(*current, "metadata.resourceVersion");
  Json patch = {{"metadata", {{"uid", uid}, {"resourceVersion", version}, {"ownerReferences", left}}}};
  const auto patched = co_await self->client_.patch(resource, key, kube::PatchType::kMerge, std::move(patch));
  if (!patched && patched.error().code != ErrorCode::kNotFound) co_return patched.error();
  co_return Result<void>();
}

}  // namespace tidegate::local
