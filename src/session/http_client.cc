// SPDX-License-Identifier: Apache-2.0
#include "session/http_client.h"

#include <utility>

namespace tidegate::session {
namespace {

ErrorCode code_of(StreamError error) {
  switch (error) {
    case StreamError::kConnectTimeout:
    case StreamError::kTimeout:
      return ErrorCode::kTimeout;
    case StreamError::kProtocol:
      return ErrorCode::kInternal;
    case StreamError::kOverflow:
      return ErrorCode::kLimit;
    case StreamError::kCancelled:
      return ErrorCode::kCancelled;
    case StreamError::kNone:
    case StreamError::kConnectRefused:
    case StreamError::kTls:
    case StreamError::kReset:
    case StreamError::kUnsupported:
    case StreamError::kRefused:
      return ErrorCode::kUnavailable;
  }
  return ErrorCode::kInternal;
}

}  // namespace

struct HttpClient::State {
  State(asio::io_context& io, Scheduler& scheduler, Endpoint endpoint, std::string authority,
        std::size_t max_body)
      : scheduler(scheduler),
        scheme(endpoint.tls ? "https" : "http"),
        authority(std::move(authority)),
        max_body(max_body),
        pool(io, scheduler, std::move(endpoint), {}) {}

  Scheduler& scheduler;
  const std::string scheme, authority;
  const std::size_t max_body;
  ClientPool pool;
};

namespace {

// One call, repeated once where nothing of it was sent. Holds itself until it ends or is cancelled.
class Call final : public ClientStreamEvents, public std::enable_shared_from_this<Call> {
 public:
  Call(Scheduler& scheduler, ClientPool& pool, http::RequestHead head, ClientRequest request,
       HttpClient::StreamCallbacks callbacks, bool whole)
      : pool_(pool),
        head_(std::move(head)),
        request_(std::move(request)),
        callbacks_(std::move(callbacks)),
        whole_(whole) {
    deadline_ = scheduler.after(request_.timeout, [this] {
      end(Error{ErrorCode::kTimeout, describe("no answer in time")});
    });
  }

  void start() {
    self_ = shared_from_this();
    attempt();
  }
  void cancel() {
    callbacks_ = {};
    finish();
  }
  void fail(Error error) { end(std::move(error)); }

  void on_head(http::ResponseHead& head) override {
    if (!whole_) deadline_.reset();
    const auto self = self_;
    if (callbacks_.on_head) callbacks_.on_head(head.status, head.headers);
  }
  void on_data(std::string_view data) override {
    const auto self = self_;
    if (callbacks_.on_data) callbacks_.on_data(data);
  }
  void on_end(const http::Headers&) override { end({}); }
  void on_writable() override {}
  void on_error(StreamError error, bool unsent, std::string_view detail) override {
    if (unsent && !std::exchange(repeated_, true) && error == StreamError::kReset) return attempt();
    end(Error{code_of(error), describe(detail.empty() ? to_string(error) : std::string(detail))});
  }

 private:
  void attempt() {
    // Kept until the new one stands: this may run within an event of the old one.
    const auto old = std::move(stream_);
    stream_ = pool_.request(head_, request_.body.empty(), *this);
    if (request_.body.empty()) return;
    stream_->send_data(request_.body);
    stream_->send_end();
  }
  std::string describe(const std::string& what) const {
    return request_.method + " " + head_.authority + ": " + what;
  }
  void end(Result<void> result) {
    const auto told = std::exchange(callbacks_, {});
    const auto self = self_;
    finish();
    if (told.on_end) told.on_end(std::move(result));
  }
  void finish() {
    deadline_.reset();
    stream_.reset();
    self_.reset();
  }

  ClientPool& pool_;
  http::RequestHead head_;
  ClientRequest request_;
  HttpClient::StreamCallbacks callbacks_;
  const bool whole_;
  bool repeated_ = false;
  std::unique_ptr<Scheduler::Timer> deadline_;
  std::unique_ptr<ClientStream> stream_;
  std::shared_ptr<Call> self_;
};

class CallHandle final : public HttpClient::Handle {
 public:
  explicit CallHandle(std::weak_ptr<Call> call) : call_(std::move(call)) {}
  ~CallHandle() override {
    if (auto call = call_.lock()) call->cancel();
  }

 private:
  std::weak_ptr<Call> call_;
};

http::RequestHead make_head(const std::string& scheme, const std::string& authority,
                            const ClientRequest& request) {
  http::RequestHead head;
  head.method = request.method;
  head.target = request.target;
  head.scheme = scheme;
  head.authority = authority;
  head.headers = request.headers;
  head.content_length = request.body.size();
  if (!request.content_type.empty()) head.headers.set("Content-Type", request.content_type);
  return head;
}

}  // namespace

HttpClient::HttpClient(asio::io_context& io, Scheduler& scheduler, Endpoint endpoint, std::string authority,
                       std::size_t max_body_bytes)
    : state_(std::make_shared<State>(io, scheduler, std::move(endpoint), std::move(authority),
                                     max_body_bytes)) {}

HttpClient::~HttpClient() = default;

Task<Result<ClientResponse>> HttpClient::send(ClientRequest request) {
  const auto state = state_;
  auto start = [state,
                request = std::move(request)](std::function<void(Result<ClientResponse>)> done) mutable {
    auto response = std::make_shared<ClientResponse>();
    auto handle = std::make_shared<std::weak_ptr<Call>>();
    StreamCallbacks callbacks;
    callbacks.on_head = [response](int status, const http::Headers& headers) {
      response->status = status;
      response->headers = headers;
    };
    callbacks.on_data = [response, handle, limit = state->max_body](std::string_view data) {
      if (response->body.size() + data.size() <= limit) return void(response->body.append(data));
      if (auto call = handle->lock()) {
        call->fail(Error{ErrorCode::kLimit, "the answer is larger than " + std::to_string(limit) + " bytes"});
      }
    };
    callbacks.on_end = [response, done = std::move(done)](Result<void> result) {
      if (result) return done(std::move(*response));
      done(result.error());
    };
    auto head = make_head(state->scheme, state->authority, request);
    auto call = std::make_shared<Call>(state->scheduler, state->pool, std::move(head), std::move(request),
                                       std::move(callbacks), true);
    *handle = call;
    call->start();
  };
  co_return co_await net::suspend<Result<ClientResponse>>(std::move(start));
}

std::unique_ptr<HttpClient::Handle> HttpClient::stream(ClientRequest request, StreamCallbacks callbacks) {
  auto head = make_head(state_->scheme, state_->authority, request);
  auto call = std::make_shared<Call>(state_->scheduler, state_->pool, std::move(head), std::move(request),
                                     std::move(callbacks), false);
  call->start();
  return std::make_unique<CallHandle>(call);
}

}  // namespace tidegate::session
