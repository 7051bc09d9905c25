// SPDX-License-Identifier: Apache-2.0
// What the tests of this folder run against: backends and clients over plain blocking sockets, sharing no
// code with what is tested, and a Runtime on a control loop. Addresses are this process's own part of 127/8,
// so that test programs may run at once. Thread: the test's; backends have threads of their own.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "net/event_loop.h"
#include "net/stream.h"
#include "proxy/runtime.h"
#include "routing/table.h"

namespace tidegate::proxy::test {

// Blocking sockets; reads and writes are given up after a while, and connecting gives -1.
int listen_on(net::Address& address);  // fills in the port
int connect_to(const net::Address& address, int receive_buffer = 0);
bool write_all(int fd, std::string_view bytes);
bool read_some(int fd, std::string& into);
std::string own_ip();

net::Address free_address();  // an address of our own with a port that nobody is given again

// "HTTP/1.1 200 OK" with that body.
std::string ok(std::string_view body);

// Serves each connection on a thread; one request after the other, bodies by Content-Length or chunks.
class FakeBackend {
 public:
  // Gets the whole request, its trailers among the headers and its body without framing; returns the bytes of
  // the response. Empty: closes instead.
  using Handler = std::function<std::string(const std::string& request)>;
  explicit FakeBackend(
      Handler handler,
      int close_every = 0);  // close_every n: hangs up after every n-th response, without a word
  explicit FakeBackend(std::string body) : FakeBackend([body](const std::string&) { return ok(body); }) {}
  ~FakeBackend();

  routing::Endpoint endpoint() const { return {address_.ip, address_.port, false}; }
  int requests() const { return requests_; }
  int connections() const { return accepted_; }
  std::size_t open_connections() const;
  std::string last_request() const;

 private:
  void accept_all();
  void serve(int fd);

  Handler handler_;
  int close_every_;
  net::Address address_;
  int listener_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<int> requests_{0}, accepted_{0};
  mutable std::mutex mutex_;
  std::string last_request_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

struct Reply {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::map<std::string, std::string> trailers;
};

// A keep-alive connection.
class Client {
 public:
  explicit Client(const net::Address& address, int receive_buffer = 0);
  ~Client();
  Client(const Client&) = delete;
  bool connected() const { return fd_ >= 0; }
  bool send(std::string_view bytes);
  std::optional<Reply> receive(bool head_request = false);  // nullopt: closed or cut
  std::optional<Reply> request(std::string_view bytes) { return send(bytes) ? receive() : std::nullopt; }
  std::optional<Reply> get(const std::string& path, const std::string& host = "shop.example",
                           const std::string& more = {});
  bool closed();  // waits until the other side closes (5 s)

 private:
  bool fill();  // reads some more
  int fd_ = -1;
  std::string buffer_;
};

// Parts of a table that can still be changed.
struct DraftListener : routing::Listener {
  std::vector<routing::Rule> rules;  // in place of the listener's own
};
struct Draft {
  std::uint64_t generation = 0;
  std::vector<DraftListener> listeners;
  std::vector<routing::Backend> backends;
};

// A table in the making, with one listener.
class TableBuilder {
 public:
  explicit TableBuilder(const net::Address& address, std::string hostname = {});
  std::uint32_t backend(std::string name, std::vector<routing::Endpoint> endpoints);
  routing::Rule& rule(std::string prefix, std::vector<routing::WeightedBackend> backends);
  DraftListener& listener() { return table.listeners.front(); }
  routing::TablePtr build();  // shares with the one that it built before what did not change

  Draft table;

 private:
  routing::TablePtr latest_;
};

// A Runtime with its control loop, which runs while the test waits.
class ProxyUnderTest {
 public:
  explicit ProxyUnderTest(int workers = 1, Runtime::Options options = {});
  ~ProxyUnderTest();

  void publish(routing::TablePtr table);               // waits until all workers serve it
  bool wait_until(const std::function<bool()>& done);  // runs the control loop; false after a minute
  // The sum over series of this family whose text holds all of `labels`; -1: no such series.
  double metric(const std::string& family, const std::vector<std::string>& labels = {}) const;
  std::string metrics() const;

  net::EventLoop control;
  std::vector<Runtime::Applied> applied;
  std::unique_ptr<Runtime> runtime;
};

}  // namespace tidegate::proxy::test
