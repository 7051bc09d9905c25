// SPDX-License-Identifier: Apache-2.0
// The retry of a rule, through the proxy.
#include <gtest/gtest.h>

#include "proxy/testbed.h"

namespace tidegate::proxy::test {
namespace {

using namespace std::chrono_literals;

std::string answer(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " Hm\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

// Answers the first `failures` requests with `failure`, later ones with the body that they brought.
class Flaky {
 public:
  Flaky(int failures, std::string failure) : failures_(failures), failure_(std::move(failure)) {}
  routing::Endpoint endpoint() const { return backend_.endpoint(); }
  int requests() const { return backend_.requests(); }
  int connections() const { return backend_.connections(); }

 private:
  const int failures_;
  const std::string failure_;
  std::atomic<int> seen_{0};
  FakeBackend backend_{[this](const std::string& request) {
    if (++seen_ <= failures_) return failure_;
    return ok("got " + request.substr(request.find("\r\n\r\n") + 4));
  }};
};

class RetryTest : public ::testing::Test {
 protected:
  // One backend, one rule with this retry.
  routing::Rule& serve(const routing::Endpoint& endpoint, routing::Retry retry) {
    routing::Rule& rule = table.rule("/", {{table.backend("web", {endpoint})}});
    rule.retry = std::move(retry);
    return rule;
  }
  void start(Runtime::Options options = {}) {
    proxy = std::make_unique<ProxyUnderTest>(1, std::move(options));
    proxy->publish(table.build());
    client = std::make_unique<Client>(address);
  }
  static std::string post(const std::string& body) {
    return "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  double retries(const std::string& kind) {
    return proxy->metric("tidegate_backend_retries_total", {"kind=\"" + kind + "\""});
  }

  net::Address address = free_address();
  TableBuilder table{address};
  std::unique_ptr<ProxyUnderTest> proxy;
  std::unique_ptr<Client> client;
};

TEST_F(RetryTest, ACodeThatTheRuleNamesIsNotTaken) {
  Flaky web(2, answer(503, "no"));
  serve(web.endpoint(), {{500, 503}, 3, 1ms});
  start();
  const auto reply = client->request(post("abc"));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body, "got abc");
  EXPECT_EQ(web.requests(), 3);
  EXPECT_EQ(web.connections(), 1) << "an answer read to its end leaves its connection usable";
  EXPECT_EQ(retries("rule"), 2);
  EXPECT_TRUE(proxy->wait_until([&] { return proxy->metric("tidegate_backend_requests_total") == 1; }));
}

TEST_F(RetryTest, TheLastAnswerIsPassedOnWhateverItSays) {
  Flaky web(100, answer(503, "still no"));
  serve(web.endpoint(), {{503}, 2, 1ms});
  start();
  const auto reply = client->get("/");
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(reply->body, "still no");
  EXPECT_EQ(web.requests(), 3);
}

TEST_F(RetryTest, OtherCodesAreAnswers) {
  Flaky web(1, answer(500, "broken"));
  serve(web.endpoint(), {{503}, 2, 1ms});
  start();
  EXPECT_EQ(client->get("/")->status, 500);
  EXPECT_EQ(web.requests(), 1);
}

TEST_F(RetryTest, ALongAnswerIsCutOffAndTheRequestStillRetried) {
  Flaky web(1, answer(503, std::string(1'000'000, 'x')));
  serve(web.endpoint(), {{503}, 1, 1ms});
  start();
  EXPECT_EQ(client->get("/")->body, "got ");
  EXPECT_EQ(web.connections(), 2);
}

TEST_F(RetryTest, ABodyTooLongToBeKeptIsSentOnce) {
  Flaky web(1, answer(503, "no"));
  serve(web.endpoint(), {{503}, 1, 1ms});
  start();
  EXPECT_EQ(client->request(post(std::string(100'000, 'x')))->status, 503);
  EXPECT_EQ(client->request(post(std::string(60'000, 'x')))->status, 200);
  EXPECT_EQ(web.requests(), 2);
}

TEST_F(RetryTest, WhereTheConnectionEndsOnlyWhatMayBeDoneTwiceIsSentAgain) {
  Flaky web(1, "");
  serve(web.endpoint(), {{}, 1, 1ms});
  start();
  EXPECT_EQ(client->get("/")->status, 200);
  EXPECT_EQ(web.requests(), 2);
  Flaky other(1, "");
  table.table.backends[0].endpoints = {other.endpoint()};
  proxy->publish(table.build());
  EXPECT_EQ(client->request(post("abc"))->status, 502);
  EXPECT_EQ(other.requests(), 1);
}

TEST_F(RetryTest, AnAttemptThatTakesTooLongIsFollowedByAnother) {
  std::atomic<int> seen{0};
  FakeBackend web([&](const std::string&) {
    if (++seen == 1) std::this_thread::sleep_for(300ms);  // the backend's slowness
    return ok("web");
  });
  serve(web.endpoint(), {{}, 1, 1ms}).backend_request_timeout = 60ms;
  start();
  EXPECT_EQ(client->get("/")->body, "web");
}

TEST_F(RetryTest, TheRequestsTimeoutHoldsWhileItWaits) {
  Flaky web(100, answer(503, "no"));
  serve(web.endpoint(), {{503}, 5, 10s}).request_timeout = 60ms;
  start();
  EXPECT_EQ(client->get("/")->headers.at("x-tidegate-error"), "request_timeout");
  EXPECT_EQ(web.requests(), 1);
}

TEST_F(RetryTest, AClientThatLeavesWhileItWaitsIsNotWaitedFor) {
  Flaky web(100, answer(503, "no"));
  serve(web.endpoint(), {{503}, 5, 10s});
  start();
  client->send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(proxy->wait_until([&] { return retries("rule") == 1; }));
  client.reset();
  EXPECT_TRUE(proxy->wait_until(
      [&] { return proxy->metric("tidegate_backend_requests_total", {"code=\"499\""}) == 1; }));
}

TEST_F(RetryTest, AttemptsKeepTheirDistance) {
  std::mutex mutex;
  std::vector<std::chrono::steady_clock::time_point> times;
  FakeBackend web([&](const std::string&) {
    const std::lock_guard lock(mutex);
    times.push_back(std::chrono::steady_clock::now());
    return answer(503, "no");
  });
  serve(web.endpoint(), {{503}, 2, 40ms});
  start();
  EXPECT_EQ(client->get("/")->status, 503);
  const std::lock_guard lock(mutex);
  ASSERT_EQ(times.size(), 3U);
  EXPECT_GE(times[1] - times[0], 39ms);
  EXPECT_GE(times[2] - times[1], 79ms);
}

TEST_F(RetryTest, WithoutBudgetTheFirstAnswerIsTheLast) {
  Flaky web(100, answer(503, "no"));
  serve(web.endpoint(), {{503}, 5, 1ms});
  Runtime::Options options;
  options.settings.retry = {20, 0};
  start(options);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client->get("/")->body, "no");
  EXPECT_EQ(retries("rule"), 10) << "a fifth of 50";
  EXPECT_EQ(web.requests(), 60);
  EXPECT_EQ(retries("over_budget"), 50);
}

}  // namespace
}  // namespace tidegate::proxy::test
