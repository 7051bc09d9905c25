// SPDX-License-Identifier: Apache-2.0
// The way back: responses of backends and of the proxy itself, and the account of the request.
#include "proxy/exchange.h"
#include "proxy/forwarding.h"
#include "proxy/worker.h"
#include "routing/cors.h"
#include "routing/sticky_split.h"

namespace tidegate::proxy {

void Exchange::on_response_head(http::ResponseHead& head) {
  if (head.status == 101 && websocket_) return open_tunnel(head);
  if (head.status == 101) {
    release_endpoint();
    return fail(ErrorKind::kProtocol, "it switched protocols without being asked");
  }
  if (retries_code(head.status) && take_retry()) {
    discarding_ = true;  // to its end, so that the connection can be used again
    return client_->pause();
  }
  replay_ = {};
  response_started_ = true;
  status_ = head.status;
  apply_response_filters(head);
  keep_session(head);
  response_complete_ = http::response_has_no_body(head_.method, head.status) || head.content_length == 0;
  client_->send_head(head, response_complete_);
}

// From here on bytes go both ways until one side ends, idles too long, or its time is up.
void Exchange::open_tunnel(http::ResponseHead& head) {
  if (!complete_handshake(head_, head)) {
    note_failure();
    release_endpoint();
    return fail(ErrorKind::kProtocol, "its Sec-WebSocket-Accept does not answer the key");
  }
  replay_ = {};
  replayable_ = false;
  response_started_ = tunnel_ = true;
  status_ = head.status;
  opened_ = worker_.now();
  deadline_ = opened_ + worker_.settings().tunnel_lifetime;
  attempt_deadline_ = SteadyTime::max();
  endpoint_->health.answered();
  apply_response_filters(head);
  keep_session(head);
  head.headers.set("upgrade", "websocket");
  client_->send_head(head, false);
}

void Exchange::apply_response_filters(http::ResponseHead& head) {
  prepare_response(head);
  if (matched_.match == nullptr) return;
  routing::apply_response_filters(rule().rule->filters, head.headers, origin_);
  if (slot_ != nullptr) routing::apply_response_filters(slot_->choice->filters, head.headers, origin_);
}

// The client is told where it was served, where that is news, and each time where idling ends the session.
void Exchange::keep_session(http::ResponseHead& head) {
  const bool secure = head_.scheme == "https";
  if (dealt_) head.headers.add("set-cookie", routing::point_cookie(*rule().rule->sticky, *dealt_, secure));
  const auto& persistence = rule().rule->session;
  if (!persistence) return;
  const bool goes_on =
      session_ && session_->backend == view_->session && session_->endpoint == endpoint_->session;
  if (goes_on && persistence->idle_timeout.count() == 0) return;
  const auto now = std::chrono::floor<std::chrono::seconds>(worker_.wall_now());
  const routing::Session session{view_->session, endpoint_->session, goes_on ? session_->created : now, now};
  head.headers.add("set-cookie",
                   routing::session_cookie(*persistence, session, matched_.match->match->path, secure));
}

void Exchange::on_response_data(std::string_view data) {
  if (discarding_) {
    if ((discarded_ += data.size()) > kDiscardBytes) retry_later();
    return;
  }
  response_bytes_ += data.size();
  client_->send_data(data);
  if (client_->unsent_bytes() > session::kHighWater) backend_->pause();
}

void Exchange::on_client_writable() {
  if (backend_) backend_->resume();
}

void Exchange::on_response_end(const http::Headers& trailers) {
  endpoint_->health.answered();
  if (discarding_) return retry_later();
  if (!response_complete_) client_->send_end(trailers);
  response_complete_ = true;
  finish();
}

bool Exchange::answer_if(std::optional<routing::Answer> answer) {
  if (!answer) return false;
  if (answer->location.empty() && !answer->preflight)
    return fail(ErrorKind::kDirectResponse, answer->reason, answer->status), true;
  http::ResponseHead head;
  head.status = status_ = answer->status;
  head.content_length = 0;
  if (answer->preflight) {
    for (const auto& header : *answer->preflight) head.headers.add(header.name, header.value);
  } else {
    head.headers.add("location", answer->location);
    apply_response_filters(head);
  }
  response_complete_ = response_started_ = true;
  client_->send_head(head, true);
  finish();
  return true;
}

// `status` other than 0 replaces the policy's.
void Exchange::fail(ErrorKind kind, std::string_view detail, int status) {
  if (finished_) return;
  error_ = &policy(kind);
  if (kind == ErrorKind::kClientGone) {
    if (!response_started_) status_ = error_->status;
  } else if (!response_started_) {
    status_ = status != 0 ? status : error_->status;
    send_error(*error_, status_, describe(detail));
  } else if (!response_complete_) {
    client_->reset();  // its only way to learn that the response is not whole
  }
  finish();
}

void Exchange::send_error(const ErrorPolicy& policy, int status, std::string_view detail) {
  http::ResponseHead head;
  head.headers.add("x-tidegate-error", policy.token);
  if (matched_.match != nullptr) {
    // Else a browser would hide the error from its page.
    for (const routing::Filter& filter : rule().rule->filters) {
      if (const auto* cors = std::get_if<routing::Cors>(&filter))
        routing::apply_cors(*cors, origin_, head.headers);
    }
  }
  response_started_ = true;
  if (grpc_) {
    head.status = 200;
    head.headers.add("content-type", "application/grpc");
    head.headers.add("grpc-status", std::to_string(policy.grpc_status));
    head.headers.add("grpc-message", detail.substr(0, detail.size() - 1));
    head.content_length = 0;
    return client_->send_head(head, true);
  }
  const bool no_body = http::response_has_no_body(head_.method, status);
  head.status = status;
  head.headers.add("content-type", "text/plain; charset=utf-8");
  head.content_length = detail.size();
  client_->send_head(head, no_body);
  if (no_body) return;
  response_bytes_ = detail.size();
  client_->send_data(detail);
  client_->send_end();
}

// "HTTPRoute shop/web rule 0: backend shop/cart:80: it has no endpoints"
std::string Exchange::describe(std::string_view detail) const {
  std::string out;
  if (matched_.match != nullptr) {
    const routing::Rule& r = *rule().rule;
    out += r.route.kind + " " + r.route.ns + "/" + r.route.name + " rule " + r.name + ": ";
  }
  if (slot_ != nullptr && slot_->backend != nullptr) {
    out += "backend " + slot_->backend->ns + "/" + slot_->backend->name + ":" +
           std::to_string(slot_->backend->port) + ": ";
  }
  return out.append(detail).append("\n");
}

BackendTotals& Exchange::totals() const { return view_->totals->of(worker_.index()); }

void Exchange::note_failure() {
  if (endpoint_) worker_.note_failure(*view_, *endpoint_);
}

void Exchange::release_endpoint() {
  if (backend_) worker_.retire(std::move(backend_));
  if (!endpoint_) return;
  --endpoint_->active;
  endpoint_.reset();
}

void Exchange::finish() {
  finished_ = true;
  client_->set_events(nullptr);
  for (const auto& mirror : mirrors_) mirror->abandon();
  release_endpoint();
  log();
  worker_.retire(*this);
}

// Counts and the access log.
void Exchange::log() {
  const Duration duration = worker_.now() - started_;
  const routing::CompiledListener& listener =
      matched_.listener != nullptr ? *matched_.listener : *port_.all.front();
  table_->serving->series->listeners[listener.index]->of(worker_.index()).codes.add(status_);
  if (counts_ != nullptr) {
    counts_->active.add(-1);
    // How long people talk is no latency.
    counts_->record(status_, error_ != nullptr ? error_->failure : FailureReason::kNone,
                    tunnel_ ? opened_ - started_ : duration);
  }
  if (!record_) return;
  AccessRecord& r = *record_;
  r.status = status_;
  r.request_bytes = request_bytes_;
  r.response_bytes = response_bytes_;
  r.duration = duration;
  r.gateway = listener.listener->gateway_ns + "/" + listener.listener->gateway;
  r.listener = listener.listener->name;
  r.attempts = attempts_;
  if (error_ != nullptr) r.error = error_->token;
  if (matched_.match != nullptr) {
    r.route = rule().rule->route.ns + "/" + rule().rule->route.name;
    r.rule = rule().rule->name;
  }
  if (slot_ != nullptr && slot_->backend != nullptr)
    r.backend = slot_->backend->ns + "/" + slot_->backend->name;
  if (last_endpoint_) r.endpoint = net::to_string(last_endpoint_->address);
  worker_.add_record(std::move(r));
}

}  // namespace tidegate::proxy
