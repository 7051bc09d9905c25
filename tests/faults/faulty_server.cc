// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/faulty_server.h"

#include "base/assert.h"
#include "session/responder.h"
#include "tests/faults/faulty_stream.h"

namespace tidegate::test {
namespace {

constexpr Duration kLate =
    std::chrono::milliseconds(700);            // answers and events; within what clients wait for
constexpr std::uint64_t kKeepListsEvery = 40;  // writes

// splitmix64
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

std::uint64_t hash(std::uint64_t seed, const std::string& text, std::uint64_t count) {
  std::uint64_t h = mix(seed);
  for (const char c : text) h = mix(h ^ static_cast<unsigned char>(c));
  return mix(h ^ count);
}

bool is_watch(const http::RequestHead& head) { return head.target.find("watch=1") != std::string::npos; }
bool is_list(const http::RequestHead& head) {
  return head.method == "GET" && head.target.find("limit=") != std::string::npos;
}

const std::vector<Fault>& faults_of(const http::RequestHead& head) {
  static const std::vector<Fault> reads = {Fault::kTooMany,    Fault::kInternal,  Fault::kUnavailable,
                                           Fault::kDropBefore, Fault::kDropAfter, Fault::kDelay};
  static const std::vector<Fault> writes = {Fault::kTooMany,    Fault::kInternal,      Fault::kUnavailable,
                                            Fault::kDropBefore, Fault::kDropAfter,     Fault::kDelay,
                                            Fault::kConflict,   Fault::kConflictAfter, Fault::kInternalAfter};
  static const std::vector<Fault> lists = {Fault::kTooMany,    Fault::kInternal,  Fault::kUnavailable,
                                           Fault::kDropBefore, Fault::kDropAfter, Fault::kDelay,
                                           Fault::kStaleList};
  static const std::vector<Fault> watches = {Fault::kTooMany, Fault::kUnavailable, Fault::kDropBefore,
                                             Fault::kGone};
  if (is_watch(head)) return watches;
  if (is_list(head)) return lists;
  return head.method == "GET" ? reads : writes;
}

// What an answer would have been, for a handler that answers at once.
class Captured final : public session::ServerStream {
 public:
  void set_events(session::ServerStreamEvents*) override {}
  void send_continue() override {}
  void send_head(const http::ResponseHead& head, bool) override { status = head.status; }
  void send_data(std::string_view data) override { body += data; }
  void send_end(const http::Headers&) override {}
  void reset() override {}
  std::size_t unsent_bytes() const override { return 0; }
  void pause() override {}
  void resume() override {}
  const std::string& client_address() const override { return address_; }
  std::string_view client_common_name() const override { return {}; }
  std::string_view server_name() const override { return {}; }

  int status = 0;
  std::string body;

