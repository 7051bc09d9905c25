// SPDX-License-Identifier: Apache-2.0
#include "proxy/mixed_load.h"

#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "http/h2_peer.h"
#include "proxy/testbed.h"

namespace tidegate::proxy::test {
namespace {

constexpr std::size_t kPostBytes = 2048;
constexpr int kPostEvery = 4;
const std::string kEcho = "still here?\n";
// One gRPC message: not compressed, 4 bytes of length.
const std::string kCall("\0\0\0\0\5hello", 10);

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
  virtual void echo() {}
  virtual void finish() {}  // what stays open ends now

 protected:
  virtual void begin() = 0;
  virtual void received(std::string_view bytes) = 0;
  virtual bool may_end() { return false; }

  bool post() { return ++asked_ % kPostEvery == 0; }
  void send(std::string bytes) {
    out_.push_back(std::move(bytes));
    if (out_.size() == 1) write();
  }
  void shut_down() { stream_->shutdown_write(); }
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
    if (!may_end()) load_.lost(why);
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

class MixedLoad::Http1WebSocket final : public Connection {
 public:
  Http1WebSocket(MixedLoad& load, const LoadKind& kind) : Connection(load, kind), path_(kind.path) {}
  void echo() override { send(kEcho); }
  void finish() override {
    finishing_ = true;
    shut_down();
  }

 private:
  void begin() override {
    send("GET " + path_ + " HTTP/1.1\r\nHost: " + load_.host_ +
         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  }
  void received(std::string_view bytes) override {
    in_ += bytes;
    if (!open_) {
      const auto end = in_.find("\r\n\r\n");
      if (end == std::string::npos) return;
      if (!in_.starts_with("HTTP/1.1 101 ") || in_.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") > end)
        return load_.answered(0, in_);
      in_.erase(0, end + 4);
      open_ = true;
      ++load_.tunnels_;
    }
    if (!load_.take_echoes(in_)) load_.answered(0, in_);
  }
  bool may_end() override {
    if (finishing_) load_.answered(200, {});
    return finishing_;
  }
  const std::string path_;
  std::string in_;
  bool open_ = false, finishing_ = false;
};

class MixedLoad::Http2 final : public Connection {
 public:
  Http2(MixedLoad& load, const LoadKind& kind)
      : Connection(load, kind), speaks_(kind.speaks), path_(kind.path), at_once_(kind.at_once) {}
  void echo() override {
    for (const auto id : staying_) end_.session.send_data(id, kEcho);
    send(end_.take());
  }
  void finish() override {
    for (const auto id : staying_) end_.session.send_end(id, {});
    send(end_.take());
  }

 private:
  void begin() override {
    for (int i = 0; i < at_once_; ++i) ask();
    send(end_.take());
  }
  bool stays() const { return speaks_ == Speaks::kGrpcStream || speaks_ == Speaks::kWebSocket; }
  void ask() {
    http::RequestHead head;
    const bool grpc = speaks_ == Speaks::kGrpc || speaks_ == Speaks::kGrpcStream;
    const bool with_body = grpc || (speaks_ == Speaks::kWeb && post());
    head.method = with_body ? "POST" : "GET";
    head.target = path_;
    head.authority = load_.host_;
    if (with_body && !grpc) head.content_length = kPostBytes;
    if (grpc) head.content_length.reset();
    if (grpc) head.headers.add("content-type", "application/grpc");
    if (speaks_ == Speaks::kWebSocket) head.headers.add("upgrade", "websocket");
    const auto id = end_.session.request(head, "http", !with_body && !stays());
    if (id == 0) return load_.lost("no more streams");
    ++open_;
    if (stays()) return staying_.push_back(id);
    if (!with_body) return;
    end_.session.send_data(id, grpc ? kCall : std::string(kPostBytes, 'p'));
    end_.session.send_end(id, {});
  }
  bool whole(const http::H2Story::Message& message) const {
    if (!message.ended) return false;
    switch (speaks_) {
      case Speaks::kWeb:
        return true;
      case Speaks::kGrpc:
        return message.body == kCall && message.trailers.get("grpc-status") == "0";
      case Speaks::kGrpcStream:
        return load_.stopping_ && message.trailers.get("grpc-status") == "0";
      case Speaks::kWebSocket:
        return load_.stopping_;
    }
    return false;
  }
  void take_echoes(http::H2StreamId id, http::H2Story::Message& message) {
    const int granted = speaks_ == Speaks::kWebSocket ? 101 : 200;
    if (message.response.status == granted && message.has_head && standing_.insert(id).second)
      ++load_.tunnels_;
    if (!load_.take_echoes(message.body)) load_.answered(0, message.body);
  }
  int verdict(const http::H2Story::Message& message) const {
    if (!whole(message)) return 0;
    return stays() ? 200 : message.response.status;
  }
  void received(std::string_view bytes) override {
    end_.feed(bytes);
    auto& messages = end_.story.messages;
    for (auto it = messages.begin(); it != messages.end();) {
      auto& message = it->second;
      if (stays()) take_echoes(it->first, message);
      if (!message.closed) {
        ++it;
        continue;
      }
      load_.answered(verdict(message), message.body);
      it = messages.erase(it);
      --open_;
      if (!load_.stopping_ && !stays() && end_.story.goaways == 0) ask();
    }
    if (std::string out = end_.take(); !out.empty()) send(std::move(out));
    if (open_ == 0) quiet();
  }
  http::H2End end_{http::H2Session::Role::kClient};
  const Speaks speaks_;
  const std::string path_;
  const int at_once_;
  std::vector<http::H2StreamId> staying_;
  std::set<http::H2StreamId> standing_;
  int open_ = 0;
};

MixedLoad::MixedLoad(const std::vector<LoadKind>& kinds, std::string host) : host_(std::move(host)) {
  for (const LoadKind& kind : kinds) {
    for (int i = 0; i < kind.connections; ++i) {
      if (kind.http2)
        connections_.push_back(std::make_unique<Http2>(*this, kind));
      else if (kind.speaks == Speaks::kWebSocket)
        connections_.push_back(std::make_unique<Http1WebSocket>(*this, kind));
      else
        connections_.push_back(std::make_unique<Http1>(*this, kind));
    }
  }
  thread_ = std::thread([this] { loop_.run(); });
}

MixedLoad::~MixedLoad() { stop(); }

void MixedLoad::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] {
    stopping_ = true;
    for (const auto& connection : connections_) connection->finish();
  });
  thread_.join();
}

void MixedLoad::echo() {
  loop_.post([this] {
    for (const auto& connection : connections_) connection->echo();
  });
}

// False: it is something else.
bool MixedLoad::take_echoes(std::string& from) {
  for (; from.starts_with(kEcho); from.erase(0, kEcho.size())) ++echoed_;
  return kEcho.starts_with(from);
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
