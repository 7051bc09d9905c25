// SPDX-License-Identifier: Apache-2.0
// Keeps the status of one kind's objects as the translation wants it: writes only what differs, by a merge
// patch on /status that resourceVersion guards; a conflict comes again with the object as it is then. Not:
// what a status says (statuses.h). Thread: control. Owns: a work queue.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "gateway/limits.h"
#include "gateway/statuses.h"
#include "gateway/stores.h"
#include "kube/client.h"
#include "kube/workqueue.h"

namespace tidegate::gateway {

template <typename T>
class StatusWriter {
 public:
  using Status = decltype(T::status);
  using Wanted = std::map<api::Key, Status>;

  // `store` lives in `stores`.
  StatusWriter(kube::Client& client, const api::Resource& resource, std::shared_ptr<Stores> stores,
               const kube::Store<T>& store, std::string controller_name)
      : state_(std::make_shared<State>(
            State{client, resource, std::move(stores), store, std::move(controller_name), {}, {}})),
        queue_(client.io(), client.scheduler(),
               {"gateway-status-" + std::string(resource.plural), kStatusWriters},
               [state = state_](api::Key key) { return write(state, std::move(key)); }) {
    queue_.start();
  }

  // Replaces what is wanted; objects that are not in it are left alone.
  void want(Wanted wanted) {
    std::swap(state_->wanted, wanted);
    for (const auto& [key, status] : state_->wanted) {
      const auto before = wanted.find(key);
      if (before == wanted.end() || !(before->second == status)) queue_.add(key);
    }
  }
  // The same of one object; nullopt: it is left alone.
  void want(const api::Key& key, const std::optional<Status>& status) {
    if (!status) {
      state_->wanted.erase(key);
    } else if (const auto before = state_->wanted.find(key);
               before == state_->wanted.end() || !(before->second == *status)) {
      state_->wanted.insert_or_assign(key, *status);
      queue_.add(key);
    }
  }
  // The object has changed: is its status still as it should be?
  void check(const api::Key& key) { queue_.add(key); }
  // The object is gone. One made anew by that name has no status, even if the same one is wanted.
  void forget(const api::Key& key) {
    queue_.forget(key);
    state_->wanted.erase(key);
    state_->patched.erase(key);
  }

  bool settled() const {
    if (!queue_.idle()) return false;
    for (const auto& [key, status] : state_->wanted) {
      if (const auto current = state_->store.get(key); current && state_->differs(*current, status))
        return false;
    }
    return true;
  }

 private:
  struct State {
    kube::Client& client;
    api::Resource resource;
    std::shared_ptr<Stores> stores;  // keeps `store` while writes are under way
    const kube::Store<T>& store;
    std::string controller_name;
    Wanted wanted;
    std::map<api::Key, std::string> patched;  // the resourceVersion that our last write was laid over

    Status merged(const T& object, const Status& status) const {
      return merge_status(object.status, status, controller_name, client.scheduler().clock().now());
    }
    bool differs(const T& object, const Status& status) const {
      return !(merged(object, status) == object.status);
    }
  };

  static Task<kube::ReconcileResult> write(std::shared_ptr<State> state, api::Key key) {
    const auto wanted = state->wanted.find(key);
    const auto current = state->store.get(key);
    if (wanted == state->wanted.end() || !current) co_return kube::Requeue{};
    const std::string version = current->meta.resource_version;
    // Our own write is still on its way back: it will bring us here again.
    if (const auto at = state->patched.find(key); at != state->patched.end() && at->second == version)
      co_return kube::Requeue{};
    const Status merged = state->merged(*current, wanted->second);
    if (merged == current->status) co_return kube::Requeue{};

    Json patch = Json::object();
    patch["metadata"]["resourceVersion"] = version;
    patch["status"] = api::encode_status(merged);
    const std::string subresource = "status";
    auto written =
        co_await state->client.patch(state->resource, key, kube::PatchType::kMerge, patch, subresource);
    if (written) state->patched[key] = version;
    if (!written && written.error().code != ErrorCode::kNotFound) co_return written.error();
    co_return kube::Requeue{};
  }

  std::shared_ptr<State> state_;
  kube::WorkQueue queue_;
};

}  // namespace tidegate::gateway
