// SPDX-License-Identifier: Apache-2.0
#include "analysis/prober.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/job.h"
#include "analysis/resolve.h"
#include "api/core.h"

namespace tidegate::analysis {

namespace providers = metrics::providers;

namespace {

struct Probe {
  std::optional<Sample> sample;
  std::unique_ptr<providers::Fetch::Call> call;
};

// A spec with everything in it that must never be shown.
struct Filled {
  Json spec;
  std::vector<std::string> secrets;
};

void fill(Json& value, const std::map<std::string, std::string>& args) {
  if (value.is_string()) {
    std::vector<std::string> missing;
    value = fill_in(value.get<std::string>(), args, missing);
  }
  if (!value.is_structured()) return;
  for (auto& item : value) fill(item, args);
}

Sample failed_sample(const Error& error, const std::vector<std::string>& secrets) {
  return {{}, metrics::Outcome::kError, providers::redact(error.detail, secrets)};
}

Sample sample_of(const Result<providers::Reading>& reading, const std::vector<std::string>& secrets) {
  if (!reading) return failed_sample(reading.error(), secrets);
  Sample out{reading->values, {}, {}};
  for (const auto& warning : reading->warnings)
    out.text += (out.text.empty() ? "" : "; ") + providers::redact(warning, secrets);
  return out;
}

Task<Result<api::Secret>> read_secret(kube::Client& client, api::Key key) {
  auto document = co_await client.get(api::kSecrets, key);
  if (!document) co_return context("Secret " + to_string(key), document.error());
  co_return api::decode_secret(*document);
}

// Whatever the API holds of secrets enters the spec here, at the last moment.
Task<Result<Filled>> fill_secrets(kube::Client& client, std::string ns, api::Provider provider) {
  Filled out{*provider.spec, {}};
  std::map<std::string, std::string> args;
  for (const auto& [arg, from] : provider.secrets) {
    const api::Key key{ns, from.name};
    auto secret = co_await read_secret(client, key);
    if (!secret) co_return secret.error();
    const auto value = secret->data.find(from.key);
    if (value == secret->data.end())
      co_return Error{ErrorCode::kNotFound, "Secret " + to_string(key) + " has no key " + from.key};
    args[arg] = value->second;
    out.secrets.push_back(value->second);
  }
  fill(out.spec, args);
  if (const std::string name = providers::secret_name(out.spec); !name.empty()) {
    const api::Key key{ns, name};
    auto secret = co_await read_secret(client, key);
    if (!secret) co_return secret.error();
    for (const auto& [entry, value] : secret->data) {
      out.spec["secret"][entry] = value;
      out.secrets.push_back(value);
    }
  }
  co_return out;
}

}  // namespace

struct Prober::State : std::enable_shared_from_this<State> {
  State(kube::Client& client, providers::Fetch& fetch, std::function<void(const api::Key&)> arrived)
      : client(client), fetch(fetch), arrived(std::move(arrived)) {}

  Probe* find(const api::Key& owner, const std::string& id) {
    const auto probes = of.find(owner);
    if (probes == of.end()) return nullptr;
    const auto probe = probes->second.find(id);
    return probe == probes->second.end() ? nullptr : &probe->second;
  }

  void finish(const api::Key& owner, const std::string& id, Sample sample) {
    Probe* probe = find(owner, id);
    if (!probe) return;  // nobody wants it any more
    probe->sample = std::move(sample);
    arrived(owner);
  }

  void ask(const api::Key& owner, const Measure& measure, Filled filled);
  static Task<void> begin(std::weak_ptr<State> weak, Owner owner, Measure measure);
  static Task<void> begin_job(std::weak_ptr<State> weak, Owner owner, Measure measure, Filled filled);

  kube::Client& client;
  providers::Fetch& fetch;
  std::function<void(const api::Key&)> arrived;
  std::map<api::Key, std::map<std::string, Probe>> of;
};

void Prober::State::ask(const api::Key& owner, const Measure& measure, Filled filled) {
  const auto* provider = providers::find_provider(measure.provider.kind);
  if (!provider) {
    return finish(owner, measure.id,
                  {{}, metrics::Outcome::kError, "provider " + measure.provider.kind + " is not supported"});
  }
  auto request = provider->request(filled.spec, client.scheduler().clock().now());
  if (!request) return finish(owner, measure.id, failed_sample(request.error(), filled.secrets));
  auto done = [weak = weak_from_this(), owner, id = measure.id, provider,
               filled = std::move(filled)](Result<providers::HttpAnswer> answer) {
    const auto state = weak.lock();
    if (!state) return;
    state->finish(owner, id,
                  answer ? sample_of(provider->read(filled.spec, *answer), filled.secrets)
                         : failed_sample(answer.error(), filled.secrets));
  };
  auto call = fetch.start(std::move(*request), std::move(done));
  if (Probe* probe = find(owner, measure.id)) probe->call = std::move(call);
}

Task<void> Prober::State::begin(std::weak_ptr<State> weak, Owner owner, Measure measure) {
  auto state = weak.lock();
  if (!state) co_return;
  kube::Client& client = state->client;
  state.reset();
  const std::string ns = owner.ns;
  const api::Provider provider = measure.provider;
  auto filled = co_await fill_secrets(client, ns, provider);
  state = weak.lock();
  if (!state || !state->find(owner.key(), measure.id)) co_return;
  if (!filled) {
    state->finish(owner.key(), measure.id, failed_sample(filled.error(), {}));
  } else if (measure.provider.kind == api::kJobKind) {
    net::spawn(client.io(), begin_job(weak, owner, measure, std::move(*filled)));
  } else {
    state->ask(owner.key(), measure, std::move(*filled));
  }
}

Task<void> Prober::State::begin_job(std::weak_ptr<State> weak, Owner owner, Measure measure, Filled filled) {
  auto state = weak.lock();
  if (!state) co_return;
  kube::Client& client = state->client;
  state.reset();
  const std::function<bool()> wanted = [weak, key = owner.key(), id = measure.id] {
    const auto held = weak.lock();
    return held && held->find(key, id);
  };
  const Json document = job_document(owner.ns, owner.reference, measure, filled.spec);
  auto sample = co_await run_job(client, document, wanted);
  state = weak.lock();
  if (!state) co_return;
  sample.text = providers::redact(sample.text, filled.secrets);
  state->finish(owner.key(), measure.id, std::move(sample));
}

Prober::Prober(kube::Client& client, providers::Fetch& fetch, std::function<void(const api::Key&)> arrived)
    : state_(std::make_shared<State>(client, fetch, std::move(arrived))) {}
Prober::~Prober() = default;

void Prober::want(const Owner& owner, const std::vector<Measure>& due) {
  if (due.empty()) return forget(owner.key());
  auto& probes = state_->of[owner.key()];
  std::erase_if(probes, [&](const auto& probe) {
    return std::none_of(due.begin(), due.end(),
                        [&](const Measure& measure) { return measure.id == probe.first; });
  });
  for (const auto& measure : due) {
    if (!probes.try_emplace(measure.id).second) continue;
    net::spawn(state_->client.io(), State::begin(state_, owner, measure));
  }
}

Samples Prober::samples(const api::Key& owner) const {
  Samples out;
  const auto probes = state_->of.find(owner);
  if (probes == state_->of.end()) return out;
  for (const auto& [id, probe] : probes->second) {
    if (probe.sample) out.emplace(id, *probe.sample);
  }
  return out;
}

void Prober::forget(const api::Key& owner) { state_->of.erase(owner); }

}  // namespace tidegate::analysis
