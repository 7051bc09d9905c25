// SPDX-License-Identifier: Apache-2.0
// A plain HTTP(S) server over streams.h for the API server, the admin port and the demo workload: whole
// requests in (bounded), whole or streamed responses out. Thread: its loop's. Owns: its listener and
// connections.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/listener.h"
#include "net/tls.h"
#include "session/limits.h"
#include "session/streams.h"

namespace tidegate::session {

struct Request {
  http::RequestHead head;
  std::string body;
  std::string client_address;
  std::string client_common_name;  // of a verified client certificate; empty: none
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  http::Headers headers = {};
};

// The answer to one request; copies share it. Calls after the end, or after the client left, do nothing.
class Responder {
 public:
  explicit Responder(std::shared_ptr<class ResponderState> state) : state_(std::move(state)) {}

  void send(Response response);

  // A streamed answer (watch, follow): begin() once, then write() and end(). write() returns false once the
  // client has left or more than `max_unsent` bytes wait for a slow reader: the caller then stops and the
  // connection is cut.
  void begin(int status, std::string_view content_type);
  bool write(std::string_view data);
  void end();
  void on_closed(std::function<void()> callback);  // the client left, or was cut, before end()
  bool closed() const;

 private:
  std::shared_ptr<class ResponderState> state_;
};

class HttpServer {
 public:
  struct Options {
    net::Address address;                  // port 0: any
    std::shared_ptr<net::TlsContext> tls;  // null: plain
    ServerLimits limits;
    std::size_t max_body_bytes = 3 * 1024 * 1024;    // 413 past it
    std::size_t max_unsent_bytes = 4 * 1024 * 1024;  // a streamed response's backlog
  };
  using Handler = std::function<void(Request, Responder)>;

  static Result<std::unique_ptr<HttpServer>> open(asio::io_context& io, Scheduler& scheduler, Options options,
                                                  Handler handler);
  virtual ~HttpServer() = default;  // closes everything at once
  virtual net::Address address() const = 0;
  virtual void drain() = 0;  // stop accepting; connections close after the response under way
  virtual std::size_t connections() const = 0;
};

}  // namespace tidegate::session
