// SPDX-License-Identifier: Apache-2.0
#include "kube/call.h"

#include "base/log.h"
#include "base/text.h"
#include "kube/backoff.h"
#include "kube/credentials.h"
#include "kube/limits.h"
#include "kube/status.h"

namespace tidegate::kube {

namespace {

struct Outcome {
  Result<std::string> body;
  bool retry = false;
  std::optional<Duration> retry_after = {};
};

bool succeeded(int status) { return status >= 200 && status < 300; }

Outcome judge(const Call& call, Result<session::ClientResponse> answer) {
  const bool reads = call.method == "GET";
  if (!answer) {
    const bool away = answer.error().code == ErrorCode::kUnavailable;
    return {context(call.what, std::move(answer).error()), reads && away};
  }
  if (succeeded(answer->status)) return {std::move(answer->body)};
  auto refusal = read_refusal(answer->status, answer->headers, answer->body);
  // 429 says that the server did nothing, so that writes may come again too, if it tells when.
  const bool asked = answer->status == 429 && refusal.retry_after;
  const bool away = refusal.error.code == ErrorCode::kUnavailable;
  const bool soon = refusal.retry_after.value_or(Duration(0)) <= kMaxRetryAfter;
  return {context(call.what, std::move(refusal.error)), soon && (asked || (reads && away)),
          refusal.retry_after};
}

}  // namespace

Caller::Caller(asio::io_context& io, Scheduler& scheduler, ClientConfig config)
    : io_(io),
      scheduler_(scheduler),
      config_(std::move(config)),
      random_(config_.seed ? config_.seed : std::random_device{}()),
      token_(config_.bearer_token) {
  session::Endpoint endpoint{config_.address, config_.tls, config_.server_name};
  http_ = std::make_unique<session::HttpClient>(io_, scheduler_, std::move(endpoint), config_.authority,
                                                kMaxPageBytes);
}

void Caller::close() { http_.reset(); }

Task<Result<std::string>> Caller::send(std::shared_ptr<Caller> self, Call call) {
  Backoff backoff(kRetryMin, kRetryMax, self->random());
  for (int retries = 0; self->http_; ++retries) {
    auto request = self->make_request(call);
    auto answer = co_await self->http_->send(std::move(request));
    auto outcome = judge(call, std::move(answer));
    if (outcome.body || !outcome.retry || retries == kRetries) co_return std::move(outcome.body);
    const Duration delay = outcome.retry_after.value_or(backoff.next());
    co_await net::sleep_for(self->scheduler_, delay);
  }
  co_return Error{ErrorCode::kCancelled, call.what + ": the client was closed"};
}

std::unique_ptr<session::HttpClient::Handle> Caller::stream(std::string target,
                                                            session::HttpClient::StreamCallbacks callbacks) {
  if (!http_) return nullptr;
  Call call;
  call.target = std::move(target);
  return http_->stream(make_request(call), std::move(callbacks));
}

session::ClientRequest Caller::make_request(const Call& call) {
  session::ClientRequest request;
  request.method = call.method;
  request.target = config_.path_prefix + call.target;
  request.content_type = call.content_type;
  request.body = call.body;
  request.headers.set("Accept", "application/json");
  request.headers.set("User-Agent", config_.user_agent);
  if (const auto& bearer = token(); !bearer.empty()) request.headers.set("Authorization", "Bearer " + bearer);
  return request;
}

const std::string& Caller::token() {
  if (config_.bearer_token_file.empty()) return token_;
  const SteadyTime now = scheduler_.clock().steady_now();
  if (token_read_ != SteadyTime{} && now - token_read_ < kTokenAge) return token_;
  token_read_ = now;
  if (auto text = read_credential(config_.bearer_token_file)) {
    token_ = text::trim(*text);
  } else {
    log::warning("token file can't be read; going on with the last token", {{"error", text.error().detail}});
  }
  return token_;
}

}  // namespace tidegate::kube
