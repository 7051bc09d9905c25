// SPDX-License-Identifier: Apache-2.0
// A plain HTTP(S) client over streams.h for one origin: whole responses by coroutine, or streamed ones
// (watch, follow) by callback. Thread: its loop's. Owns: a connection pool. Retries once what is known to be
// unsent; nothing else.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "net/task.h"
#include "session/client_pool.h"

namespace tidegate::session {

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";
  std::string content_type = {};  // with a body
  std::string body = {};
  http::Headers headers = {};
  Duration timeout = std::chrono::seconds(30);  // of the whole call; streamed: until the response head
};

struct ClientResponse {
  int status = 0;
  http::Headers headers;
  std::string body;
};

class HttpClient {
 public:
  HttpClient(asio::io_context& io, Scheduler& scheduler, Endpoint endpoint, std::string authority,
             std::size_t max_body_bytes = 64 * 1024 * 1024);
  ~HttpClient();  // calls under way end with kCancelled

  // Errors: kUnavailable (refused, reset), kTimeout, kLimit (body too large), kInternal (the peer broke
  // HTTP). Any status is a value.
  Task<Result<ClientResponse>> send(ClientRequest request);

  // Streamed. on_head decides by status whether to read on; on_end is final (an empty Result where the peer
  // ended it properly). Destroying the handle cancels silently.
  struct StreamCallbacks {
    std::function<void(int status, const http::Headers& headers)> on_head;
    std::function<void(std::string_view data)> on_data;
    std::function<void(Result<void>)> on_end;
  };
  class Handle {
   public:
    virtual ~Handle() = default;
  };
  [[nodiscard]] std::unique_ptr<Handle> stream(ClientRequest request, StreamCallbacks callbacks);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tidegate::session
