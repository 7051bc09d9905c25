// SPDX-License-Identifier: Apache-2.0
#include "local/pod_runner.h"

#include <algorithm>

#include "local/replica_plan.h"

namespace tidegate::local {

PodRunner::PodRunner(PodHost& host, kube::Store<PodObject>& pods) : host_(host) {
  pods.on_change([this](const PodPtr& old, const PodPtr& now) { changed(old, now); });
}

PodRunner::~PodRunner() {
  for (const auto& [key, worker] : workers_) worker->abandon();
}

void PodRunner::changed(const PodPtr& old, const PodPtr& now) {
  if (old && (!now || old->meta.uid != now->meta.uid)) forget(old->meta);
  if (!now || stopping_) return;
  if (!now->pod.node.empty() && now->pod.node != host_.node_name) return;  // another node's
  if (const auto it = workers_.find(now->meta.key()); it != workers_.end()) return it->second->observe(*now);
  const bool over = now->pod.phase == "Succeeded" || now->pod.phase == "Failed";
  if (over && !now->meta.deleted) return;
  auto worker = std::make_shared<PodWorker>(host_, *now);
  workers_[now->meta.key()] = worker;
  // Deleted while we were away: its processes died with us, so it only has to be removed.
  if (now->meta.deleted) {
    worker->observe(*now);
  } else {
    worker->start();
  }
}

void PodRunner::forget(const api::Meta& meta) {
  const auto it = workers_.find(meta.key());
  if (it == workers_.end()) return;
  it->second->abandon();
  workers_.erase(it);
  host_.logs.remove(meta.ns, meta.name);
}

bool PodRunner::all_stopped() const {
  return std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& entry) { return entry.second->stopped(); });
}

Task<void> PodRunner::stop(Duration longest_grace) {
  stopping_ = true;
  for (const auto& [key, worker] : workers_) worker->shut_down(longest_grace);
  constexpr Duration kPoll = std::chrono::milliseconds(20);
  for (Duration waited{}; waited < longest_grace + std::chrono::seconds(1) && !all_stopped();
       waited += kPoll) {
    co_await net::sleep_for(host_.scheduler, kPoll);
  }
  for (const auto& [key, worker] : workers_) worker->abandon();
  workers_.clear();
}

}  // namespace tidegate::local
