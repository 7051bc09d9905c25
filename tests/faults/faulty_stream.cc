// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/faulty_stream.h"

namespace tidegate::test {

FaultyStream::FaultyStream(FaultyServer& server, std::shared_ptr<session::ServerStream> to, Fault fault,
                           bool watch, std::string key, std::string agent, std::ptrdiff_t write)
    : server_(server),
      to_(std::move(to)),
      fault_(fault),
      watch_(watch),
      key_(std::move(key)),
      agent_(std::move(agent)),
      write_(write) {}

void FaultyStream::set_events(session::ServerStreamEvents* events) {
  events_ = events;
  to_->set_events(events);
}

void FaultyStream::send_head(const http::ResponseHead& head, bool end) {
  streaming_ = watch_ && head.status == 200;
  if (streaming_) return to_->send_head(head, end);
  if (write_ >= 0 && write_ < std::ssize(server_.writes_))
    server_.writes_[static_cast<std::size_t>(write_)].status = head.status;
  head_ = head;
  if (end) finish();
}

void FaultyStream::send_data(std::string_view data) {
  if (!streaming_) {
    body_ += data;
    return;
  }
  if (cut_) return;
  const std::string line(data);
  const Fault fault =
      server_.at_random("event " + key_, {Fault::kLoseEvent, Fault::kDelayEvents, Fault::kDuplicateEvent});
  if (fault == Fault::kLoseEvent) return cut();
  const bool frozen = server_.frozen_.contains(agent_);
  if (fault == Fault::kDelayEvents && !holding_) {
    server_.later([self = shared_from_this()] {
      self->holding_ = false;
      self->flush();
    });
  }
  holding_ = holding_ || fault == Fault::kDelayEvents;
  for (int i = 0; i < (fault == Fault::kDuplicateEvent ? 2 : 1); ++i) {
    if (holding_ || frozen)
      held_.push_back(line);
    else
      to_->send_data(line);
  }
}

void FaultyStream::flush() {
  if (cut_ || holding_ || server_.frozen_.contains(agent_)) return;
  for (; !held_.empty(); held_.pop_front()) to_->send_data(held_.front());
  if (ended_) to_->send_end();
}

void FaultyStream::send_end(const http::Headers&) {
  if (!streaming_) return finish();
  ended_ = true;
  flush();
}

void FaultyStream::finish() {
  switch (fault_) {
    case Fault::kDropAfter:
      return to_->reset();
    case Fault::kConflictAfter:
    case Fault::kInternalAfter:
      body_.clear();
      head_ = refusal_head(fault_, body_);
      return forward();
    case Fault::kDelay:
      return server_.later([self = shared_from_this()] { self->forward(); });
    default:
      return forward();
  }
}

void FaultyStream::forward() {
  to_->send_head(head_, body_.empty());
  if (body_.empty()) return;
  to_->send_data(body_);
  to_->send_end();
}

// Whoever answers is told later: not from within its own call.
void FaultyStream::cut() {
  cut_ = true;
  held_.clear();
  server_.later([self = shared_from_this()] {
    if (auto* events = std::exchange(self->events_, nullptr)) events->on_abort(session::StreamError::kReset);
  });
  to_->reset();
}

http::ResponseHead refusal_head(Fault fault, std::string& body) {
  struct Refusal {
    int status;
    const char* reason;
  };
  const auto refusal = [&]() -> Refusal {
    switch (fault) {
      case Fault::kConflict:
      case Fault::kConflictAfter:
        return {409, "Conflict"};
      case Fault::kTooMany:
        return {429, "TooManyRequests"};
      case Fault::kUnavailable:
        return {503, "ServiceUnavailable"};
      case Fault::kGone:
        return {410, "Expired"};
      default:
        return {500, "InternalError"};
    }
  }();
  body = R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":")" +
         std::string(refusal.reason) + R"(","message":"injected","code":)" + std::to_string(refusal.status) +
         "}";
  http::ResponseHead head;
  head.status = refusal.status;
  head.headers.set("Content-Type", "application/json");
  if (fault == Fault::kTooMany) head.headers.set("Retry-After", "1");
  head.content_length = body.size();
  return head;
}

}  // namespace tidegate::test
