// SPDX-License-Identifier: Apache-2.0
// Clients of tests that ask without a pause on connections which they keep: HTTP/1.1 and HTTP/2, plain and
// over TLS; gRPC calls; and WebSockets and gRPC streams that stay open, and send on echo(). Each answer is
// checked, and each connection or stream that ends before stop() is counted. Their framing is their own
// (HTTP/1.1) or nghttp2's (HTTP/2). Thread: one of its own; counts may be read by any.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "net/event_loop.h"
#include "net/stream.h"
#include "net/tls.h"
#include "proxy/work_guard.h"

namespace tidegate::proxy::test {

enum class Speaks : std::uint8_t {
  kWeb,         // GETs, and each fourth request a POST of 2 KiB; every answer must be a 200
  kGrpc,        // calls over HTTP/2; the answer is what was sent, and its trailers say 0
  kGrpcStream,  // one call that ends with stop(), its trailers checked
  kWebSocket,
};

struct LoadKind {
  net::Address address;
  bool http2 = false;
  std::shared_ptr<net::TlsContext> tls;  // null: plain
  int connections = 2;
  int at_once = 1;  // HTTP/2: streams of each connection
  Speaks speaks = Speaks::kWeb;
  std::string path = "/";
};

class MixedLoad {
 public:
  explicit MixedLoad(const std::vector<LoadKind>& kinds, std::string host = "shop.example");
  ~MixedLoad();
  void stop();  // once the requests under way are answered, and what stays open has ended whole
  void echo();  // what stays open sends once more

  int standing() const { return standing_; }  // connections, also those that ended since
  int done() const { return done_; }          // requests; what stays open counts with its end
  int tunnels() const { return tunnels_; }    // WebSockets and streams that stand, or stood
  int echoed() const { return echoed_; }
  int failed() const { return failed_; }
  int closed() const { return closed_; }  // connections that the other side ended, or that never stood
  std::string first_failure() const { return first_failure_; }  // after stop()

 private:
  class Connection;
  class Http1;
  class Http1WebSocket;
  class Http2;
  void answered(int status, std::string_view body);
  bool take_echoes(std::string& from);
  void lost(std::string_view why);

  net::EventLoop loop_;
  WorkGuard guard_{loop_.io().get_executor()};
  const std::string host_;
  std::vector<std::unique_ptr<Connection>> connections_;
  int busy_ = 0;  // connections with requests under way
  bool stopping_ = false;
  std::atomic<int> standing_{0}, done_{0}, failed_{0}, closed_{0}, tunnels_{0}, echoed_{0};
  std::string first_failure_;
  std::thread thread_;
};

}  // namespace tidegate::proxy::test
