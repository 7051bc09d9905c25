// SPDX-License-Identifier: Apache-2.0
// One request of an HttpServer from its head to the end of its answer: collects the body, hands the request
// over, and writes what the Responder is told. Private to session/, and to tests of what it calls. Thread:
// the loop's.
#pragma once

#include <functional>
#include <memory>

#include "session/http_server.h"

namespace tidegate::session {

class Answering final : public ServerStreamEvents, public std::enable_shared_from_this<Answering> {
 public:
  Answering(http::RequestHead head, std::shared_ptr<ServerStream> stream, const HttpServer::Options& options,
            const HttpServer::Handler& handler);

  void start(bool expects_continue);

  void send(Response response);
  void begin(int status, std::string_view content_type);
  bool write(std::string_view data);
  void end();
  void on_closed(std::function<void()> callback) { closed_callback_ = std::move(callback); }
  bool closed() const { return stream_ == nullptr; }
  bool begun() const { return begun_; }

  void on_data(std::string_view data) override;
  void on_end(const http::Headers& trailers) override;
  void on_writable() override {}
  void on_abort(StreamError error) override;

 private:
  void finish();

  Request request_;
  std::shared_ptr<ServerStream> stream_;  // null once it is over
  const HttpServer::Options& options_;
  const HttpServer::Handler& handler_;
  std::function<void()> closed_callback_;
  const bool head_only_;
  bool begun_ = false;
  std::shared_ptr<Answering> self_;  // while the stream may call
};

// Shared by all copies of a Responder: where the last one goes without an answer, the client gets 500 instead
// of silence.
class ResponderState {
 public:
  explicit ResponderState(std::shared_ptr<Answering> answering) : answering(std::move(answering)) {}
  ~ResponderState();
  std::shared_ptr<Answering> answering;
};

}  // namespace tidegate::session
