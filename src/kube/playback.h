// SPDX-License-Identifier: Apache-2.0
// What tests of this folder share: an HTTP server on loopback that notes what it is asked and answers as the
// test says, and time that runs ahead to the next timer whenever nothing else happens. Thread: the test's.
#pragma once

#include <deque>
#include <nlohmann/json.hpp>

#include "kube/client.h"
#include "session/http_server.h"
#include "session/loopback.h"

namespace tidegate::kube {

class PlaybackTest : public session::LoopbackTest {
 protected:
  using Handler = session::HttpServer::Handler;

  void SetUp() override { serve(); }

  // The answers in their order; past the last one, 500.
  void answer(int status, std::string body, http::Headers headers = {}) {
    answers_.push_back({status, "application/json", std::move(body), std::move(headers)});
  }
  void serve(net::Address address = {"127.0.0.1", 0}) {
    session::HttpServer::Options options;
    options.address = std::move(address);
    auto server = session::HttpServer::open(loop_.io(), scheduler_, options,
                                            [this](session::Request request, session::Responder responder) {
                                              on_request(std::move(request), std::move(responder));
                                            });
    ASSERT_TRUE(server) << server.error().detail;
    server_ = std::move(*server);
  }
  virtual void on_request(session::Request request, session::Responder responder) {
    asked_.push_back(request.head.method + " " + request.head.target);
    requests_.push_back(std::move(request));
    if (answers_.empty()) return responder.send({500, "text/plain", "nothing more is recorded"});
    auto response = std::move(answers_.front());
    answers_.pop_front();
    responder.send(std::move(response));
  }

  ClientConfig config() const {
    ClientConfig config;
    config.address = server_->address();
    config.authority = net::to_string(server_->address());
    config.seed = 1;
    return config;
  }
  Client& client() {
    if (!client_) client_ = std::make_unique<Client>(loop_.io(), scheduler_, config());
    return *client_;
  }

  template <typename T>
  T wait(Task<T> task) {
    std::optional<T> result;
    auto run = [](Task<T> task, std::optional<T>& result) -> Task<void> {
      result.emplace(co_await std::move(task));
    };
    net::spawn(loop_.io(), run(std::move(task), result));
    run_ahead_until([&] { return result.has_value(); });
    return result ? std::move(*result) : T(Error{ErrorCode::kTimeout, "the test waited in vain"});
  }
  // Moves the clock only when the loop has nothing to do, in steps that no time-out of a healthy exchange
  // notices.
  bool run_ahead_until(const std::function<bool()>& holds) {
    for (int i = 0; i < 20'000 && !holds(); ++i) {
      loop_.io().restart();
      if (loop_.io().run_one_for(std::chrono::milliseconds(1)) == 0)
        scheduler_.advance(std::chrono::milliseconds(50));
      scheduler_.run_posted();
    }
    EXPECT_TRUE(holds()) << "waited in vain";
    return holds();
  }

  std::deque<session::Response> answers_;
  std::vector<std::string> asked_;
  std::vector<session::Request> requests_;
  std::unique_ptr<session::HttpServer> server_;
  std::unique_ptr<Client> client_;
};

}  // namespace tidegate::kube
