// SPDX-License-Identifier: Apache-2.0
// One call to an API server, tried again where that is safe: the floor under client.h. Knows HTTP and Status,
// no resources. Thread: control. Owns: the HTTP client. Coroutines hold the Caller, so that it lives until
// they end; close() ends them early.
#pragma once

#include <memory>
#include <random>
#include <string>

#include "kube/client.h"

namespace tidegate::kube {

struct Call {
  std::string what;  // for errors: "get httproutes shop/checkout"
  std::string method = "GET";
  std::string target = {};
  std::string content_type = {};
  std::string body = {};
};

class Caller {
 public:
  Caller(asio::io_context& io, Scheduler& scheduler, ClientConfig config);

  // The body of a 2xx answer.
  static Task<Result<std::string>> send(std::shared_ptr<Caller> self, Call call);

  // Whether the callbacks' on_head sees a 2xx is theirs to look at. nullptr once closed.
  std::unique_ptr<session::HttpClient::Handle> stream(std::string target,
                                                      session::HttpClient::StreamCallbacks callbacks);

  void close();  // calls under way and those to come end with kCancelled
  asio::io_context& io() { return io_; }
  Scheduler& scheduler() { return scheduler_; }
  std::uint64_t random() { return random_(); }

 private:
  session::ClientRequest make_request(const Call& call);
  const std::string& token();

  asio::io_context& io_;
  Scheduler& scheduler_;
  const ClientConfig config_;
  std::unique_ptr<session::HttpClient> http_;
  std::mt19937_64 random_;
  std::string token_;
  SteadyTime token_read_{};
};

}  // namespace tidegate::kube
