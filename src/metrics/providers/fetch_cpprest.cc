// SPDX-License-Identifier: Apache-2.0
// Fetch by cpprestsdk. What it does on a thread of its own ends in a Mailbox, which hands results to the loop
// as long as there is one; all else here runs on the loop's thread. Its exceptions end here. What it cannot
// do: bound the head of an answer, or one chunk of its body, other than by time, as it collects each whole
// before it shows it; and look up two names at once.
#define _TURN_OFF_PLATFORM_STRING  // its macro U() breaks other headers
#include <cpprest/containerstream.h>
#include <cpprest/http_client.h>
#include <pplx/threadpool.h>

#include <map>
#include <mutex>
#include <thread>

#include "metrics/providers/answers.h"
#include "metrics/providers/fetch.h"
#include "metrics/providers/limits.h"

namespace tidegate::metrics::providers {
namespace {

namespace client = web::http::client;

struct TooLarge {};

Error failure(ErrorCode code, const std::string& url, const std::string& why) {
  return {code, origin_of(url) + ": " + why};
}

// Only its certificates count; the library has loaded the system's before.
void trust_only(boost::asio::ssl::context& context, const std::string& pem) {
  ::SSL_CTX_set_cert_store(context.native_handle(), ::X509_STORE_new());
  context.add_certificate_authority(boost::asio::buffer(pem));
}

client::http_client_config config_of(const HttpRequest& request) {
  client::http_client_config config;
  config.set_timeout(
      std::chrono::milliseconds(request.timeout));  // between two reads; the whole is timed here
  config.set_validate_certificates(!request.insecure_skip_verify);
  config.set_max_redirects(0);
  config.set_ssl_context_callback([ca = request.ca_pem](boost::asio::ssl::context& context) {
    using Context = boost::asio::ssl::context;
    context.set_options(Context::no_sslv2 | Context::no_sslv3 | Context::no_tlsv1 | Context::no_tlsv1_1);
    if (!ca.empty()) trust_only(context, ca);
  });
  return config;
}

web::http::http_request message_of(const HttpRequest& request, const web::uri& url) {
  web::http::http_request message(request.method);
  message.set_request_uri(url.resource());
  if (!request.body.empty()) {
    message.set_body(std::vector<unsigned char>(request.body.begin(), request.body.end()));
  }
  for (const auto& [name, value] : request.headers) message.headers()[name] = value;
  return message;
}

// Throwing from a progress handler ends a request in good order; it bounds the body. A chunk of negative
// size, which the library lets through and breaks over, is seen as a huge one, or as a step back.
void bound_body(web::http::http_request& message) {
  using Direction = web::http::message_direction::direction;
  message.set_progress_handler(
      [seen = utility::size64_t{0}](Direction direction, utility::size64_t bytes) mutable {
        if (direction == web::http::message_direction::upload) return;
        if (bytes < seen || bytes > kMaxAnswerBytes) throw TooLarge{};
        seen = bytes;
      });
}

pplx::task<HttpAnswer> send(const HttpRequest& request, pplx::cancellation_token token) {
  const web::uri url(request.url);
  auto message = message_of(request, url);
  const concurrency::streams::container_buffer<std::vector<std::uint8_t>> body;
  message.set_response_stream(body.create_ostream());
  bound_body(message);
  auto sender = std::make_shared<client::http_client>(url.authority(), config_of(request));
  return sender->request(message, token)
      .then([](web::http::http_response response) { return response.content_ready(); })
      .then([sender, body](web::http::http_response response) {
        const auto& bytes = body.collection();
        return HttpAnswer{response.status_code(), {bytes.begin(), bytes.end()}};
      });
}

// Within a catch block: what its exception says.
Error caught(const std::string& url) {
  try {
    throw;
  } catch (const TooLarge&) {
    return failure(ErrorCode::kLimit, url,
                   "the answer has more than " + std::to_string(kMaxAnswerBytes / 1024) + " KiB");
  } catch (const web::uri_exception&) {  // its text holds the whole url
    return failure(ErrorCode::kInvalid, url, "not a url");
  } catch (const web::http::http_exception& e) {
    return failure(ErrorCode::kUnavailable, url, e.what());
  } catch (const boost::system::system_error& e) {
    return failure(ErrorCode::kInvalid, url, "the CA certificate: " + e.code().message());
  } catch (const std::exception& e) {
    return failure(ErrorCode::kInternal, url, e.what());
  }
}

// The thread on which the library works, in place of the forty that it would start. On those, an exception
// that leaves one of its handlers ends the process; here it ends that request, by its deadline.
class LibraryThread {
 public:
  LibraryThread() {
    try {
      crossplat::threadpool::initialize_with_threads(0);
    } catch (const std::exception&) {  // it has been used before, and runs
    }
    thread_ = std::thread([] {
      while (!pool().stopped()) {
        try {
          pool().run();
        } catch (...) {
        }
      }
    });
  }
  ~LibraryThread() {
    pool().stop();
    thread_.join();
  }

