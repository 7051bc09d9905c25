// SPDX-License-Identifier: Apache-2.0
#include "metrics/providers/fetch.h"

#include <map>

#include "http/url.h"
#include "metrics/providers/answers.h"
#include "metrics/providers/limits.h"
#include "net/tls.h"
#include "session/client_pool.h"

namespace tidegate::metrics::providers {
namespace {

using session::StreamError;

Error failure(const HttpRequest& request, ErrorCode code, const std::string& why) {
  return {code, origin_of(request.url) + ": " + why};
}

Error stream_failure(const HttpRequest& request, StreamError error, std::string_view detail) {
  const std::string why = detail.empty() ? session::to_string(error) : std::string(detail);
  switch (error) {
    case StreamError::kConnectTimeout:
    case StreamError::kTimeout:
      return failure(request, ErrorCode::kTimeout, why);
    case StreamError::kProtocol:
      return failure(request, ErrorCode::kInternal, "the answer can't be read: " + why);
    case StreamError::kOverflow:
      return failure(request, ErrorCode::kLimit, why);
    case StreamError::kNone:
    case StreamError::kConnectRefused:
    case StreamError::kTls:
    case StreamError::kReset:
    case StreamError::kCancelled:
    case StreamError::kUnsupported:
    case StreamError::kRefused:
      return failure(request, ErrorCode::kUnavailable, why);
  }
  return failure(request, ErrorCode::kUnavailable, why);
}

// What all requests share.
class Network {
 public:
  Network(asio::io_context& io, Scheduler& scheduler, std::unique_ptr<net::Resolver> resolver)
      : io(io), scheduler(scheduler), resolver(std::move(resolver)) {}

  Result<std::shared_ptr<net::TlsContext>> tls_for(const HttpRequest& request) {
    const std::pair key(request.ca_pem, request.insecure_skip_verify);
    if (const auto known = tls_.find(key); known != tls_.end()) return known->second;
    net::ClientTlsOptions options;
    options.ca_pem = request.ca_pem;
    options.verify_peer = !request.insecure_skip_verify;
    auto made = net::make_client_tls(options);
    if (!made) return made.error();
    if (tls_.size() >= kMaxTlsSettings) tls_.clear();
    tls_.emplace(key, *made);
    return made;
  }

  asio::io_context& io;
  Scheduler& scheduler;
  const std::unique_ptr<net::Resolver> resolver;

 private:
  std::map<std::pair<std::string, bool>, std::shared_ptr<net::TlsContext>> tls_;
};

// One request on its way: looked up, tried at one address after the other, answered. A pool of its own, as no
// other request uses its connection. Its report is the last that it does, and may be its end.
class Errand final : public session::ClientStreamEvents {
 public:
  using Report = std::function<void(Result<HttpAnswer>)>;
  Errand(Network& network, const HttpRequest& request, Report report)
      : network_(network), request_(request), report_(std::move(report)) {}

  // Reports later, or returns why there is nothing to wait for.
  Result<void> start() {
    const auto url = http::parse_url(request_.url);
    if (!url) return failure(request_, ErrorCode::kInvalid, "not a url");
    if (url->tls) {
      auto tls = network_.tls_for(request_);
      if (!tls) return failure(request_, tls.error().code, tls.error().detail);
      endpoint_.tls = std::move(*tls);
    }
    endpoint_.server_name = url->host;
    head_ = head_of(*url);
    lookup_ = network_.resolver->lookup(endpoint_.server_name, url->port,
                                        [this](auto addresses) { resolved(std::move(addresses)); });
    return {};
  }

  void on_head(http::ResponseHead& head) override { answer_.status = head.status; }
  void on_data(std::string_view data) override {
    if (answer_.body.size() + data.size() <= kMaxAnswerBytes) return void(answer_.body.append(data));
    end(failure(request_, ErrorCode::kLimit,
                "the answer has more than " + std::to_string(kMaxAnswerBytes / 1024) + " KiB"));
  }
  void on_end(const http::Headers&) override { end(std::move(answer_)); }
  void on_writable() override {}
  void on_error(StreamError error, bool, std::string_view detail) override {
    const bool away = error == StreamError::kConnectRefused || error == StreamError::kConnectTimeout;
    if (away && next_ < addresses_.size()) return try_next();
    end(stream_failure(request_, error, detail));
  }

 private:
  http::RequestHead head_of(const http::Url& url) const {
    http::RequestHead head;
    head.method = request_.method;
    head.target = url.target;
    head.scheme = url.tls ? "https" : "http";
    head.authority = url.authority;
    head.content_length = request_.body.size();
    for (const auto& [name, value] : request_.headers) head.headers.add(name, value);
    if (!head.headers.has("User-Agent")) head.headers.add("User-Agent", "tidegate");
    return head;
  }

  void resolved(Result<std::vector<net::Address>> addresses) {
    if (!addresses) return end(failure(request_, addresses.error().code, addresses.error().detail));
    addresses_ = std::move(*addresses);
    try_next();
  }

