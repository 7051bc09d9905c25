// SPDX-License-Identifier: Apache-2.0
#include "proxy/backends.h"

#include <algorithm>

namespace tidegate::proxy {

namespace {

// Walks the backends of a table beside those of the one before.
class Walk {
 public:
  explicit Walk(const WorkerTable* before) : before_(before), stays_(before ? before->views->size() : 0) {}

  // The view of this very backend; null: there is none, or it has moved by more than one place.
  BackendViewPtr take(const routing::Backend& backend) {
    if (before_ == nullptr) return nullptr;
    const auto is_at = [&](std::size_t place) {
      return place < stays_.size() && before_->view(place).backend == &backend;
    };
    if (is_at(next_ + 1)) ++next_;  // one has gone
    if (!is_at(next_)) {
      next_ += next_ < stays_.size() && is_successor(backend, *before_->view(next_).backend);
      return nullptr;
    }
    stays_[next_] = true;
    return (*before_->views)[next_++];
  }

  template <typename Visit>
  void each_left(Visit visit) const {
    for (std::size_t i = 0; i < stays_.size(); ++i) {
      if (!stays_[i]) visit(before_->view(i));
    }
  }

 private:
  static bool is_successor(const routing::Backend& now, const routing::Backend& before) {
    return now.port == before.port && now.name == before.name && now.ns == before.ns;
  }

