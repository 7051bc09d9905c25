// SPDX-License-Identifier: Apache-2.0
#include "proxy/udp_port.h"

#include <algorithm>
#include <set>

#include "proxy/worker.h"
#include "routing/match.h"

namespace tidegate::proxy {

UdpPort::~UdpPort() {
  for (auto it = sessions_.begin(); it != sessions_.end();) it = end_session(it);
}

Result<void> UdpPort::open(bool reuse_port) {
  auto bound = net::UdpSocket::bind(
      worker_.io(), address_, reuse_port,
      [this](const Peer& client, std::string_view datagram) { on_datagram(client, datagram); });
  if (!bound) return bound.error();
  socket_ = std::move(*bound);
  return {};
}

void UdpPort::use(WorkerTablePtr table, const routing::CompiledPort& port, ListenerCell& counts) {
  const bool same_endpoints = table_ && table_->views == table->views;
  table_ = std::move(table);
  port_ = &port;
  if (&counts != counts_) {
    const auto open = static_cast<std::int64_t>(sessions_.size());
    if (counts_ != nullptr) counts_->connections.add(-open);
    counts.connections.add(open);
  }
  counts_ = &counts;
  if (sessions_.empty() || same_endpoints) return;
  // An endpoint that is gone may not even refuse: its clients would wait in vain.
  std::set<const BackendEndpoint*> there;
  for (const auto& view : *table_->views) {
    for (const auto* list : {&view->ready, &view->draining}) {
      for (const auto& endpoint : *list) there.insert(endpoint.get());
    }
  }
  for (auto it = sessions_.begin(); it != sessions_.end();)
    it = there.contains(it->second.endpoint.get()) ? std::next(it) : end_session(it);
}

TunnelCell& UdpPort::cell(const Session& session) const { return session.series->of(worker_.index()); }

void UdpPort::on_datagram(const Peer& client, std::string_view datagram) {
  auto found = sessions_.find(client);
  if (found == sessions_.end()) found = begin_session(client);
  if (found == sessions_.end()) return;
  Session& session = found->second;
  session.used = worker_.now();
  if (session.socket && session.socket->send(datagram))
    cell(session).bytes_in.add(static_cast<std::int64_t>(datagram.size()));
}

void UdpPort::on_answer(const Peer& client, std::string_view datagram) {
  const auto found = sessions_.find(client);
  if (found == sessions_.end()) return;
  found->second.used = worker_.now();
  found->second.endpoint->health.answered();
  if (socket_->send_to(client, datagram))
    cell(found->second).bytes_out.add(static_cast<std::int64_t>(datagram.size()));
}

// The next datagram finds another endpoint.
void UdpPort::on_refused(const Peer& client) {
  const auto found = sessions_.find(client);
  if (found == sessions_.end()) return;
  const auto endpoint = found->second.endpoint;
  cell(found->second).failures[static_cast<std::size_t>(FailureReason::kConnectRefused)].add();
  end_session(found);
  for (const auto& view : *table_->views) {
    const auto holds = [&](const auto& list) {
      return std::find(list.begin(), list.end(), endpoint) != list.end();
    };
    if (holds(view->ready) || holds(view->draining)) worker_.note_failure(*view, *endpoint);
  }
}

UdpPort::Sessions::iterator UdpPort::begin_session(const Peer& client) {
  const auto* listener = routing::find_listener(*port_, {});
  const auto* rule = listener == nullptr ? nullptr : routing::match_tunnel(*listener, {});
  if (rule == nullptr) return counts_->refuse(Refusal::kNoRoute), sessions_.end();
  if (sessions_.size() >= kUdpSessions) return worker_.limit_hit(Limit::kUdpSessions), sessions_.end();
  const TunnelChoice choice = choose_backend(*table_, *rule);
  if (!choice.series) return counts_->refuse(Refusal::kNoRoute), sessions_.end();
  Session session;
  session.series = choice.series;
  if (choice.view == nullptr) {
    cell(session).failures[static_cast<std::size_t>(FailureReason::kNoEndpoints)].add();
  } else if (!connect(session, *choice.view, client)) {
    return sessions_.end();
  }
  counts_->connections.add();
  sweep_later();
  return sessions_.emplace(client, std::move(session)).first;
}

bool UdpPort::connect(Session& session, const BackendView& view, const Peer& client) {
  session.endpoint = worker_.choose(view, nullptr);
  auto reason = FailureReason::kNoEndpoints;
  if (session.endpoint) {
    reason = FailureReason::kConnectRefused;
    auto connected = net::UdpSocket::connect(
        worker_.io(), session.endpoint->address,
        [this, client](const Peer&, std::string_view datagram) { on_answer(client, datagram); },
        [this, client] { on_refused(client); });
    if (connected) {
      session.socket = std::move(*connected);
      ++session.endpoint->active;
      cell(session).opened.add();
      cell(session).active.add();
      return true;
    }
  }
  cell(session).failures[static_cast<std::size_t>(reason)].add();
  return false;
}

UdpPort::Sessions::iterator UdpPort::end_session(Sessions::iterator session) {
  if (session->second.endpoint) {
    --session->second.endpoint->active;
    cell(session->second).active.add(-1);
  }
  counts_->connections.add(-1);
  return sessions_.erase(session);
}

void UdpPort::sweep_later() {
  if (sweep_timer_) return;
  sweep_timer_ = worker_.scheduler().after(kUdpIdle / 4, [this] {
    const auto fired = std::move(sweep_timer_);
    const SteadyTime oldest = worker_.now() - kUdpIdle;
    for (auto it = sessions_.begin(); it != sessions_.end();)
      it = it->second.used <= oldest ? end_session(it) : std::next(it);
    if (!sessions_.empty()) sweep_later();
  });
}

}  // namespace tidegate::proxy
