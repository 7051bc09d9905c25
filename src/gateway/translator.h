// SPDX-License-Identifier: Apache-2.0
// translate() for a state that changes bit by bit: what it gives is what translate() gives for the state as
// it is now, but a change to a route, a Service, an EndpointSlice or to what the proxies serve costs what it
// concerns. Where a change goes further (a route comes, goes or attaches elsewhere, a backend is first or no
// longer named, a Gateway or policy or what they name, a grant) everything is translated anew. Thread: one,
// its owner's; pure but for its own state. Owns: the state, the last translation and what it was made of.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gateway/translate.h"

namespace tidegate::gateway {

class Translator {
 public:
  explicit Translator(TranslateOptions options, ClusterState state = {})
      : options_(std::move(options)), state_(std::move(state)) {}
  Translator(const Translator&) = delete;
  Translator& operator=(const Translator&) = delete;

  // The object is this one from now on; null: it is gone. True: that may change the translation.
  template <typename T>
  bool put(Snapshots<T> ClusterState::*kind, const api::Key& key, const std::shared_ptr<const T>& now) {
    auto& place = (state_.*kind)[key];
    const auto old = std::exchange(place, now);
    if (!now) (state_.*kind).erase(key);
    if (!old && !now) return false;
    if constexpr (requires { now->status; }) {
      if (old && now && old->meta.uid == now->meta.uid && old->meta.generation == now->meta.generation)
        return note_status(*old, *now);
    }
    return note(key, old, now);
  }

  // All proxies serve this table. `failed`: as of served_by().
  void serve(routing::TablePtr table, const std::vector<std::pair<std::string, std::string>>& failed);

  // What a run changed.
  struct Changes {
    bool everything = false;  // or anything of it
    bool table = false, problems = false;
    std::set<std::pair<const api::Resource*, api::Key>> routes;  // that may have another status
  };
  Changes run();

  const Translation& latest() const { return latest_; }
  const ClusterState& state() const { return state_; }

 private:
  using RouteId = std::pair<const api::Resource*, api::Key>;

  // Written statuses come back as changes. True as of put().
  template <typename T>
  bool note_status(const T& /*old*/, const T& /*now*/) {
    return false;
  }
  bool note_status(const api::Gateway& old, const api::Gateway& now);
  bool note_status(const api::Route& old, const api::Route& now);
  // True as of put(). What is not told apart leads to a translation from nothing.
  template <typename T>
  using Snapshot = std::shared_ptr<const T>;
  template <typename T>
  bool note(const api::Key& /*key*/, const Snapshot<T>& /*old*/, const Snapshot<T>& /*now*/) {
    return everything_ = true;
  }
  bool note(const api::Key& key, const Snapshot<api::Route>& old, const Snapshot<api::Route>& now);
  bool note(const api::Key& key, const Snapshot<api::Service>& old, const Snapshot<api::Service>& now);
  bool note(const api::Key& key, const Snapshot<api::EndpointSlice>& old,
            const Snapshot<api::EndpointSlice>& now);
  bool note(const api::Key& key, const Snapshot<api::Secret>& old, const Snapshot<api::Secret>& now);
  bool note(const api::Key& key, const Snapshot<api::ConfigMap>& old, const Snapshot<api::ConfigMap>& now);
  bool note(const api::Key& key, const Snapshot<api::Namespace>& old, const Snapshot<api::Namespace>& now);
  void translate_all();
  // False: there is more to it; what was done until then does not matter, as everything is translated anew.
  bool go_on();
  bool change_backends(const api::Key& service);
  bool change_route(const RouteId& id);
  bool place(const RouteNode& route, const std::vector<routing::Rule>& rules);
  void put_rule(const ListenerNode& listener, std::size_t index, const routing::Rule& rule);
  bool count_uses(const RouteNode& old, const RouteNode& now);
  void tell_status(const RouteId& id);

  TranslateOptions options_;
  ClusterState state_;
  Workings workings_;
  std::map<RouteId, std::size_t> index_;  // in Graph::routes
  std::vector<std::size_t> uses_;         // of a backend: by so many routes
  Translation latest_;
  routing::TablePtr served_;
  std::vector<std::pair<std::string, std::string>> failed_;

  // Since the last run.
  bool everything_ = true;
  std::set<RouteId> routes_, told_;          // that changed; that proxies serve otherwise
  std::set<api::Key> services_, endpoints_;  // Services that changed; those with other slices
  Changes changes_;
};

}  // namespace tidegate::gateway
