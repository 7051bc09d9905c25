// SPDX-License-Identifier: Apache-2.0
#include "proxy/testbed.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <prometheus/collectable.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "metrics/exposition.h"
#include "routing/share.h"

namespace tidegate::proxy::test {
namespace {

constexpr int kPatienceMs = 60'000;  // only a failing test takes that long

sockaddr_in to_sockaddr(const net::Address& address) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(address.port);
  inet_pton(AF_INET, address.ip.c_str(), &out.sin_addr);
  return out;
}

std::map<std::string, std::string> parse_headers(std::string_view head) {
  std::map<std::string, std::string> out;
  for (const auto line : text::split(head, '\n')) {
    const auto colon = line.find(':');
    if (colon != std::string_view::npos)
      out[text::lower(line.substr(0, colon))] = text::trim(line.substr(colon + 1));
  }
  return out;
}

// The lines up to an empty one, which goes too.
bool take_trailers(std::string& buffer, std::string& trailers, const std::function<bool()>& fill) {
  while (true) {
    std::size_t line;
    while ((line = buffer.find("\r\n")) == std::string::npos) {
      if (!fill()) return false;
    }
    trailers += buffer.substr(0, line == 0 ? 0 : line + 2);
    buffer.erase(0, line + 2);
    if (line == 0) return true;
  }
}

// Takes one message body off the front of `buffer`, which starts behind the head. False: the connection ended
// first.
bool take_body(const std::map<std::string, std::string>& headers, std::string& buffer, std::string& body,
               std::string& trailers, const std::function<bool()>& fill) {
  if (const auto length = headers.find("content-length"); length != headers.end()) {
    const std::size_t size = std::stoul(length->second);
    while (buffer.size() < size) {
      if (!fill()) return false;
    }
    body = buffer.substr(0, size);
    buffer.erase(0, size);
    return true;
  }
  if (!headers.contains("transfer-encoding")) return true;
  while (true) {
    std::size_t line;
    while ((line = buffer.find("\r\n")) == std::string::npos) {
      if (!fill()) return false;
    }
    const std::size_t size = std::stoul(buffer.substr(0, line), nullptr, 16);
    while (buffer.size() < line + 2 + (size == 0 ? 0 : size + 2)) {
      if (!fill()) return false;
    }
    body += buffer.substr(line + 2, size);
    buffer.erase(0, line + 2);
    if (size == 0) return take_trailers(buffer, trailers, fill);
    buffer.erase(0, size + 2);
  }
}

}  // namespace

int listen_on(net::Address& address) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in at = to_sockaddr(address);
  socklen_t size = sizeof at;
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&at), size), 0);
  EXPECT_EQ(::listen(fd, 512), 0);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  address.port = ntohs(at.sin_port);
  return fd;
}

int connect_to(const net::Address& address, int receive_buffer) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer != 0) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const sockaddr_in to = to_sockaddr(address);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return fd;
  ::close(fd);
  return -1;
}

