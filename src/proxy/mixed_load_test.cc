// SPDX-License-Identifier: Apache-2.0
#include "proxy/mixed_load.h"

#include <gtest/gtest.h>

#include <deque>

#include "http/h2_peer.h"
#include "proxy/testbed.h"

namespace tidegate::proxy::test {
namespace {

constexpr std::size_t kPostBytes = 2048;
constexpr int kPostEvery = 4;

}  // namespace

class MixedLoad::Connection {
 public:
  Connection(MixedLoad& load, const LoadKind& kind) : load_(load) {
    ++load_.busy_;
    connecting_ = net::connect(load.loop_.io(), {kind.address, kind.tls, load.host_}, [this](auto stream) {
      if (!stream) return end(stream.error().detail);
      stream_ = std::move(*stream);
      ++load_.standing_;
      read();
      begin();
    });
  }
  virtual ~Connection() = default;

 protected:
  virtual void begin() = 0;
  virtual void received(std::string_view bytes) = 0;

  bool post() { return ++asked_ % kPostEvery == 0; }
  void send(std::string bytes) {
    out_.push_back(std::move(bytes));
    if (out_.size() == 1) write();
  }
  void quiet() {
    quiet_ = true;
    if (--load_.busy_ == 0) load_.loop_.stop();
  }
  MixedLoad& load_;

 private:
  void read() {
    stream_->read(buffer_, [this](Result<std::size_t> bytes) {
      if (!bytes || *bytes == 0) return end(bytes ? "it was closed" : bytes.error().detail);
      received({buffer_.data(), *bytes});
      read();
    });
  }
  void write() {
    const std::string_view parts[] = {out_.front()};
    stream_->write(parts, [this](Result<void> sent) {
      if (!sent) return;  // the read tells
      out_.pop_front();
      if (!out_.empty()) write();
    });
  }
  void end(std::string_view why) {
    load_.lost(why);
    if (!quiet_) quiet();
  }

  std::unique_ptr<net::Handshake> connecting_;
  std::array<char, 16 * 1024> buffer_;
  std::deque<std::string> out_;
  std::unique_ptr<net::Stream> stream_;
  int asked_ = 0;
  bool quiet_ = false;
};

class MixedLoad::Http1 final : public Connection {
 public:
  using Connection::Connection;

 private:
  void begin() override {
    if (load_.stopping_) return quiet();
    const bool with_body = post();
    std::string request = (with_body ? "POST" : "GET") + (" / HTTP/1.1\r\nHost: " + load_.host_) + "\r\n";
    if (with_body) request += "Content-Length: " + std::to_string(kPostBytes) + "\r\n";
    send(request + "\r\n" + std::string(with_body ? kPostBytes : 0, 'p'));
  }
  void received(std::string_view bytes) override {
    in_ += bytes;
    const auto head = in_.find("\r\n\r\n");
    if (head == std::string::npos) return;
    const auto field = in_.find("Content-Length: ");
    const std::size_t length = field < head ? std::stoul(in_.substr(field + 16)) : 0;
    if (in_.size() < head + 4 + length) return;
    const std::string answer = std::exchange(in_, {});
    load_.answered(std::stoi(answer.substr(9, 3)), std::string_view(answer).substr(head + 4));
    begin();
  }
  std::string in_;
};

class MixedLoad::Http2 final : public Connection {
 public:
  Http2(MixedLoad& load, const LoadKind& kind) : Connection(load, kind), at_once_(kind.at_once) {}

 private:
  void begin() override {
    for (int i = 0; i < at_once_; ++i) ask();
    send(end_.take());
  }
  void ask() {
    http::RequestHead head;
    const bool with_body = post();
    head.method = with_body ? "POST" : "GET";
    head.target = "/";
    head.authority = load_.host_;
    if (with_body) head.content_length = kPostBytes;
    const auto id = end_.session.request(head, "http", !with_body);
    if (id == 0) return load_.lost("no more streams");
    ++open_;
    if (!with_body) return;
    end_.session.send_data(id, std::string(kPostBytes, 'p'));
    end_.session.send_end(id, {});
  }
  void received(std::string_view bytes) override {
    end_.feed(bytes);
    auto& messages = end_.story.messages;
    for (auto it = messages.begin(); it != messages.end();) {
      const auto& message = it->second;
      if (!message.closed) {
        ++it;
        continue;
      }
      load_.answered(message.ended ? message.response.status : 0, message.body);
      it = messages.erase(it);
      --open_;
      if (!load_.stopping_ && end_.story.goaways == 0) ask();
    }
    if (std::string out = end_.take(); !out.empty()) send(std::move(out));
    if (open_ == 0) quiet();
  }
  http::H2End end_{http::H2Session::Role::kClient};
  const int at_once_;
  int open_ = 0;
};

MixedLoad::MixedLoad(const std::vector<LoadKind>& kinds, std::string host) : host_(std::move(host)) {
  for (const LoadKind& kind : kinds) {
    for (int i = 0; i < kind.connections; ++i) {
      if (kind.http2)
        connections_.push_back(std::make_unique<Http2>(*this, kind));
      else
        connections_.push_back(std::make_unique<Http1>(*this, kind));
    }
  }
  thread_ = std::thread([this] { loop_.run(); });
}

MixedLoad::~MixedLoad() { stop(); }

void MixedLoad::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] { stopping_ = true; });
  thread_.join();
}

void MixedLoad::answered(int status, std::string_view body) {
  if (status != 200) {
    ++failed_;
    if (first_failure_.empty()) first_failure_ = std::to_string(status) + " " + std::string(body);
  }
  ++done_;
}

void MixedLoad::lost(std::string_view why) {
  ++closed_;
  if (first_failure_.empty()) first_failure_ = "a connection ended: " + std::string(why);
}

namespace {

// A load that can't fail would prove nothing.
TEST(MixedLoad, SeesBadAnswersAndClosedConnections) {
  FakeBackend bad(
      [](const std::string&) { return std::string("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"); });
  FakeBackend leaves([](const std::string&) { return ok("x"); }, 10);
  const auto address = [](const FakeBackend& backend) {
    return net::Address{backend.endpoint().ip, backend.endpoint().port};
  };
  const std::vector<LoadKind> failing = {{address(bad)}}, closing = {{address(leaves)}};
  MixedLoad sees_failures(failing), sees_ends(closing);
  while (sees_failures.done() < 10 || sees_ends.closed() < 2) std::this_thread::yield();
  sees_failures.stop();
  sees_ends.stop();
  EXPECT_EQ(sees_failures.failed(), sees_failures.done());
  EXPECT_EQ(sees_failures.closed(), 0);
  EXPECT_EQ(sees_ends.failed(), 0);
  EXPECT_NE(sees_ends.first_failure().find("ended"), std::string::npos);
}

}  // namespace

}  // namespace tidegate::proxy::test
