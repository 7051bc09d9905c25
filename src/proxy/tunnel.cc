// SPDX-License-Identifier: Apache-2.0
#include "proxy/tunnel.h"

#include "proxy/worker.h"

namespace tidegate::proxy {

TunnelChoice choose_backend(const WorkerTable& table, const routing::CompiledRule& rule) {
  const auto index = rule.pick.at(rule.sequence->next());
  if (!index) return {};
  const std::size_t slot = rule.first_slot + *index;
  const bool resolved = table.serving->compiled->slots[slot].backend != nullptr;
  return {resolved ? &table.view(rule.rule->backends[*index].backend) : nullptr,
          table.serving->series->tunnels[slot]};
}

Tunnel::Tunnel(Worker& worker, WorkerTablePtr table, TunnelChoice choice, std::unique_ptr<net::Stream> client,
               Ended ended)
    : worker_(worker),
      table_(std::move(table)),
      choice_(std::move(choice)),
      ended_(std::move(ended)),
      client_(std::move(client)),
      idle_(worker.scheduler(), [this] { finish(false); }) {}

TunnelCell& Tunnel::cell() { return choice_.series->of(worker_.index()); }

void Tunnel::start() { connect(); }

void Tunnel::connect() {
  ++attempts_;
  endpoint_ = worker_.choose(*choice_.view, endpoint_.get());
  if (!endpoint_) return fail(FailureReason::kNoEndpoints);
  ++endpoint_->active;
  net::ConnectOptions options;
  options.address = endpoint_->address;
  connecting_ = net::connect(worker_.io(), options, [self = shared_from_this()](auto backend) {
    if (self->ended_) self->connected(std::move(backend));
  });
  connect_timer_ = worker_.scheduler().after(worker_.settings().backends.connect_timeout, [this] {
    const auto fired = std::move(connect_timer_);
    connect_failed(FailureReason::kConnectTimeout);
  });
}

void Tunnel::connected(Result<std::unique_ptr<net::Stream>> backend) {
  connect_timer_.reset();
  if (!backend) return connect_failed(FailureReason::kConnectRefused);
  endpoint_->health.answered();
  choice_.view = nullptr;
  table_.reset();
  backend_ = std::move(*backend);
  cell().opened.add();
  cell().active.add();
  lifetime_ = worker_.scheduler().after(worker_.settings().tunnel_lifetime, [this] {
    const auto fired = std::move(lifetime_);
    worker_.limit_hit(Limit::kTunnelLifetime);
    finish(false);
  });
  idle_.set(worker_.settings().clients.tunnel_idle_timeout);
  begin_flow(up_, *client_, *backend_, cell().bytes_in);
  begin_flow(down_, *backend_, *client_, cell().bytes_out);
}

// Nothing was sent, so that any other endpoint will do.
void Tunnel::connect_failed(FailureReason reason) {
  --endpoint_->active;
  worker_.note_failure(*choice_.view, *endpoint_);
  if (attempts_ > kMaxRetries) return fail(reason);
  // In a turn of its own: this may be the very attempt that is calling.
  worker_.scheduler().post([self = shared_from_this(), attempt = std::move(connecting_)] {
    if (self->ended_) self->connect();
  });
}

void Tunnel::fail(FailureReason reason) {
  cell().failures[static_cast<std::size_t>(reason)].add();
  endpoint_.reset();
  finish(true);
}

void Tunnel::begin_flow(Flow& flow, net::Stream& from, net::Stream& to, Counter& bytes) {
  flow.from = &from;
  flow.to = &to;
  flow.bytes = &bytes;
  read(flow);
}

void Tunnel::read(Flow& flow) {
  flow.from->read(flow.buffer, [self = shared_from_this(), &flow](Result<std::size_t> bytes) {
    if (self->ended_) self->on_read(flow, bytes);
  });
}

void Tunnel::on_read(Flow& flow, const Result<std::size_t>& bytes) {
  if (!bytes) {
    const bool of_client = &flow == &up_;
    if (of_client && bytes.error().code == ErrorCode::kLimit) worker_.limit_hit(session::Limit::kTlsChatter);
    return finish(true);
  }
  idle_.set(worker_.settings().clients.tunnel_idle_timeout);
  if (*bytes == 0) {
    flow.ended = true;
    flow.to->shutdown_write();
    if (up_.ended && down_.ended) finish(false);
    return;
  }
  flow.bytes->add(static_cast<std::int64_t>(*bytes));
  flow.unsent = {flow.buffer.data(), *bytes};
  flow.unsent.remove_prefix(flow.to->try_write({&flow.unsent, 1}));
  if (flow.unsent.empty()) return read(flow);
  flow.to->write({&flow.unsent, 1}, [self = shared_from_this(), &flow](const Result<void>& written) {
    if (!self->ended_) return;
    if (!written) return self->finish(true);
    self->idle_.set(self->worker_.settings().clients.tunnel_idle_timeout);
    self->read(flow);
  });
}

void Tunnel::close() { finish(false); }

// `broken`: the other side is to see that, too.
void Tunnel::finish(bool broken) {
  if (!ended_) return;
  const auto self = shared_from_this();
  const auto ended = std::exchange(ended_, nullptr);
  connect_timer_.reset();
  lifetime_.reset();
  idle_.stop();
  for (auto* side : {client_.get(), backend_.get()}) {
    if (side != nullptr) broken ? side->reset() : side->close();
  }
  if (backend_) {
    --endpoint_->active;
    cell().active.add(-1);
  } else if (connecting_ && endpoint_) {
    --endpoint_->active;
  }
  if (connecting_) worker_.scheduler().post([attempt = std::move(connecting_)] {});
  ended(this);
}

}  // namespace tidegate::proxy
