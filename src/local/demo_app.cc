// SPDX-License-Identifier: Apache-2.0
#include "local/demo_app.h"

#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <nlohmann/json.hpp>
#include <random>

#include "base/text.h"
#include "session/http_server.h"

namespace tidegate::local {
namespace {

constexpr std::int64_t kMaxDelayMs = 10 * 60 * 1000;  // a delay past it is a mistake
constexpr std::size_t kMaxWaiting = 10'000;  // delayed answers at a time; more are answered 503 at once
constexpr Duration kDrainPoll = std::chrono::milliseconds(50);
constexpr Duration kDrainLimit = std::chrono::seconds(20);

std::string own_name() {
  if (const char* name = std::getenv("POD_NAME"); name && *name) return name;
  char host[256] = {};
  return ::gethostname(host, sizeof host - 1) == 0 ? host : "unknown";
}

Error bad_field(const std::string& name, const Json& value, const std::string& expected) {
  return Error{ErrorCode::kInvalid, name + " is " + json::dump(value) + ", expected " + expected};
}

Result<Duration> read_delay(const std::string& name, const Json& value) {
  const std::int64_t number = value.is_number_integer() ? value.get<std::int64_t>() : -1;
  if (number < 0 || number > kMaxDelayMs)
    return bad_field(name, value, "milliseconds from 0 to " + std::to_string(kMaxDelayMs));
  return Duration(number);
}

Result<double> read_rate(const Json& value) {
  if (value.is_string()) return parse_error_rate(value.get<std::string>());
  if (value.is_number() && value.get<double>() >= 0 && value.get<double>() <= 1) return value.get<double>();
  return bad_field("error_rate", value, "a fraction from 0 to 1, or a percentage such as \"20%\"");
}

session::Response json_response(int status, const Json& body) {
  session::Response response;
  response.status = status;
  response.body = json::dump(body) + "\n";
  return response;
}

class Server final : public DemoApp {
 public:
  Server(net::EventLoop& loop, DemoAppOptions options) : loop_(loop), options_(std::move(options)) {
    if (options_.pod.empty()) options_.pod = own_name();
    random_.seed(static_cast<std::uint32_t>(text::fnv1a(options_.pod)));
  }

  Result<void> listen() {
    session::HttpServer::Options options;
    options.address = options_.listen;
    auto server = session::HttpServer::open(loop_.io(), loop_.scheduler(), options,
                                            [this](session::Request request, session::Responder responder) {
                                              handle(std::move(request), std::move(responder));
                                            });
    if (!server) return server.error();
    server_ = *std::move(server);
    return {};
  }

  net::Address address() const override { return server_->address(); }

  void drain(std::function<void()> drained) override {
    drained_ = std::move(drained);
    drain_timer_ = loop_.scheduler().after(options_.drain_delay, [this] {
      server_->drain();
      wait_for_end(Duration{});
    });
  }

 private:
  struct Delayed {
    std::unique_ptr<Scheduler::Timer> timer;
  };

  void wait_for_end(Duration waited) {
    if (server_->connections() == 0 || waited >= kDrainLimit) return drained_();
    drain_timer_ = loop_.scheduler().after(kDrainPoll, [this, waited] { wait_for_end(waited + kDrainPoll); });
  }

  void handle(session::Request request, session::Responder responder) {
    const std::string path(request.head.path());
    if (path == "/healthz") return responder.send(json_response(200, {{"status", "ok"}}));
    if (path == "/_demo/config") return responder.send(configure(request));
    if (path == "/_demo/stats") return responder.send(json_response(200, stats()));
    const bool fails = errors_.fails(options_.behaviour.error_rate);
    ++(fails ? failed_ : served_);
    answer_later(answer(request, fails), std::move(responder));
  }

  Json stats() const {
    return {{"version", options_.version},
            {"pod", options_.pod},
            {"requests", served_ + failed_},
            {"served", served_},
            {"failed", failed_}};
  }

  session::Response configure(const session::Request& request) {
    if (request.head.method == "PUT") {
      const auto change = json::parse(request.body);
      if (!change) return json_response(400, {{"error", change.error().detail}});
      const auto changed = change_behaviour(options_.behaviour, *change);
      if (!changed) return json_response(400, {{"error", changed.error().detail}});
      options_.behaviour = *changed;
      std::printf("behaviour changed: %s\n", json::dump(to_json(*changed)).c_str());
      std::fflush(stdout);
    } else if (request.head.method != "GET") {
      return json_response(405, {{"error", "GET reads the behaviour, PUT changes it"}});
    }
    return json_response(200, to_json(options_.behaviour));
  }

