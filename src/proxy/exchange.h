// SPDX-License-Identifier: Apache-2.0
// One request and its response, from the head to the last byte: match, request filters, mirror, pick backend
// and endpoint, forward with retries of what is known unsent, response filters, log. Joins a client's stream
// to a backend's, whatever the protocols. Thread: its worker's. Owns: the backend's stream; pins the table
// that it began with. The worker owns it until it retires.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "proxy/access_log.h"
#include "proxy/backends.h"
#include "proxy/error.h"
#include "proxy/mirror.h"
#include "routing/filters.h"
#include "routing/match.h"
#include "session/streams.h"

namespace tidegate::proxy {

class Worker;

class Exchange {
 public:
  // `port` is of `table`, `head` stays as long as `client` waits for us. The client's address family and TLS
  // state come with the stream.
  Exchange(Worker& worker, WorkerTablePtr table, const routing::CompiledPort& port, http::RequestHead& head,
           bool expects_continue, std::shared_ptr<session::ServerStream> client);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void run();
  void check_deadlines(SteadyTime now);

  std::size_t place = 0;  // among the worker's exchanges; the worker's to set

 private:
  // The two streams' events have equal names: each side gets its own receiver.
  struct ClientSide final : session::ServerStreamEvents {
    explicit ClientSide(Exchange& e) : exchange(e) {}
    void on_data(std::string_view data) override { exchange.on_request_data(data); }
    void on_end(const http::Headers& trailers) override { exchange.on_request_end(trailers); }
    void on_writable() override { exchange.on_client_writable(); }
    void on_abort(session::StreamError) override { exchange.on_client_gone(); }
    Exchange& exchange;
  };
  struct BackendSide final : session::ClientStreamEvents {
    explicit BackendSide(Exchange& e) : exchange(e) {}
    // A stream given up stays until the end of the loop's turn; what it still says is for nobody.
    void on_head(http::ResponseHead& head) override {
      if (exchange.backend_) exchange.on_response_head(head);
    }
    void on_data(std::string_view data) override {
      if (exchange.backend_) exchange.on_response_data(data);
    }
    void on_end(const http::Headers& trailers) override {
      if (exchange.backend_) exchange.on_response_end(trailers);
    }
    void on_writable() override {
      if (exchange.backend_) exchange.on_backend_writable();
    }
    void on_error(session::StreamError error, bool unsent, std::string_view detail) override {
      if (exchange.backend_) exchange.on_backend_error(error, unsent, detail);
    }
    Exchange& exchange;
  };

  // Phases of run(); false: the request has been answered.
  bool match();
  bool may_use_listener() const;
  bool apply_request_filters();
  void mirror();
  bool pick_backend();
  bool pick_endpoint();
  std::optional<std::size_t> find_session();  // the backend of it, where it can go on
  void forward(session::Connections which = session::Connections::kAny);
  void apply_response_filters(http::ResponseHead& head);
  void keep_session(http::ResponseHead& head);
  std::uint64_t split_point();  // on the circle of the rule's weights
  void open_tunnel(http::ResponseHead& head);
  void log();

  void on_request_data(std::string_view data);
  void on_request_end(const http::Headers& trailers);
  void on_client_writable();
  void on_client_gone();
  void on_response_head(http::ResponseHead& head);
  void on_response_data(std::string_view data);
  void on_response_end(const http::Headers& trailers);
  void on_backend_writable();
  void on_backend_error(session::StreamError error, bool unsent, std::string_view detail);

  bool answer_if(std::optional<routing::Answer> answer);
  void fail(ErrorKind kind, std::string_view detail, int status = 0);
  void send_error(const ErrorPolicy& policy, int status, std::string_view detail);
  bool may_send_again(session::StreamError error, bool unsent) const;
  static bool carried_nothing(session::StreamError error);
  bool retries_code(int status) const;
  bool retries_error(session::StreamError error) const;
  bool take_retry();
  void retry_later();
  void release_endpoint();
  void note_failure();  // of the endpoint at hand
  BackendTotals& totals() const;
  void finish();

  bool has_body() const { return declares_body_ || tunnel_; }
  const routing::CompiledRule& rule() const { return *matched_.rule(); }
  std::string describe(std::string_view detail) const;

  Worker& worker_;
  WorkerTablePtr table_;
  const routing::CompiledPort& port_;
  std::shared_ptr<session::ServerStream> client_;
  ClientSide client_side_{*this};
  BackendSide backend_side_{*this};

  http::RequestHead& head_;  // not once the response is complete
  const bool declares_body_, idempotent_;
  bool expects_continue_;
  bool grpc_;
  bool websocket_ = false;  // is asked for
  bool tunnel_ = false;     // and was granted
  SteadyTime opened_{};     // then
  routing::Matched matched_;
  std::string origin_;  // of the request as it came, for CORS
  std::optional<routing::Session> session_;
  BackendEndpointPtr pinned_;           // by the session, for the first attempt
  std::optional<std::uint64_t> dealt_;  // a place in a sticky split that the client does not know yet
  const routing::Slot* slot_ = nullptr;
  BackendCell* counts_ = nullptr;
  const BackendView* view_ = nullptr;
  std::vector<std::shared_ptr<MirrorRequest>> mirrors_;

  BackendEndpointPtr endpoint_, last_endpoint_;
  std::unique_ptr<session::ClientStream> backend_;
  int attempts_ = 0;
  int retries_ = 0;          // of those: asked for by the rule
  bool discarding_ = false;  // an answer that is not the last one
  std::size_t discarded_ = 0;
  std::unique_ptr<Scheduler::Timer> retry_timer_;  // set: waits for its next attempt
  std::string replay_;                             // of the request body, while it may have to be sent again
  bool replayable_ = true;
  bool request_ended_ = false;
  http::Headers request_trailers_;

  SteadyTime started_;
  SteadyTime deadline_ = SteadyTime::max(), attempt_deadline_ = SteadyTime::max();
  bool response_started_ = false;
  bool response_complete_ = false;  // as far as the client is concerned
  bool finished_ = false;
  int status_ = 0;
  const ErrorPolicy* error_ = nullptr;
  std::uint64_t request_bytes_ = 0, response_bytes_ = 0;
  std::unique_ptr<AccessRecord> record_;  // where this request is logged
};

}  // namespace tidegate::proxy