  void try_next() {
    endpoint_.address = addresses_[next_++];
    session::ClientLimits limits;
    limits.connect_timeout = request_.timeout / static_cast<int>(addresses_.size());
    stream_.reset();
    pool_ = std::make_unique<session::ClientPool>(network_.io, network_.scheduler, endpoint_, limits);
    stream_ = pool_->request(head_, request_.body.empty(), *this);
    if (request_.body.empty()) return;
    stream_->send_data(request_.body);
    stream_->send_end();
  }

  void end(Result<HttpAnswer> result) {
    const auto report = report_;  // outlives this object
    report(std::move(result));
  }

  Network& network_;
  const HttpRequest& request_;
  const Report report_;
  session::Endpoint endpoint_;
  http::RequestHead head_;
  std::unique_ptr<net::Resolver::Lookup> lookup_;
  std::vector<net::Address> addresses_;
  std::size_t next_ = 0;
  HttpAnswer answer_;
  std::unique_ptr<session::ClientPool> pool_;
  std::unique_ptr<session::ClientStream> stream_;
};

struct Job {
  HttpRequest request;
  Fetch::Done done;
  std::unique_ptr<Scheduler::Timer> deadline;
  std::unique_ptr<Errand> errand;  // once it runs
};

// By id, which is their order. A job is in one of the two until it is over.
class Jobs {
 public:
  Jobs(asio::io_context& io, Scheduler& scheduler, std::unique_ptr<net::Resolver> resolver)
      : network_(io, scheduler, std::move(resolver)) {}

  std::uint64_t add(HttpRequest request, Fetch::Done done) {
    const auto id = ++last_id_;
    auto job = std::make_unique<Job>();
    job->request = std::move(request);
    job->done = std::move(done);
    const auto& asked = job->request;
    const bool room = waiting_.size() < kMaxWaiting;
    if (room) {
      const auto late = "no answer within " + std::to_string(asked.timeout.count()) + " ms";
      finish_after(asked.timeout, id, *job, failure(asked, ErrorCode::kTimeout, late));
    } else {
      finish_after(Duration(0), id, *job, failure(asked, ErrorCode::kLimit, "too many requests are waiting"));
    }
    waiting_.emplace(id, std::move(job));
    if (room) launch();
    return id;
  }

  std::unique_ptr<Job> remove(std::uint64_t id) {
    auto node = running_.extract(id);
    if (!node) node = waiting_.extract(id);
    if (!node) return nullptr;
    auto job = std::move(node.mapped());
    job->deadline.reset();
    job->errand.reset();
    launch();
    return job;
  }

 private:
  void finish_after(Duration delay, std::uint64_t id, Job& job, Error error) {
    job.deadline =
        network_.scheduler.after(delay, [this, id, error = std::move(error)] { finish(id, error); });
  }

  void launch() {
    while (running_.size() < kMaxInFlight && !waiting_.empty()) {
      const auto first = running_.insert(waiting_.extract(waiting_.begin())).position;
      auto& job = *first->second;
      auto report = [this, id = first->first](Result<HttpAnswer> result) { finish(id, std::move(result)); };
      job.errand = std::make_unique<Errand>(network_, job.request, std::move(report));
      if (const auto started = job.errand->start(); !started) {
        finish_after(Duration(0), first->first, job, started.error());
      }
    }
  }

  // By value, as what they belong to ends here.
  void finish(std::uint64_t id, Result<HttpAnswer> result) {
    if (const auto job = remove(id)) job->done(std::move(result));
  }

  Network network_;
  std::map<std::uint64_t, std::unique_ptr<Job>> waiting_, running_;
  std::uint64_t last_id_ = 0;
};

class JobCall final : public Fetch::Call {
 public:
  JobCall(std::weak_ptr<Jobs> jobs, std::uint64_t id) : jobs_(std::move(jobs)), id_(id) {}
  ~JobCall() override {
    if (const auto jobs = jobs_.lock()) jobs->remove(id_);
  }

 private:
  std::weak_ptr<Jobs> jobs_;
  std::uint64_t id_;
};

class SessionFetch final : public Fetch {
 public:
  explicit SessionFetch(std::shared_ptr<Jobs> jobs) : jobs_(std::move(jobs)) {}

  std::unique_ptr<Call> start(HttpRequest request, Done done) override {
    const auto id = jobs_->add(std::move(request), std::move(done));
    return std::make_unique<JobCall>(jobs_, id);
  }

 private:
  std::shared_ptr<Jobs> jobs_;
};

}  // namespace

std::unique_ptr<Fetch> open_fetch(asio::io_context& io, Scheduler& scheduler) {
  return open_fetch(io, scheduler, net::open_resolver(io));
}

std::unique_ptr<Fetch> open_fetch(asio::io_context& io, Scheduler& scheduler,
                                  std::unique_ptr<net::Resolver> resolver) {
  return std::make_unique<SessionFetch>(std::make_shared<Jobs>(io, scheduler, std::move(resolver)));
}

}  // namespace tidegate::metrics::providers