 private:
  const std::string address_ = "127.0.0.1:1";
};

}  // namespace

FaultyServer::FaultyServer(asio::io_context& io, Scheduler& scheduler, Handler handler)
    : scheduler_(scheduler), io_(io), handler_(std::move(handler)) {
  for (const auto fault :
       {Fault::kTooMany, Fault::kInternal, Fault::kUnavailable, Fault::kConflict, Fault::kGone}) {
    refusals_[fault] = [fault](const session::Request&, session::Responder responder) {
      session::Response response;
      http::ResponseHead head = refusal_head(fault, response.body);
      response.status = head.status;
      response.headers = std::move(head.headers);
      responder.send(std::move(response));
    };
  }
  auto opened = net::Listener::open(io_, {{"127.0.0.1", 0}},
                                    [this](net::TcpSocket socket) { accepted(std::move(socket)); });
  TIDEGATE_ASSERT(opened.has_value());
  listener_ = std::move(*opened);
}

FaultyServer::~FaultyServer() {
  alive_.reset();
  timers_.clear();
  listener_.reset();
  for (const auto& connection : std::exchange(connections_, {})) connection->close();
}

void FaultyServer::accepted(net::TcpSocket socket) {
  if (away_) return;  // closed by its destructor
  session::H1ServerOptions options;
  options.limits = &limits_;
  options.handler = this;
  options.scheduler = &scheduler_;
  options.closed = [this, alive = std::weak_ptr<bool>(alive_)](session::ServerConnection* connection) {
    if (alive.expired()) return;
    std::erase_if(connections_, [connection](const auto& one) { return one.get() == connection; });
  };
  connections_.insert(session::serve_h1(net::make_tcp_stream(std::move(socket)), std::move(options)));
}

void FaultyServer::set_away(bool away) {
  away_ = away;
  if (!away) return;
  const auto connections = connections_;
  for (const auto& connection : connections) connection->close();
}

void FaultyServer::thaw(const std::string& agent) {
  frozen_.erase(agent);
  for (const auto& watch : watches_) {
    if (const auto stream = watch.lock(); stream && stream->agent() == agent) stream->flush();
  }
}

void FaultyServer::fail_at_random(std::uint64_t seed, Rates rates) {
  seed_ = seed;
  rates_ = std::move(rates);
}

void FaultyServer::fail_next(std::string method, std::string part, Fault fault, int times) {
  script_.push_back({std::move(method), std::move(part), fault, times});
}

int FaultyServer::met(Fault fault) const {
  const auto found = met_.find(fault);
  return found == met_.end() ? 0 : found->second;
}

Fault FaultyServer::scripted(const http::RequestHead& head) {
  for (auto it = script_.begin(); it != script_.end(); ++it) {
    if (it->method != head.method || head.target.find(it->part) == std::string::npos) continue;
    const Fault fault = it->fault;
    if (--it->times == 0) script_.erase(it);
    ++met_[fault];
    return fault;
  }
  return Fault::kNone;
}

Fault FaultyServer::at_random(const std::string& key, const std::vector<Fault>& kinds) {
  if (rates_.empty()) return Fault::kNone;
  const auto drawn = hash(seed_, key, ++seen_[key]);
  double at = static_cast<double>(drawn % 1'000'000) / 10'000;
  for (const Fault fault : kinds) {
    const auto rate = rates_.find(fault);
    if (rate == rates_.end()) continue;
    if (at < rate->second) return ++met_[fault], fault;
    at -= rate->second;
  }
  return Fault::kNone;
}

Fault FaultyServer::choose(const http::RequestHead& head) {
  if (const Fault fault = scripted(head); fault != Fault::kNone) return fault;
  return at_random(head.method + " " + std::string(head.path()), faults_of(head));
}

void FaultyServer::on_request(http::RequestHead& head, bool expects_continue,
                              std::shared_ptr<session::ServerStream> stream) {
  const Fault fault = choose(head);
  if (fault == Fault::kDropBefore) {
    stream->set_events(nullptr);
    return stream->reset();
  }
  answer(fault, std::move(head), expects_continue, std::move(stream));
}

void FaultyServer::answer(Fault fault, http::RequestHead head, bool expects_continue,
                          std::shared_ptr<session::ServerStream> stream) {
  const bool watch = is_watch(head), list = is_list(head) && !watch;
  const auto refusal = refusals_.find(fault);
  const bool refused = refusal != refusals_.end();
  std::ptrdiff_t write = -1;
  const std::string agent(head.headers.get("User-Agent").value_or(""));
  if (head.method != "GET" && !refused) {
    write = std::ssize(writes_);
    writes_.push_back({agent, head.method, std::string(head.path()), 0});
    if (writes_.size() % kKeepListsEvery == 0 && rates_.contains(Fault::kStaleList)) keep_lists();
  }
  if (list && fault == Fault::kStaleList && !lists_[head.target].empty()) {
    const Handler& stale = stale_.emplace_back(
        [body = lists_[head.target]](const session::Request&, session::Responder responder) {
          responder.send({200, "application/json", body});
        });
    std::make_shared<session::Answering>(std::move(head), std::move(stream), options_, stale)
        ->start(expects_continue);
    return;
  }
  if (list) lists_.try_emplace(head.target);
  auto faulty = std::make_shared<FaultyStream>(*this, std::move(stream), fault, watch,
                                               head.method + " " + std::string(head.path()), agent, write);
  if (watch) {
    std::erase_if(watches_, [](const auto& one) { return one.expired(); });
    watches_.push_back(faulty);
  }
  std::make_shared<session::Answering>(std::move(head), std::move(faulty), options_,
                                       refused ? refusal->second : handler_)
      ->start(expects_continue);
}

void FaultyServer::keep_lists() {
  for (auto& [target, body] : lists_) {
    http::RequestHead head;
    head.method = "GET";
    head.target = target;
    head.headers.set("Accept", "application/json");
    auto captured = std::make_shared<Captured>();
    auto answering = std::make_shared<session::Answering>(std::move(head), captured, options_, handler_);
    answering->start(false);
    answering->on_end({});
    if (captured->status == 200) body = std::move(captured->body);
  }
}

void FaultyServer::later(std::function<void()> call) {
  const auto id = next_timer_++;
  timers_[id] = scheduler_.after(kLate, [this, id, call = std::move(call)] {
    const auto timer = timers_.extract(id);
    call();
  });
}

const char* to_string(Fault fault) {
  static constexpr const char* kNames[] = {"none",           "too many",        "internal",   "unavailable",
                                           "drop before",    "drop after",      "delay",      "conflict",
                                           "conflict after", "internal after",  "stale list", "gone",
                                           "delay events",   "duplicate event", "lose event"};
  return kNames[static_cast<int>(fault)];
}

}  // namespace tidegate::test
