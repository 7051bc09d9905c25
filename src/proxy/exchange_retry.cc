// SPDX-License-Identifier: Apache-2.0
// Sending a request again: what is known unsent at once, what the rule's retry asks for within the backend's
// budget (GEP-1731, GEP-3388).
#include "proxy/exchange.h"
#include "proxy/worker.h"

namespace tidegate::proxy {

// A refused or timed-out connection carried nothing, and of a refused stream nothing was processed. A reused
// one that closed may have carried the request to the backend's ears, so only what may be done twice is sent
// twice (RFC 9110 section 9.2.2).
bool Exchange::may_send_again(session::StreamError error, bool unsent) const {
  using session::StreamError;
  if (!unsent || response_started_ || attempts_ > kMaxRetries || !replayable_) return false;
  if (error == StreamError::kOverflow) return false;
  return carried_nothing(error) || idempotent_;
}

bool Exchange::carried_nothing(session::StreamError error) {
  using session::StreamError;
  return error == StreamError::kConnectRefused || error == StreamError::kConnectTimeout ||
         error == StreamError::kTls || error == StreamError::kRefused;
}

bool Exchange::retries_code(int status) const {
  if (matched_.match == nullptr || !rule().rule->retry) return false;
  const auto& codes = rule().rule->retry->codes;
  return std::find(codes.begin(), codes.end(), status) != codes.end();
}

// An answer with a code that the rule names says that the request may come again. Where the connection failed
// nobody said so: what may not be done twice is not.
bool Exchange::retries_error(session::StreamError error) const {
  using session::StreamError;
  if (matched_.match == nullptr || !rule().rule->retry) return false;
  if (error == StreamError::kOverflow || error == StreamError::kCancelled ||
      error == StreamError::kUnsupported)
    return false;
  return carried_nothing(error) || idempotent_;
}

// Asked last: a yes is counted against the budget.
bool Exchange::take_retry() {
  if (response_started_ || !replayable_ || retries_ >= rule().rule->retry->attempts) return false;
  if (!view_->budget->take(worker_.now(), worker_.settings().retry)) {
    totals().retries_over_budget.add();
    return false;
  }
  ++retries_;
  totals().retries.add();
  return true;
}

// What the client still sends is held meanwhile; it has been told to stop.
void Exchange::retry_later() {
  discarding_ = false;
  release_endpoint();
  attempt_deadline_ = SteadyTime::max();
  client_->pause();
  // Each wait is twice the last one: the rule's is the least.
  const Duration wait = rule().rule->retry->backoff * (1 << std::min(retries_ - 1, kMaxBackoffDoublings));
  retry_timer_ = worker_.scheduler().after(wait, [this] {
    const auto expired = std::move(retry_timer_);
    if (finished_) return;
    if (!pick_endpoint()) return;
    forward();
    client_->resume();
  });
}

}  // namespace tidegate::proxy