  session::Response answer(const session::Request& request, bool fails) const {
    Json headers = Json::object();
    for (const auto& field : request.head.headers) {
      Json& value = headers[text::lower(field.name)];
      value = value.is_string() ? value.get<std::string>() + ", " + std::string(field.value)
                                : std::string(field.value);
    }
    Json body = {{"version", options_.version},    {"pod", options_.pod},
                 {"method", request.head.method},  {"path", std::string(request.head.target)},
                 {"host", request.head.authority}, {"headers", headers}};
    if (fails) body["error"] = "failing as told";
    auto response = json_response(fails ? 500 : 200, body);
    response.headers.add("x-version", options_.version);
    return response;
  }

  void answer_later(session::Response response, session::Responder responder) {
    const auto& behaviour = options_.behaviour;
    Duration delay = behaviour.latency;
    if (behaviour.jitter.count() > 0)
      delay += Duration(std::uniform_int_distribution<std::int64_t>(0, behaviour.jitter.count())(random_));
    if (delay.count() == 0) return responder.send(std::move(response));
    if (waiting_.size() >= kMaxWaiting)
      return responder.send(json_response(503, {{"error", "too many delayed answers"}}));
    const auto it = waiting_.emplace(waiting_.end());
    it->timer =
        loop_.scheduler().after(delay, [this, it, responder, response = std::move(response)]() mutable {
          const Delayed finished = std::move(*it);  // this very callback must outlive the list's entry
          waiting_.erase(it);
          responder.send(std::move(response));
        });
  }

  net::EventLoop& loop_;
  DemoAppOptions options_;
  ErrorAccumulator errors_;
  std::minstd_rand random_;
  std::int64_t served_ = 0, failed_ = 0;
  std::list<Delayed> waiting_;
  std::function<void()> drained_;
  std::unique_ptr<Scheduler::Timer> drain_timer_;
  std::unique_ptr<session::HttpServer> server_;
};

}  // namespace

Result<double> parse_error_rate(std::string_view text) {
  const bool percent = text.ends_with('%');
  const auto number = text::parse_double(text.substr(0, text.size() - (percent ? 1 : 0)));
  const double rate = number ? *number / (percent ? 100 : 1) : -1;
  if (!(rate >= 0 && rate <= 1)) {
    return Error{ErrorCode::kInvalid, "error rate \"" + std::string(text) +
                                          "\" is no fraction from 0 to 1 and no percentage such as \"20%\""};
  }
  return rate;
}

Result<DemoBehaviour> change_behaviour(DemoBehaviour current, const Json& change) {
  if (!change.is_object())
    return Error{ErrorCode::kInvalid, "expected an object with error_rate, latency_ms, jitter_ms"};
  for (const auto& [name, value] : change.items()) {
    if (name == "error_rate") {
      const auto rate = read_rate(value);
      if (!rate) return rate.error();
      current.error_rate = *rate;
    } else if (name == "latency_ms" || name == "jitter_ms") {
      const auto delay = read_delay(name, value);
      if (!delay) return delay.error();
      (name == "latency_ms" ? current.latency : current.jitter) = *delay;
    } else {
      return Error{ErrorCode::kInvalid,
                   "unknown field " + name + ", expected error_rate, latency_ms or jitter_ms"};
    }
  }
  return current;
}

Json to_json(const DemoBehaviour& behaviour) {
  return {{"error_rate", behaviour.error_rate},
          {"latency_ms", behaviour.latency.count()},
          {"jitter_ms", behaviour.jitter.count()}};
}

// In millionths, so that no rounding adds up.
bool ErrorAccumulator::fails(double rate) {
  millionths_ += std::llround(rate * 1e6);
  if (millionths_ < 1'000'000) return false;
  millionths_ -= 1'000'000;
  return true;
}

Result<std::unique_ptr<DemoApp>> DemoApp::open(net::EventLoop& loop, DemoAppOptions options) {
  auto server = std::make_unique<Server>(loop, std::move(options));
  if (const auto listening = server->listen(); !listening) return listening.error();
  return std::unique_ptr<DemoApp>(std::move(server));
}

int run_demo_app(DemoAppOptions options) {
  net::EventLoop loop;
  const std::string version = options.version;
  auto app = DemoApp::open(loop, std::move(options));
  if (!app) {
    std::fprintf(stderr, "demo-app: %s\n", app.error().detail.c_str());
    return 2;
  }
  asio::signal_set signals(loop.io(), SIGTERM, SIGINT);
  signals.async_wait([&](const auto& error, int) {
    if (error) return;
    std::printf("draining\n");
    std::fflush(stdout);
    (*app)->drain([&] { loop.stop(); });
  });
  std::printf("version %s listens on %s\n", version.c_str(), net::to_string((*app)->address()).c_str());
  std::fflush(stdout);
  loop.run();
  return 0;
}

}  // namespace tidegate::local