  const WorkerTable* before_;
  std::vector<bool> stays_;
  std::size_t next_ = 0;
};

template <typename Visit>
void each_endpoint(const BackendView& view, Visit visit) {
  for (const auto* list : {&view.ready, &view.draining}) {
    for (const auto& endpoint : *list) visit(*endpoint);
  }
}

}  // namespace

WorkerTablePtr Backends::resolve(ServingTablePtr serving) {
  auto views = stay(*serving) ? latest_->views : make_views(*serving);
  latest_ = std::make_shared<const WorkerTable>(WorkerTable{std::move(serving), std::move(views)});
  return latest_;
}

// All of them, and what they count in.
bool Backends::stay(const ServingTable& serving) const {
  if (!latest_ || latest_->serving->series != serving.series) return false;
  const auto &now = serving.compiled->table->backends, &before = latest_->serving->compiled->table->backends;
  return std::equal(now.begin(), now.end(), before.begin(), before.end(),
                    [](const auto& a, const auto& b) { return a.get() == b.get(); });
}

std::shared_ptr<const std::vector<BackendViewPtr>> Backends::make_views(const ServingTable& serving) {
  auto out = std::make_shared<std::vector<BackendViewPtr>>();
  const auto& backends = serving.compiled->table->backends;
  out->reserve(backends.size());
  Walk walk(latest_.get());
  for (std::size_t i = 0; i < backends.size(); ++i) {
    auto view = walk.take(*backends[i]);
    if (!view) {
      view = make_view(*backends[i], serving.series->backends[i]);
      each_endpoint(*view, [](BackendEndpoint& endpoint) { ++endpoint.named; });
    }
    out->push_back(std::move(view));
  }
  walk.each_left([](const BackendView& view) {
    each_endpoint(view, [](BackendEndpoint& endpoint) {
      if (--endpoint.named == 0) endpoint.pool.close_idle();
    });
  });
  return out;
}

BackendViewPtr Backends::make_view(const routing::Backend& backend,
                                   std::shared_ptr<BackendTotalsSeries> totals) {
  auto view = std::make_shared<BackendView>();
  view->backend = &backend;
  view->session =
      routing::session_digest(backend.ns + "/" + backend.name + ":" + std::to_string(backend.port));
  view->budget = budgets_.get_or_make({backend.ns, backend.name, backend.port},
                                      [] { return std::make_shared<RetryBudget>(); });
  view->totals = std::move(totals);
  session::Endpoint wanted;
  wanted.h2 = backend.protocol == "h2c";
  if (backend.tls) {
    auto tls = context_for({*backend.tls, wanted.h2});
    if (!tls) view->fault = tls.error().detail;
    if (!tls) return view;
    wanted.tls = *std::move(tls);
    wanted.server_name = backend.tls->hostname;
  }
  for (const routing::Endpoint& e : backend.endpoints) {
    wanted.address = {e.ip, e.port};
    (e.draining ? view->draining : view->ready).push_back(endpoint(wanted));
  }
  return view;
}

Result<Backends::TlsPtr> Backends::context_for(const TlsSettings& settings) {
  const auto& tls = settings.first;
  const bool h2 = settings.second;
  if (!tls.invalid.empty()) return Error{ErrorCode::kInvalid, tls.invalid};
  Result<TlsPtr> out = TlsPtr();
  auto known = contexts_.get_or_make(settings, [&] {
    net::ClientTlsOptions options;
    options.ca_pem = tls.ca_pem;
    options.dns_names = tls.dns_names;
    options.uris = tls.uris;
    options.alpn = {h2 ? "h2" : "http/1.1"};
    if (tls.identity) options.identity = {tls.identity->certificate_pem, tls.identity->private_key_pem};
    out = net::make_client_tls(options);
    if (!out && tls.identity)
      out = context("TLS with the certificate of " + tls.identity->source, out.error());
    return out ? *out : nullptr;
  });
  return known ? Result<TlsPtr>(std::move(known)) : out;
}

BackendEndpointPtr Backends::endpoint(const session::Endpoint& wanted) {
  return endpoints_.get_or_make({wanted.address, wanted.h2, wanted.tls.get()}, [&] {
    return std::make_shared<BackendEndpoint>(io_, scheduler_, wanted, limits_);
  });
}

namespace {

constexpr int kDraws = 4;  // before the rest are looked at one by one

const std::vector<BackendEndpointPtr>& candidates_of(const BackendView& backend) {
  return backend.ready.empty() ? backend.draining : backend.ready;
}

// One at random that is not ejected and neither of the two given; null where none is left. New ones are
// passed over as often as their share asks.
const BackendEndpointPtr* draw(const std::vector<BackendEndpointPtr>& from, const BackendEndpoint* a,
                               const BackendEndpoint* b, Random& random, SteadyTime now,
                               const BalanceSettings& settings) {
  const auto fits = [&](const BackendEndpointPtr& one) {
    return one.get() != a && one.get() != b && !one->health.ejected(now);
  };
  for (int i = 0; i < kDraws; ++i) {
    const BackendEndpointPtr& one = from[random.below(from.size())];
    if (fits(one) && random.chance(one->health.share(now, settings))) return &one;
  }
  const std::size_t start = random.below(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    const BackendEndpointPtr& one = from[(start + i) % from.size()];
    if (fits(one)) return &one;
  }
  return nullptr;
}

}  // namespace

BackendEndpointPtr choose_endpoint(const BackendView& backend, const BackendEndpoint* avoid, Random& random,
                                   SteadyTime now, const BalanceSettings& settings) {
  const auto& candidates = candidates_of(backend);
  if (candidates.empty()) return nullptr;
  if (candidates.size() == 1) return candidates.front();
  const auto* first = draw(candidates, avoid, nullptr, random, now, settings);
  if (first == nullptr) {
    const auto& any = candidates[random.below(candidates.size())];
    return any.get() != avoid ? any : candidates[any == candidates.front() ? 1 : 0];
  }
  const auto* second = draw(candidates, avoid, first->get(), random, now, settings);
  return second != nullptr && (*second)->active < (*first)->active ? *second : *first;
}

BackendEndpointPtr find_endpoint(const BackendView& backend, std::uint64_t session, SteadyTime now) {
  const auto found = std::find_if(backend.ready.begin(), backend.ready.end(), [&](const auto& one) {
    return one->session == session && !one->health.ejected(now);
  });
  return found != backend.ready.end() ? *found : nullptr;
}

bool note_failure(const BackendView& backend, BackendEndpoint& endpoint, SteadyTime now,
                  const BalanceSettings& settings) {
  if (!endpoint.health.failed(now, settings)) return false;
  const auto& all = candidates_of(backend);
  if (all.size() < 2) return false;
  const auto ejected = static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [now](const auto& one) { return one->health.ejected(now); }));
  const std::size_t share = all.size() * static_cast<std::size_t>(settings.max_ejected_percent) / 100;
  if (ejected >= std::clamp<std::size_t>(share, 1, all.size() - 1)) return false;
  endpoint.health.eject(now, settings);
  return true;
}

}  // namespace tidegate::proxy
