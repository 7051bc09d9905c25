// SPDX-License-Identifier: Apache-2.0
#include "session/responder.h"

#include <utility>

namespace tidegate::session {

Answering::Answering(http::RequestHead head, std::shared_ptr<ServerStream> stream,
                     const HttpServer::Options& options, const HttpServer::Handler& handler)
    : stream_(std::move(stream)), options_(options), handler_(handler), head_only_(head.method == "HEAD") {
  request_.head = std::move(head);
  request_.client_address = stream_->client_address();
  request_.client_common_name = stream_->client_common_name();
}

void Answering::start(bool expects_continue) {
  self_ = shared_from_this();
  stream_->set_events(this);
  if (request_.head.content_length.value_or(0) > options_.max_body_bytes) {
    return send({413, "text/plain",
                 "the request body is larger than " + std::to_string(options_.max_body_bytes) + " bytes\n"});
  }
  if (expects_continue) stream_->send_continue();
}

void Answering::on_data(std::string_view data) {
  if (request_.body.size() + data.size() > options_.max_body_bytes) {
    return send({413, "text/plain",
                 "the request body is larger than " + std::to_string(options_.max_body_bytes) + " bytes\n"});
  }
  request_.body.append(data);
}

void Answering::on_end(const http::Headers&) {
  if (begun_ || !stream_) return;
  handler_(std::move(request_), Responder(std::make_shared<ResponderState>(shared_from_this())));
}

void Answering::on_abort(StreamError) {
  const auto self = self_;
  stream_.reset();
  self_.reset();
  if (auto told = std::exchange(closed_callback_, nullptr)) told();
}

void Answering::send(Response response) {
  if (!stream_ || std::exchange(begun_, true)) return;
  http::ResponseHead head;
  head.status = response.status;
  head.headers = std::move(response.headers);
  head.content_length = response.body.size();
  if (!response.content_type.empty()) head.headers.set("Content-Type", response.content_type);
  const bool bodiless = head_only_ || response.body.empty();
  stream_->send_head(head, bodiless);
  if (!bodiless) {
    stream_->send_data(response.body);
    stream_->send_end();
  }
  finish();
}

void Answering::begin(int status, std::string_view content_type) {
  if (!stream_ || std::exchange(begun_, true)) return;
  http::ResponseHead head;
  head.status = status;
  head.headers.set("Content-Type", content_type);
  stream_->send_head(head, head_only_);
  if (head_only_) finish();
}

bool Answering::write(std::string_view data) {
  if (!stream_) return false;
  stream_->send_data(data);
  if (stream_ && stream_->unsent_bytes() <= options_.max_unsent_bytes) return true;
  if (stream_) stream_->reset();  // it reads too slowly; tells on_abort or not, the answer is over
  on_abort(StreamError::kOverflow);
  return false;
}

void Answering::end() {
  if (!stream_) return;
  stream_->send_end();
  finish();
}

void Answering::finish() {
  const auto self = std::move(self_);
  closed_callback_ = nullptr;
  if (auto stream = std::exchange(stream_, nullptr)) stream->set_events(nullptr);
}

ResponderState::~ResponderState() {
  if (answering->begun() || answering->closed()) return;
  answering->send({500, "text/plain", "the request was dropped without an answer\n"});
}

void Responder::send(Response response) { state_->answering->send(std::move(response)); }
void Responder::begin(int status, std::string_view content_type) {
  state_->answering->begin(status, content_type);
}
bool Responder::write(std::string_view data) { return state_->answering->write(data); }
void Responder::end() { state_->answering->end(); }
void Responder::on_closed(std::function<void()> callback) {
  state_->answering->on_closed(std::move(callback));
}
bool Responder::closed() const { return state_->answering->closed(); }

}  // namespace tidegate::session
