// SPDX-License-Identifier: Apache-2.0
#include "proxy/worker.h"

#include <algorithm>
#include <random>

namespace tidegate::proxy {
namespace {

std::uint64_t seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

// Of HTTPS, or of TLS that ends here and carries something else.
std::vector<net::NamedIdentity> identities_of(const routing::CompiledPort& port, routing::Protocol protocol) {
  std::vector<net::NamedIdentity> out;
  for (const auto* compiled : port.all) {
    const routing::Listener& l = *compiled->listener;
    if (l.protocol != protocol || l.certificate_pem.empty()) continue;
    auto& identity = out.emplace_back(net::NamedIdentity{l.hostname, {l.certificate_pem, l.private_key_pem}});
    if (!l.clients) continue;
    identity.client_ca_pem = l.clients->ca_pem;
    identity.clients_may_go_without = l.clients->insecure_fallback;
  }
  return out;
}

}  // namespace

Worker::Worker(net::EventLoop& loop, LimitCell& limits, Options options)
    : loop_(loop),
      limits_(limits),
      options_(std::move(options)),
      random_(seed()),
      backends_(loop.io(), loop.scheduler(), options_.settings.backends) {}

Worker::~Worker() {
  exchanges_.clear();
  clear();
}

Worker::Failures Worker::take(ServingTablePtr serving, const std::set<SocketAddress>& refused) {
  Failures failures;
  if (drained_) return failures;
  table_ = backends_.resolve(std::move(serving));
  const auto& compiled = *table_->serving->compiled;
  std::map<net::Address, std::shared_ptr<Port>> next;
  std::map<net::Address, std::unique_ptr<UdpPort>> next_udp;
  const auto take_port = [&](auto kept, const routing::CompiledPort& port, auto& into) {
    if (!kept) return;
    kept->use(table_, port, table_->serving->series->listeners[port.all.front()->index]->of(index()));
    into.emplace(net::Address{port.address, port.port}, std::move(kept));
  };
  for (const routing::CompiledPort& port : compiled.ports) {
    if (refused.contains(socket_address(port))) continue;
    if (port.udp) {
      take_port(udp_port_for(port, failures), port, next_udp);
    } else {
      take_port(port_for(port, failures), port, next);
    }
  }
  udp_ports_.swap(next_udp);
  ports_.swap(next);
  for (auto& [address, port] : next) {
    if (ports_.contains(address)) continue;
    port->drain();
    leaving_.push_back(std::move(port));
  }
  std::erase_if(leaving_, [](const auto& port) { return port->connections() == 0; });
  return failures;
}

// The port that is open already, or a new one; null with a failure.
std::shared_ptr<Port> Worker::port_for(const routing::CompiledPort& port, Failures& failures) {
  const net::Address address{port.address, port.port};
  const auto open = ports_.find(address);
  auto out =
      open != ports_.end() ? open->second : std::make_shared<Port>(*this, address, options_.settings.clients);
  auto done = out->use_identities(identities_of(port, routing::Protocol::kHttp),
                                  identities_of(port, routing::Protocol::kTls));
  if (done && open == ports_.end()) done = out->open(options_.reuse_port);
  if (done) return out;
  failures.emplace_back(net::to_string(address), done.error());
  return open != ports_.end() ? out : nullptr;  // an open one goes on with what it has, if it may
}

std::unique_ptr<UdpPort> Worker::udp_port_for(const routing::CompiledPort& port, Failures& failures) {
  const net::Address address{port.address, port.port};
  if (const auto open = udp_ports_.find(address); open != udp_ports_.end()) return std::move(open->second);
  auto out = std::make_unique<UdpPort>(*this, address);
  const auto done = out->open(options_.reuse_port);
  if (done) return out;
  failures.emplace_back(to_string(socket_address(port)), done.error());
  return nullptr;
}

void Worker::note_failure(const BackendView& view, BackendEndpoint& endpoint) {
  if (proxy::note_failure(view, endpoint, now(), options_.settings.balance))
    view.totals->of(index()).ejections.add();
}

void Worker::start_exchange(WorkerTablePtr table, const routing::CompiledPort& port, http::RequestHead& head,
                            bool expects_continue, std::shared_ptr<session::ServerStream> stream) {
  auto& exchange = exchanges_.emplace_back(
      std::make_unique<Exchange>(*this, std::move(table), port, head, expects_continue, std::move(stream)));
  exchange->place = exchanges_.size() - 1;
  sweep_later();
  exchange->run();
}

void Worker::retire(Exchange& exchange) {
  const std::size_t place = exchange.place;
  retired_.push_back(std::move(exchanges_[place]));
  exchanges_[place] = std::move(exchanges_.back());
  exchanges_.pop_back();
  if (place < exchanges_.size()) exchanges_[place]->place = place;
  clear_later();
}

void Worker::retire(std::unique_ptr<session::ClientStream> stream) {
  retired_streams_.push_back(std::move(stream));
  clear_later();
}

void Worker::clear_later() {
  if (std::exchange(clearing_, true)) return;
  loop_.scheduler().post([this] {
    clearing_ = false;
    clear();
    finish_drain();
  });
}

// Streams first: their events point into exchanges.
void Worker::clear() {
  retired_streams_.clear();
  retired_.clear();
}

std::shared_ptr<MirrorRequest> Worker::start_mirror(const BackendView& backend, const http::RequestHead& head,
                                                    bool end) {
  auto endpoint = choose(backend, nullptr);
  if (!endpoint) return nullptr;
  if (mirrors_.size() >= kMaxMirrors) return limit_hit(Limit::kMirrors), nullptr;
  mirrors_.push_back(std::make_shared<MirrorRequest>(std::move(endpoint), head, end, now() + kMirrorTimeout));
  sweep_later();
  return mirrors_.back();
}

void Worker::sweep_later() {
  if (!sweep_timer_) sweep_timer_ = loop_.scheduler().after(kSweepInterval, [this] { sweep(); });
}

void Worker::sweep() {
  const auto expired = std::move(sweep_timer_);
  const SteadyTime at = now();
  // Backwards: an exchange that retires leaves its place to the last one, which has been seen.
  for (std::size_t i = exchanges_.size(); i-- > 0;) exchanges_[i]->check_deadlines(at);
  std::erase_if(mirrors_, [at](const auto& mirror) { return mirror->done(at); });
  if (!exchanges_.empty() || !mirrors_.empty()) sweep_later();
}

std::unique_ptr<AccessRecord> Worker::begin_record(const http::RequestHead& head, const std::string& client) {
  if (!options_.access_log || ++unlogged_ < options_.access_log_sample) return nullptr;
  unlogged_ = 0;
  auto record = std::make_unique<AccessRecord>();
  record->time = loop_.scheduler().clock().now();
  record->client = client;
  record->method = head.method;
  record->host = head.authority;
  record->target = head.target;
  return record;
}

void Worker::add_record(AccessRecord record) {
  records_.push_back(std::move(record));
  if (records_.size() >= kAccessLogBatch) return flush_records();
  if (!record_timer_) {
    record_timer_ = loop_.scheduler().after(kAccessLogDelay, [this] {
      const auto expired = std::move(record_timer_);
      flush_records();
    });
  }
}

void Worker::flush_records() {
  record_timer_.reset();
  if (records_.empty()) return;
  if (!options_.access_log->write(std::exchange(records_, {}))) limit_hit(Limit::kAccessLog);
}

void Worker::connection_closed() {
  if (drained_) clear_later();
}

bool Worker::quiet() const {
  const auto idle = [](const auto& port) { return port->connections() == 0; };
  return exchanges_.empty() && std::all_of(leaving_.begin(), leaving_.end(), idle) &&
         std::all_of(ports_.begin(), ports_.end(), [&](const auto& entry) { return idle(entry.second); });
}

void Worker::drain(Duration timeout, std::function<void()> drained) {
  drained_ = std::move(drained);
  udp_ports_.clear();
  for (auto& [_, port] : ports_) port->drain();
  drain_timer_ = loop_.scheduler().after(timeout, [this] {
    for (auto& [_, port] : ports_) port->close();
    for (auto& port : leaving_) port->close();
    clear_later();
  });
  clear_later();
}

void Worker::finish_drain() {
  if (!drained_ || !quiet()) return;
  flush_records();
  drain_timer_.reset();
  mirrors_.clear();
  std::exchange(drained_, [] {})();
}

}  // namespace tidegate::proxy
