// SPDX-License-Identifier: Apache-2.0
// The way of a request. The way back is in exchange_response.cc.
#include "proxy/exchange.h"

#include "base/text.h"
#include "proxy/forwarding.h"
#include "proxy/worker.h"
#include "routing/sticky_split.h"

namespace tidegate::proxy {
namespace {

bool is_grpc(const http::RequestHead& head) {
  const auto type = head.headers.get("content-type");
  return type && type->starts_with("application/grpc");
}

}  // namespace

Exchange::Exchange(Worker& worker, WorkerTablePtr table, const routing::CompiledPort& port,
                   http::RequestHead& head, bool expects_continue,
                   std::shared_ptr<session::ServerStream> client)
    : worker_(worker),
      table_(std::move(table)),
      port_(port),
      client_(std::move(client)),
      head_(head),
      declares_body_(head.content_length != 0),
      idempotent_(http::is_idempotent(head.method)),
      expects_continue_(expects_continue),
      grpc_(is_grpc(head_)),
      started_(worker.now()),
      record_(worker.begin_record(head_, client_->client_address())) {}

Exchange::~Exchange() {
  if (!finished_) client_->set_events(nullptr);  // the worker stops
  release_endpoint();
}

void Exchange::run() {
  client_->set_events(&client_side_);
  if (!match()) return;
  if (!apply_request_filters()) return;
  mirror();
  if (!pick_backend()) return;
  if (!pick_endpoint()) return;
  forward();
}

bool Exchange::match() {
  if (!normalize_target(head_))
    return fail(ErrorKind::kBadPath, "the path can be read in more than one way, or in none"), false;
  matched_ = routing::match(port_, head_);
  if (matched_.listener == nullptr) return fail(ErrorKind::kNoListener, "no listener takes this host"), false;
  if (const auto sni = client_->server_name(); !sni.empty()) {
    if (routing::find_listener(port_, text::lower(sni)) != matched_.listener) {
      return fail(ErrorKind::kMisdirected, "this connection was made for another host"), false;
    }
  }
  if (!may_use_listener())
    return fail(ErrorKind::kMisdirected,
                "this connection was made without the certificate that is asked for"),
           false;
  if (matched_.match == nullptr) return fail(ErrorKind::kNoRoute, "no route matches"), false;
  if (rule().rule->request_timeout.count() != 0) deadline_ = started_ + rule().rule->request_timeout;
  return true;
}

// A client that named no host was let in as one of the first listener's that ends TLS (port.cc), and in the
// clear nobody has shown anything.
bool Exchange::may_use_listener() const {
  const auto& asked = matched_.listener->listener->clients;
  if (!asked || asked->insecure_fallback || !client_->server_name().empty()) return true;
  const auto first = std::find_if(port_.all.begin(), port_.all.end(), [](const auto* one) {
    return one->listener->protocol == routing::Protocol::kHttp && !one->listener->certificate_pem.empty();
  });
  return first != port_.all.end() && (*first)->listener->clients == asked;
}

bool Exchange::apply_request_filters() {
  websocket_ = wants_websocket(head_);
  if (websocket_ && (head_.method != "GET" || has_body()))
    return fail(ErrorKind::kUpgradeUnsupported, "a WebSocket begins with GET and without a body"), false;
  prepare_request(head_, client_->client_address(), worker_.random());
  if (websocket_) complete_handshake(head_, worker_.random());
  if (rule().cors) origin_ = head_.headers.get("origin").value_or("");
  if (record_) record_->request_id = head_.headers.get("x-request-id").value_or("");
  return !answer_if(
      routing::apply_request_filters(rule().rule->filters, {matched_.match->prefix, port_.port}, head_));
}

void Exchange::mirror() {
  if (websocket_) return;  // nobody would speak to the copy
  for (const std::uint32_t backend : routing::select_mirrors(rule())) {
    if (auto mirror = worker_.start_mirror(table_->view(backend), head_, !has_body())) {
      if (has_body()) mirrors_.push_back(std::move(mirror));
    }
  }
}

bool Exchange::pick_backend() {
  auto choice = find_session();
  if (!choice) choice = rule().pick.at(split_point());
  if (!choice) return fail(ErrorKind::kNoBackends, "no backend has a weight above 0"), false;
  const std::size_t slot = rule().first_slot + *choice;
  slot_ = &table_->serving->compiled->slots[slot];
  counts_ = &table_->serving->series->slots[slot]->of(worker_.index());
  counts_->active.add();
  if (slot_->backend == nullptr) return fail(ErrorKind::kInvalidBackend, slot_->choice->invalid), false;
  view_ = &table_->view(slot_->choice->backend);
  if (!view_->fault.empty()) return fail(ErrorKind::kBackendPolicy, view_->fault), false;
  return !answer_if(
      routing::apply_request_filters(slot_->choice->filters, {matched_.match->prefix, port_.port}, head_));
}

std::uint64_t Exchange::split_point() {
  const auto& sticky = rule().rule->sticky;
  if (!sticky) return rule().sequence->next();
  if (const auto known = routing::read_point(*sticky, head_.headers)) return *known;
  dealt_ = rule().sequence->next();
  return *dealt_;
}

// GEP-1619: a session goes before weights, also a weight of 0.
std::optional<std::size_t> Exchange::find_session() {
  const routing::Rule& r = *rule().rule;
  if (!r.session) return std::nullopt;
  session_ = routing::read_session(*r.session, head_.headers, worker_.wall_now());
  if (!session_) return std::nullopt;
  for (std::size_t i = 0; i < r.backends.size(); ++i) {
    const routing::WeightedBackend& choice = r.backends[i];
    if (!choice.invalid.empty() || table_->view(choice.backend).session != session_->backend) continue;
    pinned_ = find_endpoint(table_->view(choice.backend), session_->endpoint, worker_.now());
    if (pinned_) return i;
  }
  return std::nullopt;
}

bool Exchange::pick_endpoint() {
  endpoint_ = pinned_ ? std::exchange(pinned_, nullptr) : worker_.choose(*view_, last_endpoint_.get());
  if (!endpoint_) return fail(ErrorKind::kNoEndpoints, "it has no endpoints"), false;
  last_endpoint_ = endpoint_;
  ++endpoint_->active;
  return true;
}

void Exchange::forward(session::Connections which) {
  if (++attempts_ == 1) view_->budget->request(started_);
  const Duration timeout = rule().rule->backend_request_timeout;
  if (timeout.count() != 0) attempt_deadline_ = worker_.now() + timeout;
  backend_ = endpoint_->pool.request(head_, !has_body() && !websocket_, backend_side_, which);
  if (!has_body()) return;
  if (!replay_.empty()) backend_->send_data(replay_);
  if (request_ended_) backend_->send_end(request_trailers_);
  if (std::exchange(expects_continue_, false)) client_->send_continue();
}

void Exchange::on_request_data(std::string_view data) {
  request_bytes_ += data.size();
  if (replayable_ && !response_started_) {
    // What still comes once it is decided to send again, until the client has stopped, is little.
    replayable_ = replay_.size() + data.size() <= kReplayBytes || discarding_ || retry_timer_;
    replayable_ ? void(replay_.append(data)) : replay_.clear();
  }
  for (const auto& mirror : mirrors_) {
    if (!mirror->send_data(data)) worker_.limit_hit(Limit::kMirrorBody);
  }
  if (!backend_) return;
  backend_->send_data(data);
  if (backend_->unsent_bytes() > session::kHighWater) client_->pause();
}

void Exchange::on_request_end(const http::Headers& trailers) {
  if (!has_body() || request_ended_) return;
  request_ended_ = true;
  request_trailers_ = trailers;
  for (const auto& mirror : mirrors_) mirror->send_end(trailers);
  if (backend_) backend_->send_end(trailers);
}

// While an answer is discarded the client is held: what it sends is kept for the next attempt.
void Exchange::on_backend_writable() {
  if (!discarding_) client_->resume();
}

void Exchange::on_client_gone() { fail(ErrorKind::kClientGone, "the client left"); }

void Exchange::on_backend_error(session::StreamError error, bool unsent, std::string_view detail) {
  if (discarding_) return retry_later();
  const bool again = may_send_again(error, unsent);
  if (is_endpoint_failure(error, unsent)) note_failure();
  if (!again && retries_error(error) && take_retry()) return retry_later();
  release_endpoint();
  client_->resume();
  if (again) {
    totals().resent.add();
    if (!pick_endpoint()) return;
    return forward(attempts_ == kMaxRetries ? session::Connections::kNew : session::Connections::kAny);
  }
  if (error == session::StreamError::kOverflow) worker_.limit_hit(Limit::kBackendOverflow);
  fail(kind_of(error), detail);
}

void Exchange::check_deadlines(SteadyTime now) {
  if (finished_ || now < std::min(deadline_, attempt_deadline_)) return;
  if (tunnel_) {
    worker_.limit_hit(Limit::kTunnelLifetime);
    client_->send_end();
    return finish();
  }
  // A backend that waits for the rest of a request has done nothing wrong.
  const bool silent = !response_started_ && !discarding_ && (request_ended_ || !has_body());
  if (silent) note_failure();
  if (now >= deadline_)
    return fail(ErrorKind::kRequestTimeout, "no complete response within the rule's request timeout");
  if (discarding_ || (retries_error(session::StreamError::kTimeout) && take_retry())) return retry_later();
  fail(ErrorKind::kBackendTimeout, "no complete response within the rule's backend request timeout");
}

}  // namespace tidegate::proxy