std::string own_ip() {
  const int pid = ::getpid();
  return "127." + std::to_string(64 + (pid >> 16) % 64) + "." + std::to_string((pid >> 8) & 255) + "." +
         std::to_string(pid & 255);
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool read_some(int fd, std::string& into) {
  pollfd waiting{fd, POLLIN, 0};
  if (::poll(&waiting, 1, kPatienceMs) != 1) return false;
  char bytes[16384];
  const auto n = ::recv(fd, bytes, sizeof bytes, 0);
  if (n <= 0) return false;
  into.append(bytes, static_cast<std::size_t>(n));
  return true;
}

// Below the ports that the kernel gives away (ip_local_port_range), or a backend might be given it meanwhile.
net::Address free_address() {
  static std::atomic<std::uint16_t> next = 10'000;
  return {own_ip(), next++};
}

std::string ok(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

FakeBackend::FakeBackend(Handler handler, int close_every)
    : handler_(std::move(handler)),
      close_every_(close_every),
      address_{own_ip(), 0},
      listener_(listen_on(address_)) {
  acceptor_ = std::thread([this] { accept_all(); });
}

FakeBackend::~FakeBackend() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (auto& thread : threads_) thread.join();
}

void FakeBackend::accept_all() {
  while (!stopping_) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ++accepted_;
    const std::lock_guard lock(mutex_);
    open_.push_back(fd);
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void FakeBackend::serve(int fd) {
  std::string buffer;
  const auto fill = [&] { return read_some(fd, buffer); };
  while (!stopping_) {
    std::size_t end;
    bool more = true;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos && (more = fill())) {
    }
    if (!more) break;
    std::string request = buffer.substr(0, end + 2), body, trailers;
    buffer.erase(0, end + 4);
    if (!take_body(parse_headers(request), buffer, body, trailers, fill)) break;
    request += trailers + "\r\n" + body;
    {
      const std::lock_guard lock(mutex_);
      last_request_ = request;
    }
    const int count = ++requests_;
    const std::string response = handler_(request);
    if (response.empty() || !write_all(fd, response)) break;
    if (close_every_ != 0 && count % close_every_ == 0) break;
  }
  const std::lock_guard lock(mutex_);
  std::erase(open_, fd);
  ::close(fd);
}

std::string FakeBackend::last_request() const {
  const std::lock_guard lock(mutex_);
  return last_request_;
}

std::size_t FakeBackend::open_connections() const {
  const std::lock_guard lock(mutex_);
  return open_.size();
}

Client::Client(const net::Address& address, int receive_buffer) : fd_(connect_to(address, receive_buffer)) {}

Client::~Client() {
  if (fd_ >= 0) ::close(fd_);
}

bool Client::send(std::string_view bytes) { return write_all(fd_, bytes); }
bool Client::fill() { return read_some(fd_, buffer_); }

std::optional<Reply> Client::receive(bool head_request) {
  std::size_t end;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  Reply reply;
  reply.status = std::stoi(buffer_.substr(9, 3));
  reply.headers = parse_headers(std::string_view(buffer_).substr(0, end));
  buffer_.erase(0, end + 4);
  if (reply.status == 100) return receive(head_request);
  if (head_request || reply.status == 304 || reply.status == 204) return reply;
  std::string trailers;
  if (!take_body(reply.headers, buffer_, reply.body, trailers, [this] { return fill(); }))
    return std::nullopt;
  reply.trailers = parse_headers(trailers);
  return reply;
}

std::optional<Reply> Client::get(const std::string& path, const std::string& host, const std::string& more) {
  return request("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n");
}

bool Client::closed() {
  pollfd waiting{fd_, POLLIN, 0};
  char byte;
  return ::poll(&waiting, 1, 5'000) == 1 && ::recv(fd_, &byte, 1, 0) <= 0;
}

TableBuilder::TableBuilder(const net::Address& address, std::string hostname) {
  DraftListener listener;
  listener.gateway_ns = "infra";
  listener.gateway = "edge";
  listener.name = "http";
  listener.address = address.ip;
  listener.port = address.port;
  listener.hostname = std::move(hostname);
  table.listeners.push_back(std::move(listener));
}

std::uint32_t TableBuilder::backend(std::string name, std::vector<routing::Endpoint> endpoints) {
  table.backends.push_back({"shop", std::move(name), 80, "http", std::move(endpoints)});
  return static_cast<std::uint32_t>(table.backends.size() - 1);
}

routing::Rule& TableBuilder::rule(std::string prefix, std::vector<routing::WeightedBackend> backends) {
  routing::Rule rule;
  rule.route = {"HTTPRoute", "shop", "web", 1};
  rule.name = std::to_string(listener().rules.size());
  rule.matches = {{{routing::PathMatch::Kind::kPrefix, std::move(prefix)}}};
  rule.backends = std::move(backends);
  return listener().rules.emplace_back(std::move(rule));
}

routing::TablePtr TableBuilder::build() {
  routing::Table out;
  out.generation = ++table.generation;
  for (const DraftListener& draft : table.listeners)
    out.listeners.emplace_back(draft).rules = to_shared(draft.rules);
  out.backends = to_shared(table.backends);
  if (latest_) routing::share(out, *latest_);
  return latest_ = std::make_shared<const routing::Table>(std::move(out));
}

ProxyUnderTest::ProxyUnderTest(int workers, Runtime::Options options) {
  options.workers = workers;
  runtime = std::make_unique<Runtime>(control, std::move(options),
                                      [this](const Runtime::Applied& a) { applied.push_back(a); });
}

ProxyUnderTest::~ProxyUnderTest() { runtime.reset(); }

void ProxyUnderTest::publish(routing::TablePtr table) {
  runtime->publish(table);
  ASSERT_TRUE(wait_until([&] { return !applied.empty() && applied.back().table == table; }));
}

bool ProxyUnderTest::wait_until(const std::function<bool()>& done) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (!done()) {
    if (std::chrono::steady_clock::now() > until) return false;
    control.io().restart();
    control.io().run_one_for(std::chrono::milliseconds(5));
  }
  return true;
}

std::string ProxyUnderTest::metrics() const {
  metrics::Exposition exposition;
  exposition.add(runtime->collectable());
  return exposition.text();
}

double ProxyUnderTest::metric(const std::string& family, const std::vector<std::string>& labels) const {
  double sum = -1;
  const std::string all = metrics();
  for (const auto line : text::split(all, '\n')) {
    if (!line.starts_with(family + "{") && !line.starts_with(family + " ")) continue;
    bool wanted = true;
    for (const auto& label : labels) wanted = wanted && line.find(label) != std::string_view::npos;
    if (wanted) sum = std::max(sum, 0.0) + text::parse_double(line.substr(line.rfind(' ') + 1)).value_or(0);
  }
  return sum;
}

}  // namespace tidegate::proxy::test
