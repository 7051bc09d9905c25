// SPDX-License-Identifier: Apache-2.0
// What session tests share: a loop that runs until something holds, and peers that speak raw bytes over real
// loopback sockets. Time is the fake scheduler's; the loop's own time only bounds a hanging test. Thread: the
// test's.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/event_loop.h"
#include "net/listener.h"
#include "net/stream.h"
#include "net/tls.h"
#include "tests/support/fake_clock.h"

namespace tidegate::session {

// One end that sends what it is told and keeps what it gets.
class RawPeer {
 public:
  RawPeer() = default;
  explicit RawPeer(std::unique_ptr<net::Stream> stream) { attach(std::move(stream)); }

  void attach(std::unique_ptr<net::Stream> stream) {
    stream_ = std::move(stream);
    if (reads_) read();
  }
  void send(std::string bytes) {
    sent_.push_back(std::make_unique<std::string>(std::move(bytes)));
    if (sent_.size() == 1) write();
  }
  void stop_reading() { reads_ = false; }
  void resume_reading() {
    reads_ = true;
    read();
  }
  void close() { stream_->close(); }
  void half_close() { stream_->shutdown_write(); }

  bool connected() const { return stream_ != nullptr; }
  const std::string& received() const { return received_; }
  std::string take() { return std::exchange(received_, {}); }
  bool ended() const { return ended_; }    // the other end closed, properly or not
  bool broken() const { return broken_; }  // by a reset
  bool all_sent() const { return sent_.empty(); }
  net::Stream& stream() { return *stream_; }

 private:
  void read() {
    if (reading_) return;
    reading_ = true;
    stream_->read(buffer_, [this](Result<std::size_t> bytes) {
      reading_ = false;
      if (!bytes || *bytes == 0) {
        ended_ = true;
        broken_ = !bytes;
        return;
      }
      received_.append(buffer_.data(), *bytes);
      if (reads_) read();
    });
  }
  void write() {
    const std::string_view parts[] = {*sent_.front()};
    stream_->write(parts, [this](Result<void> done) {
      if (!done) return;
      sent_.erase(sent_.begin());
      if (!sent_.empty()) write();
    });
  }

  std::array<char, 16 * 1024> buffer_;
  std::string received_;
  std::vector<std::unique_ptr<std::string>> sent_;
  bool reads_ = true, reading_ = false, ended_ = false, broken_ = false;
  std::unique_ptr<net::Stream> stream_;
};

class LoopbackTest : public testing::Test {
 protected:
  explicit LoopbackTest(net::EventLoop::Sockets sockets = net::EventLoop::Sockets::kAsio) : loop_(sockets) {}
  bool run_until(const std::function<bool()>& holds) {
    const auto limit = system_clock().steady_now() + std::chrono::seconds(60);
    while (!holds() && system_clock().steady_now() < limit) {
      loop_.io().restart();
      loop_.io().run_one_for(std::chrono::milliseconds(2));
      scheduler_.run_posted();
    }
    EXPECT_TRUE(holds()) << "waited in vain";
    return holds();
  }
  // Lets everything that is under way on loopback arrive.
  void settle() {
    for (int quiet = 0; quiet < 3;) {
      loop_.io().restart();
      scheduler_.run_posted();
      quiet = loop_.io().run_one_for(std::chrono::milliseconds(2)) == 0 ? quiet + 1 : 0;
    }
  }
  std::unique_ptr<RawPeer> connect(const net::Address& address,
                                   std::shared_ptr<net::TlsContext> tls = nullptr,
                                   const std::string& server_name = {}) {
    net::ConnectOptions options;
    options.address = address;
    options.tls = std::move(tls);
    options.server_name = server_name;
    auto peer = std::make_unique<RawPeer>();
    bool failed = false;
    const auto handle = net::connect(loop_.io(), options, [&](Result<std::unique_ptr<net::Stream>> stream) {
      if (stream)
        peer->attach(std::move(*stream));
      else
        failed = true;
    });
    run_until([&] { return failed || peer->connected(); });
    return failed ? nullptr : std::move(peer);
  }

  net::EventLoop loop_;
  test::FakeScheduler scheduler_;
};

// A certificate authority of the tests, and what it signs.
inline const net::KeyPair& test_authority() {
  static const net::KeyPair pair =
      net::make_certificate_authority("test CA", system_clock().now()).value_or({});
  return pair;
}

inline net::KeyPair test_certificate(const std::string& name, bool client) {
  net::CertificateRequest request;
  request.common_name = name;
  request.client = client;
  if (!client) {
    request.dns_names = {name};
    request.ip_addresses = {"127.0.0.1"};
  }
  return net::make_certificate(test_authority(), request, system_clock().now()).value_or({});
}

inline std::shared_ptr<net::TlsContext> test_server_tls(bool require_client) {
  net::ServerTlsOptions options;
  options.identity = test_certificate("gate.test", false);
  if (require_client) options.client_ca_pem = test_authority().certificate_pem;
  options.require_client_certificate = require_client;
  return net::make_server_tls(options).value_or(nullptr);
}

inline std::shared_ptr<net::TlsContext> test_client_tls(const std::string& client_name) {
  net::ClientTlsOptions options;
  options.ca_pem = test_authority().certificate_pem;
  if (!client_name.empty()) options.identity = test_certificate(client_name, true);
  return net::make_client_tls(options).value_or(nullptr);
}

}  // namespace tidegate::session