 private:
  static asio::io_context& pool() { return crossplat::threadpool::shared_instance().service(); }
  std::thread thread_;
};

// From the library's threads to the loop's.
class Mailbox {
 public:
  explicit Mailbox(asio::io_context& io) : io_(&io) {}
  void post(std::function<void()> letter) {
    const std::lock_guard lock(mutex_);
    if (io_) asio::post(*io_, std::move(letter));
  }
  void close() {
    const std::lock_guard lock(mutex_);
    io_ = nullptr;
  }

 private:
  std::mutex mutex_;
  asio::io_context* io_;  // null once closed
};

struct Job {
  std::uint64_t id = 0;
  HttpRequest request;
  Fetch::Done done;
  std::unique_ptr<Scheduler::Timer> deadline;
  pplx::cancellation_token_source cancellation;
};

// By id, which is their order. A job is in one of the two until it is over, whatever the library makes of it.
struct Jobs : std::enable_shared_from_this<Jobs> {
  explicit Jobs(asio::io_context& io) : mailbox(std::make_shared<Mailbox>(io)) {}

  void launch() {
    while (running.size() < kMaxInFlight && !waiting.empty()) {
      auto first = waiting.extract(waiting.begin());
      run(*running.insert(std::move(first)).position->second);
    }
  }

  // The Job stays on this thread: the library's gets what it needs of it.
  void run(Job& job) {
    auto report = [mailbox = mailbox, weak = weak_from_this(), id = job.id](Result<HttpAnswer> result) {
      mailbox->post([weak, id, result = std::move(result)]() mutable {
        if (const auto self = weak.lock()) self->finish(id, std::move(result));
      });
    };
    auto conclude = [report, url = job.request.url](pplx::task<HttpAnswer> task) {
      try {
        report(task.get());
      } catch (...) {
        report(caught(url));
      }
    };
    try {
      send(job.request, job.cancellation.get_token()).then(std::move(conclude));
    } catch (...) {
      report(caught(job.request.url));
    }
  }

  void finish(std::uint64_t id, Result<HttpAnswer> result) {
    const auto job = remove(id);
    if (job) job->done(std::move(result));
  }

  std::shared_ptr<Job> remove(std::uint64_t id) {
    auto node = running.extract(id);
    if (!node) node = waiting.extract(id);
    if (!node) return nullptr;
    const auto job = node.mapped();
    job->deadline.reset();
    job->cancellation.cancel();
    launch();
    return job;
  }

  void remove_all() {
    mailbox->close();
    waiting.clear();
    while (!running.empty()) remove(running.begin()->first);
  }

  std::shared_ptr<Mailbox> mailbox;
  std::map<std::uint64_t, std::shared_ptr<Job>> waiting, running;
  std::uint64_t last_id = 0;
};

class CpprestCall final : public Fetch::Call {
 public:
  CpprestCall(std::weak_ptr<Jobs> jobs, std::uint64_t id) : jobs_(std::move(jobs)), id_(id) {}
  ~CpprestCall() override {
    if (const auto jobs = jobs_.lock()) jobs->remove(id_);
  }

 private:
  std::weak_ptr<Jobs> jobs_;
  std::uint64_t id_;
};

class CpprestFetch final : public Fetch {
 public:
  CpprestFetch(asio::io_context& io, Scheduler& scheduler)
      : scheduler_(scheduler), jobs_(std::make_shared<Jobs>(io)) {}
  ~CpprestFetch() override { jobs_->remove_all(); }

  std::unique_ptr<Call> start(HttpRequest request, Done done) override {
    const auto job = std::make_shared<Job>();
    const bool room = jobs_->waiting.size() < kMaxWaiting;
    job->id = ++jobs_->last_id;
    job->request = std::move(request);
    job->done = std::move(done);
    job->deadline = scheduler_.after(
        room ? job->request.timeout : Duration(0),
        [jobs = jobs_.get(), id = job->id, url = job->request.url, timeout = job->request.timeout, room] {
          const auto late = "no answer within " + std::to_string(timeout.count()) + " ms";
          jobs->finish(id, room ? failure(ErrorCode::kTimeout, url, late)
                                : failure(ErrorCode::kLimit, url, "too many requests are waiting"));
        });
    jobs_->waiting.emplace(job->id, job);
    if (room) jobs_->launch();
    return std::make_unique<CpprestCall>(jobs_, job->id);
  }

 private:
  Scheduler& scheduler_;
  std::shared_ptr<Jobs> jobs_;
};

}  // namespace

std::unique_ptr<Fetch> open_fetch(asio::io_context& io, Scheduler& scheduler) {
  static const LibraryThread thread;
  return std::make_unique<CpprestFetch>(io, scheduler);
}

}  // namespace tidegate::metrics::providers
