// SPDX-License-Identifier: Apache-2.0
// HTTP/2 peers for the tests of this folder, over plain blocking sockets; their framing is nghttp2's. Thread:
// the test's; backends have threads of their own.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <set>

#include "http/h2_peer.h"
#include "proxy/testbed.h"

namespace tidegate::proxy::test {

using H2Message = http::H2Story::Message;

struct H2Answer {
  http::ResponseHead head;
  std::string body;
  http::Headers trailers;
  bool head_only = false;
  bool breaks_off = false;  // behind the body
  bool refuses = false;     // as not processed
};

// Serves HTTP/2 with prior knowledge alone.
class H2Backend {
 public:
  using Handler = std::function<H2Answer(const H2Message& request)>;
  explicit H2Backend(Handler handler)
      : handler_(std::move(handler)), address_{own_ip(), 0}, listener_(listen_on(address_)) {
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~H2Backend() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
  }
  // Sends back each part of a request's body as it comes, as a gRPC stream does.
  static Handler echo_as_it_comes() { return nullptr; }

  routing::Endpoint endpoint() const { return {address_.ip, address_.port, false}; }
  int connections() const { return accepted_; }
  int requests() const { return requests_; }

 private:
  void accept_all() {
    while (true) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ++accepted_;
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  }
  void serve(int fd) {
    http::H2End end(http::H2Session::Role::kServer);
    std::set<http::H2StreamId> answered;
    std::vector<http::H2StreamId> cut;  // once what is there has been sent
    if (handler_)
      end.story.then = [&](auto id) {
        if (!answer(end, id)) cut.push_back(id);
      };
    std::string in;
    while (write_all(fd, end.take()) && read_some(fd, in)) {
      if (!end.feed(std::exchange(in, {}))) break;
      if (!handler_) echo(end, answered);
      if (!cut.empty() && !write_all(fd, end.take())) break;
      for (const auto id : std::exchange(cut, {})) end.session.reset(id, http::H2Code::kInternal);
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
  }
  bool answer(http::H2End& end, http::H2StreamId id) {
    ++requests_;
    const H2Answer answer = handler_(end.story.messages[id]);
    if (answer.refuses) return end.session.reset(id, http::H2Code::kRefused), true;
    end.session.respond(id, answer.head, answer.head_only);
    end.session.send_data(id, answer.body);
    if (!answer.head_only && !answer.breaks_off) end.session.send_end(id, answer.trailers);
    return !answer.breaks_off;
  }
  void echo(http::H2End& end, std::set<http::H2StreamId>& answered) {
    std::erase_if(end.story.messages, [](const auto& entry) { return entry.second.closed.has_value(); });
    for (auto& [id, message] : end.story.messages) {
      if (answered.insert(id).second) {
        ++requests_;
        http::ResponseHead head;
        if (http::opens_websocket(message.request)) head.status = 101;
        head.headers.add("content-type", "application/grpc");
        end.session.respond(id, head, false);
      }
      end.session.send_data(id, std::exchange(message.body, {}));
      if (message.ended) end.session.send_end(id, {{"grpc-status", "0"}});
    }
  }

  const Handler handler_;
  net::Address address_;
  int listener_;
  std::atomic<int> accepted_{0}, requests_{0};
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

class H2Client {
 public:
  explicit H2Client(const net::Address& address) : fd_(connect_to(address)) {}
  ~H2Client() {
    if (fd_ >= 0) ::close(fd_);
  }
  H2Client(const H2Client&) = delete;

  http::H2StreamId ask(const http::RequestHead& head, bool end) {
    const auto id = end_.session.request(head, "http", end);
    flush();
    return id;
  }
  void send_data(http::H2StreamId id, std::string_view data) {
    end_.session.send_data(id, data);
    flush();
  }
  void send_end(http::H2StreamId id, const http::Headers& trailers = {}) {
    end_.session.send_end(id, trailers);
    flush();
  }
  void reset(http::H2StreamId id) {
    end_.session.reset(id, http::H2Code::kCancel);
    flush();
  }
  // False: the connection ended, or too much time passed.
  bool wait_until(const std::function<bool()>& holds) {
    std::string in;
    while (!holds()) {
      if (!read_some(fd_, in) || !end_.feed(std::exchange(in, {})) || !flush()) return holds();
    }
    return true;
  }
  H2Message& got(http::H2StreamId id) { return end_.story.messages[id]; }
  // nullopt: reset, or cut.
  std::optional<H2Message> receive(http::H2StreamId id) {
    wait_until([&] { return got(id).ended || got(id).closed; });
    return got(id).ended ? std::optional(got(id)) : std::nullopt;
  }

 private:
  bool flush() { return write_all(fd_, end_.take()); }
  int fd_;
  http::H2End end_{http::H2Session::Role::kClient};
};

}  // namespace tidegate::proxy::test
