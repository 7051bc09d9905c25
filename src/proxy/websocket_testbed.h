// SPDX-License-Identifier: Apache-2.0
// Both ends of a WebSocket over HTTP/1.1 for the tests of this folder, by blocking sockets. Thread: the
// test's; backends have threads of their own.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "net/digest.h"
#include "proxy/testbed.h"

namespace tidegate::proxy::test {

inline const std::string kAsk =
    "GET /chat HTTP/1.1\r\nHost: shop.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\n"
    "Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n";
// RFC 6455 section 5.7: "Hello" with a mask, and without one.
inline const std::string kHelloMasked("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11);
inline const std::string kHello("\x81\x05Hello", 7);

// RFC 6455 section 1.3.
inline std::string accept_of(std::string key) {
  key += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  return text::base64_encode(net::sha1(key));
}

// Of a head's field, by its name as it was sent; empty: there is none.
inline std::string field(const std::string& head, const std::string& name) {
  const auto at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const auto begin = at + 4 + name.size();
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

inline std::string granted(const std::string& asked) {
  std::string key = field(asked, "Sec-WebSocket-Key");
  if (key.empty()) key = field(asked, "sec-websocket-key");
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         accept_of(key) + "\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
}

// Grants what asks for a WebSocket, then sends back whatever comes until the other side ends.
class EchoingBackend {
 public:
  explicit EchoingBackend(std::string greeting = kHello)
      : greeting_(std::move(greeting)), address_{own_ip(), 0}, listener_(listen_on(address_)) {
    acceptor_ = std::thread([this] {
      for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;)
        threads_.emplace_back([this, fd] { serve(fd); });
    });
  }
  ~EchoingBackend() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    for (auto& thread : threads_) thread.join();
  }
  routing::Endpoint endpoint() const { return {address_.ip, address_.port, false}; }
  int granted_so_far() const { return asked_for_; }
  std::string asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  void serve(int fd) {
    std::string in;
    while (in.find("\r\n\r\n") == std::string::npos && read_some(fd, in)) {
    }
    {
      const std::lock_guard lock(mutex_);
      asked_ = in;
    }
    ++asked_for_;
    const std::string head = granted(in);
    in.clear();
    // The first frame comes with the head, as of a server that greets.
    bool open = write_all(fd, head + greeting_);
    while (open && read_some(fd, in)) open = write_all(fd, std::exchange(in, {}));
    ::close(fd);
  }
  const std::string greeting_;
  net::Address address_;
  int listener_;
  std::atomic<int> asked_for_{0};
  mutable std::mutex mutex_;
  std::string asked_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

class Socket {
 public:
  explicit Socket(const net::Address& address) : fd_(connect_to(address)) {}
  ~Socket() { ::close(fd_); }
  Socket(const Socket&) = delete;
  bool send(std::string_view bytes) { return write_all(fd_, bytes); }
  // Exactly so many bytes; fewer: the connection ended.
  std::string receive(std::size_t size) {
    while (in_.size() < size && read_some(fd_, in_)) {
    }
    std::string out = in_.substr(0, size);
    in_.erase(0, out.size());
    return out;
  }
  std::string receive_head() {
    std::size_t end;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
      if (!read_some(fd_, in_)) return {};
    }
    return receive(end + 4);
  }
  void half_close() { ::shutdown(fd_, SHUT_WR); }
  bool ended() { return in_.empty() && !read_some(fd_, in_) && in_.empty(); }

 private:
  int fd_;
  std::string in_;
};

}  // namespace tidegate::proxy::test
