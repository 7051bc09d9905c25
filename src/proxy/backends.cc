// SPDX-License-Identifier: Apache-2.0
#include "proxy/backends.h"

#include <algorithm>

namespace tidegate::proxy {

WorkerTablePtr Backends::resolve(ServingTablePtr serving) {
  ++round_;
  auto out = std::make_shared<WorkerTable>();
  const auto& backends = serving->compiled->table->backends;
  out->backends.reserve(backends.size());
  std::map<BackendKey, std::shared_ptr<RetryBudget>> budgets;
  Contexts contexts;
  for (const routing::Backend& backend : backends) {
    BackendView& view = out->backends.emplace_back();
    view.backend = &backend;
    view.session =
        routing::session_digest(backend.ns + "/" + backend.name + ":" + std::to_string(backend.port));
    const BackendKey key{backend.ns, backend.name, backend.port};
    auto& budget = budgets[key];  // one, however many identities the backend is shown
    const auto known = budgets_.find(key);
    if (!budget) budget = known != budgets_.end() ? known->second : std::make_shared<RetryBudget>();
    view.budget = budget;
    session::Endpoint wanted;
    wanted.h2 = backend.protocol == "h2c";
    if (backend.tls) {
      const auto& tls = context_for({*backend.tls, wanted.h2}, contexts);
      if (!tls) view.fault = tls.error().detail;
      if (!tls) continue;
      wanted.tls = *tls;
      wanted.server_name = backend.tls->hostname;
    }
    for (const routing::Endpoint& e : backend.endpoints) {
      wanted.address = {e.ip, e.port};
      (e.draining ? view.draining : view.ready).push_back(endpoint(wanted));
    }
  }
  for (auto it = known_.begin(); it != known_.end();) {
    const auto held = it->second.endpoint.lock();
    if (held && it->second.seen != round_) held->pool.close_idle();
    it = held ? std::next(it) : known_.erase(it);
  }
  budgets_ = std::move(budgets);
  contexts_ = std::move(contexts);
  out->serving = std::move(serving);
  return out;
}

const Result<Backends::TlsPtr>& Backends::context_for(const TlsSettings& settings, Contexts& used) {
  if (const auto found = used.find(settings); found != used.end()) return found->second;
  if (auto kept = contexts_.extract(settings)) return used.insert(std::move(kept)).position->second;
  const auto& [tls, h2] = settings;
  if (!tls.invalid.empty())
    return used.emplace(settings, Error{ErrorCode::kInvalid, tls.invalid}).first->second;
  net::ClientTlsOptions options;
  options.ca_pem = tls.ca_pem;
  options.dns_names = tls.dns_names;
  options.uris = tls.uris;
  options.alpn = {h2 ? "h2" : "http/1.1"};
  if (tls.identity) options.identity = {tls.identity->certificate_pem, tls.identity->private_key_pem};
  auto made = net::make_client_tls(options);
  if (!made && tls.identity)
    made = context("TLS with the certificate of " + tls.identity->source, made.error());
  return used.emplace(settings, std::move(made)).first->second;
}

BackendEndpointPtr Backends::endpoint(const session::Endpoint& wanted) {
  Known& known = known_[{wanted.address, wanted.h2, wanted.tls.get()}];
  known.seen = round_;
  if (auto held = known.endpoint.lock()) return held;
  auto made = std::make_shared<BackendEndpoint>(io_, scheduler_, wanted, limits_);
  known.endpoint = made;
  return made;
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
