// SPDX-License-Identifier: Apache-2.0
// The answer to one request on its way to the client, with what is to go wrong with it. Private to the fault
// layer. Thread: the loop's.
#pragma once

#include <deque>

#include "tests/faults/faulty_server.h"

namespace tidegate::test {

class FaultyStream final : public session::ServerStream, public std::enable_shared_from_this<FaultyStream> {
 public:
  // `write`: the index of the write in the server's log, or -1.
  FaultyStream(FaultyServer& server, std::shared_ptr<session::ServerStream> to, Fault fault, bool watch,
               std::string key, std::string agent, std::ptrdiff_t write);

  void set_events(session::ServerStreamEvents* events) override;
  void send_continue() override { to_->send_continue(); }
  void send_head(const http::ResponseHead& head, bool end) override;
  void send_data(std::string_view data) override;
  void send_end(const http::Headers& trailers) override;
  void reset() override { to_->reset(); }
  std::size_t unsent_bytes() const override { return to_->unsent_bytes(); }
  void pause() override { to_->pause(); }
  void resume() override { to_->resume(); }
  const std::string& client_address() const override { return to_->client_address(); }
  std::string_view client_common_name() const override { return to_->client_common_name(); }
  std::string_view server_name() const override { return to_->server_name(); }

  const std::string& agent() const { return agent_; }
  void flush();  // held events, unless it is still frozen

 private:
  void finish();  // of a whole answer
  void forward();
  void send_line(const std::string& line);
  void cut();

  FaultyServer& server_;
  std::shared_ptr<session::ServerStream> to_;
  session::ServerStreamEvents* events_ = nullptr;
  const Fault fault_;
  const bool watch_;
  const std::string key_, agent_;
  const std::ptrdiff_t write_;
  bool streaming_ = false, holding_ = false, ended_ = false, cut_ = false;
  http::ResponseHead head_;
  std::string body_;
  std::deque<std::string> held_;
};

http::ResponseHead refusal_head(Fault fault, std::string& body);

}  // namespace tidegate::test
